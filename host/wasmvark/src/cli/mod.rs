//! The administrator's commands. Each command is a type in a file of its own, with a
//! line in [`COMMANDS`]. Parsing, running, help, manual, completion and the page of
//! commands all come from that list. This module knows nothing of netlink.

mod adopt;
mod audit;
mod bench;
mod bindings;
mod completions;
mod component;
mod convert;
mod diff;
mod doctor;
mod gc;
mod grant;
mod inspect;
mod inspect_options;
mod install;
mod journal;
mod list;
mod log;
mod man;
mod manifest;
mod new;
mod plan;
mod record;
mod reload;
mod remove;
mod revoke;
mod rollback;
mod suggest;
mod test;
mod r#try;
mod upgrade;
mod wit;

mod changes;
mod colour;
mod command;
mod confirm;
mod context;
mod error;
mod example;
mod granted_call;
mod option_changes;
mod output;
#[cfg(test)]
mod page;
mod planned_grant;
mod reference;
mod switch;
mod version;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum};
use policy::Grant;

use crate::store::{DriverName, Store};
use command::{Command, Entry, Ready};
use context::Context;
use example::{Example, example};

pub(crate) use error::CliError;

/// All commands, in the order of the help.
const COMMANDS: &[Entry] = &[
    Entry::of::<install::Install>(),
    Entry::of::<upgrade::Upgrade>(),
    Entry::of::<rollback::Rollback>(),
    Entry::of::<list::List>(),
    Entry::of::<inspect::Inspect>(),
    Entry::of::<grant::Grant>(),
    Entry::of::<revoke::Revoke>(),
    Entry::of::<diff::Diff>(),
    Entry::of::<manifest::Show>(),
    Entry::of::<new::New>(),
    Entry::of::<wit::Wit>(),
    Entry::of::<bindings::Bindings>(),
    Entry::of::<component::Component>(),
    Entry::of::<convert::Convert>(),
    Entry::of::<doctor::Doctor>(),
    Entry::of::<audit::Audit>(),
    Entry::of::<log::Log>(),
    Entry::of::<suggest::Suggest>(),
    Entry::of::<plan::Plan>(),
    Entry::of::<test::Test>(),
    Entry::of::<r#try::Try>(),
    Entry::of::<bench::Bench>(),
    Entry::of::<record::Record>(),
    Entry::of::<adopt::Adopt>(),
    Entry::of::<journal::Journal>(),
    Entry::of::<gc::Gc>(),
    Entry::of::<reload::Reload>(),
    Entry::of::<remove::Remove>(),
    Entry::of::<man::Man>(),
    Entry::of::<completions::Completions>(),
];

/// Examples of the program itself.
const EXAMPLES: &[Example] = &[
    example("wasmvark list", "See which drivers are installed"),
    example(
        "wasmvark inspect wasm-macvlan",
        "See all that a driver may do",
    ),
    example("wasmvark doctor", "See what keeps drivers from working"),
    example(
        "wasmvark --version --verbose",
        "See what a bug report needs",
    ),
];

/// Netavark plugins as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(
    name = "wasmvark",
    version,
    disable_version_flag = true,
    arg_required_else_help = true
)]
struct Arguments {
    /// Keep all files below this folder instead of in the system's or the user's
    /// folders
    #[arg(long, global = true, env = "WASMVARK_ROOT", value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
    /// With --version: also print how it was built, and where its files are
    #[arg(long, requires = "version")]
    verbose: bool,
}

/// The format of a command's output.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Returns the program as clap parses and shows it.
fn program_for_clap() -> clap::Command {
    Arguments::command()
        .after_help(example::help(EXAMPLES))
        .subcommands(COMMANDS.iter().map(Entry::for_clap))
}

/// Runs a command, and returns the exit code.
pub(crate) fn main() -> i32 {
    let matches = program_for_clap().get_matches();
    let (arguments, command) = parse(&matches).unwrap_or_else(|error| error.exit());
    match run(arguments, command) {
        Ok(()) => 0,
        Err(CliError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("wasmvark: {error}");
            error.exit_code()
        }
    }
}

/// Parses the program's arguments and the command that they name.
fn parse(matches: &ArgMatches) -> Result<(Arguments, Option<Ready>), clap::Error> {
    let arguments = Arguments::from_arg_matches(matches)?;
    Ok((arguments, command::named(COMMANDS, matches)?))
}

fn run(arguments: Arguments, command: Option<Ready>) -> Result<(), CliError> {
    let context = Context::new(arguments.root);
    if arguments.version {
        return version::run(context.layout().ok().as_ref(), arguments.verbose);
    }
    let Some(command) = command else {
        let text = "a command is missing: `wasmvark help` lists them";
        let error = program_for_clap().error(ErrorKind::MissingSubcommand, text);
        error.exit();
    };
    command(&context)
}

/// Reads the grant of a driver, if there is one. It may be for another component.
fn find_grant(store: &Store, name: &DriverName) -> Result<Option<Grant>, CliError> {
    let path = store.layout().grant(name);
    let text = store.grant_text(name)?;
    let grant = text.map(|text| Grant::parse(name.as_str(), &path, &text));
    Ok(grant.transpose()?)
}

/// Returns the path of this program's file, for links.
fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(CliError::Program)
}
