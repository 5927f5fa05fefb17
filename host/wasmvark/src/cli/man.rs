//! `wasmvark man`: pages for man(1), made from clap's definitions.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::command::with_clap;
use super::{
    COMMANDS, CliError, Command, Context, EXAMPLES, Entry, Example, example, output,
    program_for_clap, reference,
};

/// The command `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Write the pages of all commands into this folder instead of printing the
    /// program's
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Command for Man {
    const NAME: &str = "man";
    const ABOUT: &str = "Print the manual page, or write the pages of all commands";
    const EXAMPLES: &[Example] = &[
        example("wasmvark man | man -l -", "Read the program's page"),
        example("wasmvark man ./pages", "Write the pages of all commands"),
    ];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let pages = pages().map_err(CliError::Print)?;
        let Some(folder) = &self.folder else {
            let page = pages
                .first()
                .map(|page| String::from_utf8_lossy(&page.text));
            return output::text(&page.unwrap_or_default());
        };
        write(folder, &pages)?;
        output::text(&format!(
            "Wrote {} pages into {}.\n",
            pages.len(),
            folder.display()
        ))
    }
}

/// A page and the name of its file.
struct Page {
    file: String,
    text: Vec<u8>,
}

fn write(folder: &Path, pages: &[Page]) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| CliError::Write { path, error }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    for page in pages {
        let path = folder.join(&page.file);
        std::fs::write(&path, &page.text).map_err(failed(&path))?;
    }
    Ok(())
}

/// Makes the pages of the program and of each command, the program's first.
fn pages() -> std::io::Result<Vec<Page>> {
    let mut program = program_for_clap().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![page(&program, None)?];
    for (entry, command) in with_clap(COMMANDS, &program) {
        pages.push(page(command, Some(entry))?);
    }
    Ok(pages)
}

/// Makes the page of a command or, without an entry, that of the program.
fn page(command: &clap::Command, entry: Option<&Entry>) -> std::io::Result<Page> {
    let man = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    title(&mut text, &man)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut roff = Roff::new();
    match entry {
        None => man.render_subcommands_section(&mut text)?,
        Some(entry) => commands_section(&mut roff, entry, command),
    }
    examples_section(&mut roff, entry.map_or(EXAMPLES, |entry| entry.examples));
    exit_section(&mut roff);
    if entry.is_none() {
        environment_section(&mut roff);
        files_section(&mut roff);
    }
    see_also(&mut roff, entry.is_none());
    roff.to_writer(&mut text)?;
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}

/// Writes the title without a date, so that the same sources make the same page.
/// clap_mangen would leave out an empty date, and the next field would take its place.
fn title(text: &mut Vec<u8>, man: &clap_mangen::Man) -> std::io::Result<()> {
    let file = man.get_filename();
    let name = file.trim_end_matches(".1").to_uppercase();
    let version = env!("CARGO_PKG_VERSION");
    writeln!(text, ".TH {name} 1 \"\" \"wasmvark {version}\" wasmvark")
}

fn section(roff: &mut Roff, title: &str) {
    roff.control("SH", [title]);
}

/// Adds an item of a list, with its text.
fn item(roff: &mut Roff, head: Inline, text: &str) {
    roff.control("TP", []);
    roff.text([head]);
    roff.text([roman(text)]);
}

/// Adds a command's subcommands, which have no pages of their own.
fn commands_section(roff: &mut Roff, entry: &Entry, command: &clap::Command) {
    if entry.commands.is_empty() {
        return;
    }
    section(roff, "COMMANDS");
    for (entry, command) in with_clap(entry.commands, command) {
        let usage = command.clone().render_usage().to_string();
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        item(roff, bold(usage.trim_start_matches("Usage: ")), &about);
        for example in entry.examples {
            item(roff, bold(example.line), example.what);
        }
    }
}

fn examples_section(roff: &mut Roff, examples: &[Example]) {
    section(roff, "EXAMPLES");
    for (number, example) in examples.iter().enumerate() {
        if number > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{}:", example.what))]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        roff.text([bold(example.line)]);
        roff.control("fi", []);
        roff.control("RE", []);
    }
}

fn exit_section(roff: &mut Roff) {
    section(roff, "EXIT STATUS");
    for (code, text) in reference::EXIT_CODES {
        item(roff, bold(code.to_string()), text);
    }
}

fn environment_section(roff: &mut Roff) {
    section(roff, "ENVIRONMENT");
    for (names, text) in reference::ENVIRONMENT {
        item(roff, bold(*names), text);
    }
}

fn files_section(roff: &mut Roff) {
    section(roff, "FILES");
    for place in reference::places() {
        let text = format!("{}; for users other than root {}", place.what, place.user);
        item(roff, bold(place.system), &text);
    }
}

fn see_also(roff: &mut Roff, is_main: bool) {
    section(roff, "SEE ALSO");
    let pages = match is_main {
        true => &["podman-network-create(1)", "containers.conf(5)"][..],
        false => &["wasmvark(1)"][..],
    };
    roff.text([roman(pages.join(", "))]);
}
