//! The administrator's commands: arguments here, one file for each command. It
//! knows nothing of netlink.

mod convert;
mod inspect;
mod install;
mod journal;
mod list;
mod output;
mod reload;
mod remove;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::driver::{ComponentError, EngineError};
use crate::grant::GrantError;
use crate::journal::JournalError;
use crate::kernel::NetnsError;
use crate::plugin::PluginError;
use crate::store::{DriverName, InvalidDriverName, Layout, LayoutError, Store, StoreError};

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

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the room that it names"
)]
pub enum CliError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Component(#[from] ComponentError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Name(#[from] InvalidDriverName),
    #[error("can't read {}: {error}", path.display())]
    Read {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{0}: no driver of that name is installed, and there is no such file")]
    NoDriver(String),
    #[error("can't find this program's own file, which links must lead to: {0}")]
    Program(std::io::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Netns(#[from] NetnsError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("can't tell which network namespaces are alive: {0}")]
    Living(std::io::Error),
    #[error("not all is cleared that was held for container {container}: {reason}")]
    Left { container: String, reason: String },
    #[error(
        "not all is put back; {}",
        .0.iter().map(|(whose, why)| format!("{whose}: {why}")).collect::<Vec<_>>().join("\n")
    )]
    NotPutBack(Vec<(String, String)>),
    #[error("not all is converted: {failed} of {all} documents have no counterpart")]
    NotConverted { failed: usize, all: usize },
    #[error("{} has no CNI documents: their names end with .conflist, .conf or .json", .0.display())]
    NoDocuments(PathBuf),
    #[error(
        "can't run podman: {0}; without --apply the commands are only printed, to be run elsewhere"
    )]
    Podman(std::io::Error),
    #[error("`{command}` failed ({status}), so nothing more is done")]
    PodmanFailed {
        command: String,
        status: std::process::ExitStatus,
    },
    #[error("can't print: {0}")]
    Print(std::io::Error),
}

/// Runs a command; returns the exit code.
pub fn main() -> i32 {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => 0,
        Err(CliError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("wasmvark: {error}");
            1
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
