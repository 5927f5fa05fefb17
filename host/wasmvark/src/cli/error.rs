//! The errors of commands, and their exit codes.

use std::path::{Path, PathBuf};

use audit::AuditError;
use engine::driver::ComponentError;
use journal::JournalError;
use kernel::NetnsError;
use policy::{Call, GrantError, PatternError, UnfitReach};
use request::RequestError;
use types::Digest;

use super::component::EncodeError;
use super::new::UnfitName;
use super::record::RequestFault;
use super::test::CaseError;
use super::wit::UnknownInterface;

use crate::compile::CompileError;
use crate::plugin::{PluginError, ThrowawayError};
use crate::podman::networks::ReadError;
use crate::store::{DriverName, InvalidDriverName, LayoutError, NetworksError, StoreError};

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the room that it names"
)]
pub(crate) enum CliError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Component(#[from] ComponentError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Name(#[from] InvalidDriverName),
    #[error("can't read {}: {error}", path.display())]
    Read {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(transparent)]
    Interface(#[from] UnknownInterface),
    #[error(transparent)]
    UnfitName(#[from] UnfitName),
    #[error("can't make a component of {}: {error}", path.display())]
    Encode { path: PathBuf, error: EncodeError },
    #[error("internal error: can't generate bindings: {0:#}; please report it")]
    Bindings(anyhow::Error),
    #[error(transparent)]
    PodmanNetworks(#[from] ReadError),
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
    #[error("{}: {error}", file.display())]
    Case {
        file: PathBuf,
        error: Box<CaseError>,
    },
    #[error("the request {} can't be recorded: {error}", path.display())]
    Unrecorded { path: PathBuf, error: RequestFault },
    #[error(transparent)]
    Throwaway(#[from] ThrowawayError),
    #[error("the {0} failed")]
    TryFailed(&'static str),
    #[error("something is left after the teardown, which the host should have undone: report it")]
    TryLeft,
    #[error("{failed} of {all} cases failed")]
    Cases { failed: usize, all: usize },
    #[error(
        "{}: there is no case here: give a file with the ending .toml, or a folder with such files",
        .0.display()
    )]
    NoCases(PathBuf),
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
    #[error(
        "can't tell whether the network namespace of {} is still in use, as not all processes can \
         be read, so what is held for it stays: run this as root, with CAP_SYS_PTRACE",
        .0.join(", of ")
    )]
    Unseen(Vec<String>),
    #[error("not all is cleared that was held for container {container}: {reason}")]
    Left { container: String, reason: String },
    #[error(
        "no link of container {0} is missing, so nothing is given up: `wasmvark journal` shows what \
         is held"
    )]
    NothingMissing(String),
    #[error("{0} is how several containers begin: give more of the one that is meant")]
    SeveralContainers(String),
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
    #[error(
        "the trail {} has no run of {driver} with the component that is installed: let it do what it \
         should be able to, then ask again",
        trail.display()
    )]
    NothingSeen { driver: DriverName, trail: PathBuf },
    #[error(
        "internal error: the grant for {0} doesn't read back as it was meant; please report it"
    )]
    Unreadable(DriverName),
    #[error(
        "nothing is changed, because nothing is granted: give --grant FILE, or --grant-requested \
         for what is listed"
    )]
    NotGranted,
    #[error(
        "the component has no manifest, so it asks for nothing: --grant-imports grants the \
         {imports} calls that it imports, and a grant that you write can say less"
    )]
    NothingRequested { imports: usize },
    #[error(
        "the grant {} doesn't say which component it is for: read what the component asks for with \
         `wasmvark inspect`, then write digest = \"{digest}\" before the grant's tables",
        path.display()
    )]
    Unpinned { path: PathBuf, digest: Digest },
    #[error("the manifest {} can't be used: {error}", path.display())]
    Manifest { path: PathBuf, error: String },
    #[error("not agreed, so nothing is changed")]
    NotAgreed,
    #[error(
        "{0} is this component already, and keeps its grant: `wasmvark grant` and `wasmvark \
         revoke` change that, and `wasmvark install` with a grant replaces it"
    )]
    SameComponent(DriverName),
    #[error("nothing is kept that {0} was before")]
    NothingBefore(DriverName),
    #[error(transparent)]
    Reach(#[from] UnfitReach),
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error("{name} can't make {call}, as its component doesn't import it: nothing is granted")]
    NotImported { name: DriverName, call: Call },
    #[error("the grant {} doesn't list {call}, so there is nothing to take away", path.display())]
    NotListed { call: Call, path: PathBuf },
    #[error("can't change {call} in the grant {} as it is written: change it by hand", path.display())]
    NotEdited { call: Call, path: PathBuf },
    #[error("there is more than before")]
    Grows,
    #[error("{count} of the findings are of the level {level} or worse")]
    Found { count: usize, level: &'static str },
    #[error(transparent)]
    Request(RequestError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Networks(#[from] NetworksError),
    #[error("can't tell where Podman's networks are: give --networks-dir")]
    NoNetworksDir,
    #[error("{} has no network {name}: `podman network ls` shows which there are", folder.display())]
    NoNetwork { name: String, folder: PathBuf },
    #[error("the network {name} is one of the driver {driver}, which isn't installed here")]
    OthersNetwork { name: String, driver: String },
    #[error("can't print: {0}")]
    Print(std::io::Error),
    #[error("{}", match .0 { 1 => "1 problem was found".to_owned(), n => format!("{n} problems were found") })]
    Problems(usize),
    #[error(transparent)]
    Undecided(Box<CliError>),
}

/// The exit code of a command that failed.
const FAILED: i32 = 1;
/// The exit code of a check that found something.
const FOUND: i32 = 1;
/// The exit code of a check that couldn't be made.
const UNDECIDED: i32 = 2;
/// The exit code of a command that refuses because nobody has granted anything.
const REFUSED: i32 = 3;

impl CliError {
    /// Returns the error of a case that can't be run.
    pub(super) fn of_case(file: &Path, error: CaseError) -> Self {
        Self::Case {
            file: file.to_owned(),
            error: Box::new(error),
        }
    }

    /// Returns the exit code.
    pub(super) fn exit_code(&self) -> i32 {
        match self {
            Self::Problems(_) | Self::Grows | Self::Found { .. } => FOUND,
            Self::Undecided(_) => UNDECIDED,
            Self::NotGranted | Self::NotAgreed => REFUSED,
            _ => FAILED,
        }
    }

    /// Turns the error into that of a check that couldn't be made.
    pub(super) fn undecided(self) -> Self {
        match self {
            // A reader that closes the pipe has seen enough.
            Self::Print(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Self::Print(error)
            }
            error => Self::Undecided(Box::new(error)),
        }
    }
}
