//! Why a command failed, and the exit code that says so.

use std::path::PathBuf;

use crate::driver::{ComponentError, EngineError};
use crate::grant::GrantError;
use crate::journal::JournalError;
use crate::kernel::NetnsError;
use crate::plugin::PluginError;
use crate::store::{InvalidDriverName, LayoutError, StoreError};

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
    #[error("can't write {}: {error}", path.display())]
    Write {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("the {command} would fail: {error}")]
    Planned {
        command: &'static str,
        error: String,
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

/// The exit code of a command that failed. Wrong arguments are 2, by clap.
const FAILED: i32 = 1;

impl CliError {
    /// The exit code.
    pub(super) fn exit_code(&self) -> i32 {
        FAILED
    }
}
