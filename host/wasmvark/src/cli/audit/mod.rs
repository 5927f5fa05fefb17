//! `wasmvark audit`: the report on the drivers' authority, with its use and the
//! findings.

mod findings;
mod gather;
mod html;
mod places;
mod report;
mod text;

use audit::Since;
use clap::ValueEnum;

use super::{CliError, Command, Context, Example, example, output};
use crate::store::Store;

pub(super) use report::Level;

/// The command `audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 1 if there is a finding of this level or worse
    #[arg(long, value_enum, default_value_t = Level::Warning, value_name = "LEVEL")]
    fail_on: Level,
    /// Count only records of the trail younger than this: 30s, 10m, 2h, 3d, 1w, or
    /// a time in UTC
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Report a granted call as unused only after this many runs without it
    #[arg(long, default_value_t = 10, value_name = "RUNS")]
    unused_after: u64,
}

impl Command for Audit {
    const NAME: &str = "audit";
    const ABOUT: &str = "Report what each driver may do, what it uses, and what needs attention";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Report what each driver may do, what it uses, and what needs attention.

The exit code is 0 if nothing was found, 1 if there is a finding of the level of --fail-on or worse, and 2 after an \
error.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark audit",
            "See what all drivers may do, and what they use",
        ),
        example(
            "wasmvark audit --format html >./audit.html",
            "The same as a page for a browser",
        ),
        example(
            "wasmvark audit --fail-on danger",
            "Exit with 1 only if something is dangerous",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        match look(store, self).map_err(CliError::undecided)? {
            0 => Ok(()),
            count => Err(CliError::Found {
                count,
                level: self.fail_on.name(),
            }),
        }
    }
}

/// The format of the report.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs, as docs/audit.schema.json describes it
    Json,
    /// One page for a browser, with all that it needs in it
    Html,
}

/// Prints the report. Returns the number of findings of the level of `--fail-on` or
/// worse.
fn look(store: &Store, arguments: &Audit) -> Result<usize, CliError> {
    let report = gather::report(store, arguments.since, arguments.unused_after)?;
    match arguments.format {
        Format::Text => output::text(&text::of(&report))?,
        Format::Json => output::json(&report)?,
        Format::Html => output::text(&html::of(&report))?,
    }
    let findings = report.findings.iter();
    let bad = findings.filter(|finding| finding.level >= arguments.fail_on);
    Ok(bad.count())
}
