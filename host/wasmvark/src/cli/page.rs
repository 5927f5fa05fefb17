//! `docs/commands.md`, made from the same definitions as the help and the pages for
//! man(1).

use std::fmt::Write;

use clap::{Arg, Command};

use super::command::with_clap;
use super::{COMMANDS, EXAMPLES, Entry, Example, program_for_clap, reference};

/// The variable with which the test writes the page.
const WRITE: &str = "WASMVARK_TEST_COMMANDS";
const PAGE: &str = include_str!("../../../../docs/commands.md");

#[test]
fn the_page_of_commands_is_as_the_program_has_it() {
    let should = page();
    if std::env::var_os(WRITE).is_some_and(|value| value == "write") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
        return std::fs::write(path, should).expect("the page can be written");
    }
    assert_eq!(PAGE, should, "`just commands` writes docs/commands.md anew");
}

fn page() -> String {
    let mut program = program_for_clap().disable_help_subcommand(true);
    program.build();
    let mut text = String::from(
        "# Commands\n\n`just commands` writes this page, out of what `wasmvark help` and `wasmvark man` show.\n\n\
         | command | what it does |\n|---|---|\n",
    );
    for command in program.get_subcommands() {
        let name = command.get_name();
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(text, "| [`{name}`](#{name}) | {} |", cell(&about));
    }
    text.push_str("\nFor all of them:\n\n");
    options(&mut text, &program, |_| true);
    example_lines(&mut text, EXAMPLES);
    for (entry, command) in with_clap(COMMANDS, &program) {
        one(&mut text, entry, command);
        for (entry, command) in with_clap(entry.commands, command) {
            one(&mut text, entry, command);
        }
    }
    rest(&mut text);
    text
}

fn one(text: &mut String, entry: &Entry, command: &Command) {
    let mut command = command.clone();
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let dot = if about.ends_with('.') { "" } else { "." };
    let _ = write!(
        text,
        "\n## {}\n\n{about}{dot}\n\n```text\n{usage}\n```\n",
        title(&command)
    );
    text.push('\n');
    options(text, &command, |arg| !arg.is_global_set());
    example_lines(text, entry.examples);
}

/// Returns the command's name, after the names of the commands above it.
fn title(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    name.trim_start_matches("wasmvark ").to_owned()
}

fn options(text: &mut String, command: &Command, is_wanted: impl Fn(&Arg) -> bool) {
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let args: Vec<_> = args
        .filter(|arg| arg.get_id() != "help" && is_wanted(arg))
        .collect();
    if args.is_empty() {
        return;
    }
    text.push_str("| argument | what it does |\n|---|---|\n");
    for arg in args {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values = arg.get_possible_values();
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let values = match values.is_empty() || !arg.get_action().takes_values() {
            true => String::new(),
            false => format!(": {}", values.join(", ")),
        };
        let _ = writeln!(
            text,
            "| `{}` | {}{values} |",
            cell(&arg.to_string()),
            cell(&help)
        );
    }
    text.push('\n');
}

fn example_lines(text: &mut String, examples: &[Example]) {
    text.push_str("```sh\n");
    for example in examples {
        let _ = writeln!(text, "# {}\n{}", example.what, example.line);
    }
    text.push_str("```\n");
}

fn rest(text: &mut String) {
    text.push_str("\n## Exit codes\n\n| code | what it says |\n|---|---|\n");
    for (code, what) in reference::EXIT_CODES {
        let _ = writeln!(text, "| {code} | {what} |");
    }
    text.push_str(
        "\nCalled as a driver, by netavark, the program exits with 0 or 1, as netavark's protocol has it.\n\
         \n## Environment\n\n| variable | what it does |\n|---|---|\n",
    );
    for (names, what) in reference::ENVIRONMENT {
        let names: Vec<_> = names.split(", ").map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {} | {what} |", names.join(", "));
    }
    text.push_str("\n## Files\n\n| what | root | other users |\n|---|---|---|\n");
    for place in reference::places() {
        let _ = writeln!(
            text,
            "| {} | `{}` | `{}` |",
            place.what, place.system, place.user
        );
    }
}

/// Escapes a text for a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
