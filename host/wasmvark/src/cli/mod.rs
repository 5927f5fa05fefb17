//! The administrator's commands: arguments here, one file for each command. It
//! knows nothing of netlink.

mod adopt;
mod audit;
mod changes;
mod colour;
mod completions;
mod confirm;
mod convert;
mod diff;
mod doctor;
mod error;
mod examples;
mod grant;
mod inspect;
mod install;
mod journal;
mod list;
mod log;
mod man;
mod output;
#[cfg(test)]
mod page;
mod plan;
mod planned_grant;
mod podman_networks;
mod reference;
mod reload;
mod remove;
mod suggest;
mod upgrade;
mod version;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use policy::Grant;

use crate::store::{DriverName, Layout, Store};

pub(crate) use error::CliError;

/// Netavark plugins as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(
    name = "wasmvark",
    version,
    disable_version_flag = true,
    arg_required_else_help = true
)]
struct Arguments {
    /// Keep everything below this folder instead of in the system's or the
    /// user's folders
    #[arg(long, global = true, env = "WASMVARK_ROOT", value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
    /// With --version: also what it was built from, and where everything lies
    #[arg(long, requires = "version")]
    verbose: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install a driver and make its link in netavark's plugin directory
    #[command(long_about = install::ABOUT)]
    Install(install::Arguments),
    /// Put another component in a driver's place
    #[command(long_about = upgrade::ABOUT)]
    Upgrade(upgrade::Arguments),
    /// Go back to a driver's component before, with its grant
    Rollback {
        /// The driver's name
        name: DriverName,
    },
    /// List the installed drivers
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show which calls a driver can make, asks for and is granted
    Inspect {
        /// The name of an installed driver, or a component's file
        #[arg(value_name = "NAME|FILE")]
        driver: String,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Let a driver make a call, or make it reach further, in its grant file
    Grant(grant::Arguments),
    /// Take a call away from a driver, or with a reach only that
    Revoke(grant::Arguments),
    /// Show what one driver may do that another one may not
    #[command(long_about = diff::ABOUT)]
    Diff(diff::Arguments),
    /// Print the networks that do what CNI's do: `podman network create`, and
    /// what grants need
    #[command(long_about = convert::ABOUT)]
    Convert(convert::Arguments),
    /// Look for what keeps drivers from working, or lets somebody misuse them
    #[command(long_about = doctor::ABOUT)]
    Doctor(doctor::Arguments),
    /// Show which driver may do what, what of it it uses, and what to look at
    ///
    /// Exit code 0: nothing found; 1: something of the level of --fail-on or worse; 2: an error.
    Audit(audit::Arguments),
    /// Show the decisions that are on record, oldest first
    Log(log::Arguments),
    /// Print the least grant that covers what a driver did, as the trail has it
    Suggest(suggest::Arguments),
    /// Show what a driver would do for a request of Podman's, and change nothing
    Plan(plan::Arguments),
    /// Make what Podman has of a network the user's word
    #[command(long_about = adopt::ABOUT)]
    Adopt(adopt::Arguments),
    /// Show what is held for which container, or give up what is missing
    Journal(journal::Arguments),
    /// Clear what is held for containers whose namespace is gone
    Gc,
    /// Put back firewall rules of containers that somebody has removed
    Reload,
    /// Remove a driver and its link; its grant stays
    Remove {
        /// The driver's name
        name: DriverName,
    },
    /// Print the manual page, or write those of all commands
    Man(man::Arguments),
    /// Print a script that has a shell complete commands and options
    Completions(completions::Arguments),
}

/// How a command prints.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// All that clap knows, with examples.
fn command() -> clap::Command {
    examples::add(Arguments::command())
}

/// Runs a command; returns the exit code.
pub(crate) fn main() -> i32 {
    let parsed = Arguments::from_arg_matches(&command().get_matches());
    let arguments = parsed.unwrap_or_else(|error| error.exit());
    match run(arguments) {
        Ok(()) => 0,
        Err(CliError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("wasmvark: {error}");
            error.exit_code()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CliError> {
    let layout = Layout::choose(arguments.root.as_deref());
    if arguments.version {
        return version::run(layout.ok().as_ref(), arguments.verbose);
    }
    let Some(chosen) = arguments.command else {
        let text = "a command is missing: `wasmvark help` lists them";
        command().error(ErrorKind::MissingSubcommand, text).exit();
    };
    // These work, or tell of it in their own way, without a home too.
    match &chosen {
        Command::Doctor(arguments) => return doctor::run(layout, arguments),
        Command::Man(arguments) => return man::run(arguments),
        Command::Completions(arguments) => return completions::run(arguments),
        _ => {}
    }
    let store = Store::new(layout?);
    match chosen {
        Command::Doctor(_) | Command::Man(_) | Command::Completions(_) => Ok(()),
        Command::Install(arguments) => install::run(&store, &arguments),
        Command::Upgrade(arguments) => upgrade::run(&store, &arguments),
        Command::Rollback { name } => upgrade::back(&store, &name),
        Command::Grant(arguments) => grant::give(&store, &arguments),
        Command::Revoke(arguments) => grant::take(&store, &arguments),
        Command::Diff(arguments) => diff::run(&store, &arguments),
        Command::List { format } => list::run(&store, format),
        Command::Inspect { driver, format } => inspect::run(&store, &driver, format),
        Command::Convert(arguments) => convert::run(&store, &arguments),
        Command::Audit(arguments) => audit::run(&store, &arguments),
        Command::Log(arguments) => log::run(&store, &arguments),
        Command::Suggest(arguments) => suggest::run(&store, &arguments),
        Command::Plan(arguments) => plan::run(&store, &arguments),
        Command::Adopt(arguments) => adopt::run(&store, &arguments),
        Command::Journal(arguments) => journal::run(&store, &arguments),
        Command::Gc => journal::collect(&store),
        Command::Reload => reload::run(&store),
        Command::Remove { name } => remove::run(&store, &name),
    }
}

/// The grant of a driver, where there is one, for whichever component.
fn find_grant(store: &Store, name: &DriverName) -> Result<Option<Grant>, CliError> {
    let path = store.layout().grant(name);
    let text = store.grant_text(name)?;
    let grant = text.map(|text| Grant::parse(name.as_str(), &path, &text));
    Ok(grant.transpose()?)
}

/// This program's file, as links should name it.
fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(CliError::Program)
}
