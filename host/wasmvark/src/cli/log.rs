//! `wasmvark log`: the verdicts in the audit trail, one a line.

use std::io::Write;
use std::time::Duration;

use audit::{Event, Record, Since, Tail, Verdict, reach_in_words};
use nix::errno::Errno;
use types::text;
use unicode_width::UnicodeWidthStr;

use super::{CliError, Command, Context, Example, Format, example, output};

/// The interval at which `--follow` looks for new lines.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of a container id's characters that are shown.
const ID_SHOWN: usize = 12;

/// The command `log`.
#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// Keep printing what runs write from now on
    #[arg(short, long)]
    follow: bool,
    /// Only this driver
    #[arg(long, value_name = "NAME")]
    driver: Option<String>,
    /// Only containers whose ids begin with this
    #[arg(long, value_name = "ID")]
    container: Option<String>,
    /// Only denied calls
    #[arg(long)]
    denied: bool,
    /// Only records younger than this: 30s, 10m, 2h, 3d, 1w, or a time in UTC such
    /// as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// How to print; json prints the lines unchanged
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Log {
    const NAME: &str = "log";
    const ABOUT: &str = "Show the verdicts in the audit trail, oldest first";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark log --since 1h",
            "See the verdicts of the last hour",
        ),
        example("wasmvark log --denied -f", "Watch for denied calls"),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        store.check_trail()?;
        let path = &store.layout().trail;
        let failed = |error| CliError::Read {
            path: path.clone(),
            error,
        };
        let mut tail = Tail::open(path).map_err(failed)?;
        let mut printer = Printer::default();
        loop {
            while let Some(line) = tail.line().map_err(failed)? {
                printer.line(&line, self)?;
            }
            printer.flush()?;
            if !self.follow {
                break;
            }
            std::thread::sleep(PAUSE);
            tail.look().map_err(failed)?;
        }
        printer.tell(path);
        Ok(())
    }
}

impl Log {
    fn wants(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|it| it == own);
        let container = record.container.as_deref().unwrap_or_default();
        let in_container = |id: &String| container.starts_with(id.as_str());
        is(&self.driver, &record.driver)
            && self.container.as_ref().is_none_or(in_container)
            && (!self.denied || record.verdict == Some(Verdict::Deny))
            && self.since.is_none_or(|since| since.has(record))
    }
}

#[derive(Default)]
struct Printer {
    columns: Columns,
    printed: u64,
    torn: u64,
}

impl Printer {
    fn line(&mut self, line: &[u8], arguments: &Log) -> Result<(), CliError> {
        let Some(record) = Record::parse(line) else {
            // An empty line, as an editor may leave it, isn't a torn record.
            self.torn += u64::from(!line.trim_ascii().is_empty());
            return Ok(());
        };
        if !arguments.wants(&record) {
            return Ok(());
        }
        let mut text = match arguments.format {
            Format::Json => line.to_owned(),
            Format::Text => self.columns.lay_out(&cells(&record)).into_bytes(),
        };
        if self.printed == 0
            && let Format::Text = arguments.format
        {
            let head = [
                "TIME",
                "DRIVER",
                "COMMAND",
                "NETWORK",
                "CONTAINER",
                "DECISION",
                "ON",
            ];
            let mut head = self.columns.lay_out(&head.map(str::to_owned)).into_bytes();
            head.push(b'\n');
            text = [head, text].concat();
        }
        text.push(b'\n');
        self.printed += 1;
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&text).map_err(CliError::Print)
    }

    fn flush(&self) -> Result<(), CliError> {
        output::text("")
    }

    /// Reports on standard error that lines were skipped, or that none was printed.
    fn tell(&self, path: &std::path::Path) {
        let mut stderr = std::io::stderr();
        if self.torn > 0 {
            let _ = writeln!(
                stderr,
                "wasmvark: passed over {} of {} and its old files that can't be read",
                text::counted(self.torn, "line"),
                path.display()
            );
        }
        if self.printed == 0 {
            let _ = writeln!(
                stderr,
                "wasmvark: the trail {} has no such lines",
                path.display()
            );
        }
    }
}

/// Columns that get wider with their content, because the lines to come aren't known.
struct Columns([usize; 7]);

impl Default for Columns {
    fn default() -> Self {
        Self(["2026-01-31T12:00:00Z".len(), 12, 8, 8, ID_SHOWN, 26, 0])
    }
}

impl Columns {
    fn lay_out(&mut self, cells: &[String; 7]) -> String {
        let mut line = String::new();
        for (width, cell) in self.0.iter_mut().zip(cells) {
            let length = cell.width();
            *width = length.max(*width);
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(length) + 2));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Returns the cells of a record, safe for a terminal.
fn cells(record: &Record) -> [String; 7] {
    let or_dash = |text: &str| match text {
        "" => "-".to_owned(),
        text => text::plain(text),
    };
    let container = record.container.as_deref().unwrap_or_default();
    let short: String = container.chars().take(ID_SHOWN).collect();
    [
        to_the_second(&record.time),
        or_dash(&record.driver),
        or_dash(&record.command),
        or_dash(&record.network),
        or_dash(&short),
        decision(record),
        on(record),
    ]
}

fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{}Z", text::plain(seconds)),
        None => text::plain(time),
    }
}

fn decision(record: &Record) -> String {
    match (record.event, record.verdict, &record.call) {
        (Event::Call, Some(verdict), Some(call)) => {
            format!("{} {}", verdict.name(), text::plain(call))
        }
        (event, _, _) => event.name().to_owned(),
    }
}

fn on(record: &Record) -> String {
    let mut parts = Vec::new();
    parts.extend(record.object.as_deref().map(text::plain));
    parts.extend(reach_in_words(record.verdict, &record.reach));
    parts.extend(record.errno.map(|errno| Errno::from_raw(errno).to_string()));
    parts.extend(record.error.as_deref().map(text::plain_error));
    match parts.is_empty() {
        true => "-".to_owned(),
        false => parts.join("; "),
    }
}
