//! The administrator's commands: arguments here, one file for each command. It
//! knows nothing of netlink.

mod convert;
mod error;
mod inspect;
mod install;
mod journal;
mod list;
mod output;
mod plan;
mod reload;
mod remove;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::store::{DriverName, Layout, Store};

pub use error::CliError;

/// Netavark plugins as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "wasmvark", version, arg_required_else_help = true)]
struct Arguments {
    /// Keep everything below this folder instead of in the system's or the
    /// user's folders
    #[arg(long, global = true, env = "WASMVARK_ROOT", value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install a driver and make its link in netavark's plugin directory
    Install(install::Arguments),
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
    /// Print the networks that do what CNI's do: `podman network create`, and
    /// what grants need
    #[command(long_about = convert::ABOUT)]
    Convert(convert::Arguments),
    /// Show what a driver would do for a request of Podman's, and change nothing
    Plan(plan::Arguments),
    /// Show what is held for which container
    Journal {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Clear what is held for containers whose namespace is gone
    Gc,
    /// Put back firewall rules of containers that somebody has removed
    Reload,
    /// Remove a driver and its link; its grant stays
    Remove {
        /// The driver's name
        name: DriverName,
    },
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

/// Runs a command; returns the exit code.
pub fn main() -> i32 {
    let arguments = Arguments::parse();
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
    let store = Store::new(Layout::choose(arguments.root.as_deref())?);
    match arguments.command {
        Command::Install(arguments) => install::run(&store, &arguments),
        Command::List { format } => list::run(&store, format),
        Command::Inspect { driver, format } => inspect::run(&store, &driver, format),
        Command::Convert(arguments) => convert::run(&store, &arguments),
        Command::Plan(arguments) => plan::run(&store, &arguments),
        Command::Journal { format } => journal::show(&store, format),
        Command::Gc => journal::collect(&store),
        Command::Reload => reload::run(&store),
        Command::Remove { name } => remove::run(&store, &name),
    }
}

/// This program's file, as links should name it.
fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(CliError::Program)
}
