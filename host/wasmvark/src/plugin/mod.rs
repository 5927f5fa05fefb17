//! A plugin run, called by netavark or Podman, or planned by `wasmvark plan`. It leads
//! the request through the other crates and writes the answer. Every failure becomes
//! the error document that the callers understand.

mod apart;
mod bridges;
mod child;
mod confinement;
mod create;
mod dead_owners;
mod differences;
mod forget;
mod gc;
mod keeper;
mod load;
mod local_services;
mod lock;
mod lookout;
mod names;
mod netavark;
mod output;
mod plan;
mod reload;
mod remains;
mod restore;
mod said;
mod seen;
mod setup;
mod subnets;
mod teardown;
mod throwaway;
mod watch_firewalld;

pub(crate) use apart::{ApartError, apart};
pub(crate) use confinement::{Kind as RunKind, Rights, RightsLeft};
pub(crate) use forget::forget;
pub(crate) use gc::{collect, life};
pub(crate) use lookout::give_up_but_look_out;
pub(crate) use plan::{Candidate, Machine, Planned};
pub(crate) use reload::{Reloaded, reload, trusted_sources};
pub(crate) use seen::{Seen, SeenNamespace, see};
pub(crate) use throwaway::{Throwaway, ThrowawayError};
pub(crate) use watch_firewalld::watch_firewalld;

use std::ffi::OsString;
use std::io::Write;

use audit::AuditError;
use engine::driver::{ComponentError, EngineError, RunError};
use engine::gate::ReturnedError;
use engine::rollback::ForgetError;
use engine::session::SessionError;
use journal::{JournalError, LockError, StateError};
use kernel::{KernelError, NetnsError};
use policy::GrantError;
use request::RequestError;
use request::protocol::{Command, Info, OverlayError, ProtocolError, read_stdin};

use crate::compile::CompileError;
use crate::store::{InvalidDriverName, LayoutError, NetworksError, StoreError};
use child::ChildError;

/// The reason why a run failed. The text reaches the user's terminal.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the room that it names"
)]
pub(crate) enum PluginError {
    #[error(transparent)]
    Firewalld(#[from] services::firewalld::FirewalldError),
    #[error("there is no system bus, on which firewalld could be watched: start D-Bus first")]
    NoBus,
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Name(#[from] InvalidDriverName),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Component(#[from] ComponentError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Netns(#[from] NetnsError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("can't tell which network namespaces are alive: {0}")]
    Living(std::io::Error),
    #[error("can't start the process that looks which network namespaces are alive: {0}")]
    Lookout(ChildError),
    #[error("can't keep the compiled code in memory: {0}; free some first")]
    Memory(std::io::Error),
    #[error("can't keep signals from ending the run halfway: {0}")]
    Signals(nix::errno::Errno),
    #[error(transparent)]
    Forget(#[from] ForgetError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    #[error(transparent)]
    Returned(#[from] ReturnedError),
    #[error(transparent)]
    Networks(#[from] NetworksError),
    #[error(transparent)]
    Keeper(#[from] keeper::KeeperError),
    #[error(
        "no name is free for the network's bridge: name one with --interface-name or -o parent"
    )]
    NoFreeName,
    #[error("can't read back what the driver made: {0}")]
    Report(KernelError),
    #[error("the driver returned {text:?} as a {what}, which it isn't")]
    Answer { what: &'static str, text: String },
    #[error("can't read how the machine's network is: {0}")]
    Reading(KernelError),
    #[error(
        "the answer would have {bytes} bytes with what the driver did, and at most {max} are \
         allowed"
    )]
    TooLong { bytes: usize, max: usize },
    #[error(
        "the answer has {bytes} bytes, and the pipe to the caller can't be made large enough for it"
    )]
    NoRoom { bytes: usize },
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

/// Runs the plugin under a driver's name, and returns the exit code.
pub(crate) fn main(driver: &str, arguments: impl Iterator<Item = OsString>) -> i32 {
    // Even a panic must end in an error document, because the caller shows nothing
    // else.
    std::panic::set_hook(Box::new(|_| {}));
    trust::check_folders_once();
    let result = remains::contain(|| run(driver, arguments));
    output::write(result.and_then(|result| result))
}

fn run(driver: &str, arguments: impl Iterator<Item = OsString>) -> Result<String, PluginError> {
    let command = Command::parse(arguments);
    if matches!(command, Ok(Command::Info)) {
        return info(driver);
    }
    // Standard input is read even if the arguments are wrong, because the caller may
    // fail if nobody reads it.
    let input = read_stdin(std::io::stdin().lock());
    let (command, input) = (command?, input?);
    match &command {
        Command::Create => create::run(driver, &input),
        Command::Setup { netns } => setup::run(driver, netns, &input),
        Command::Teardown { netns } => teardown::run(driver, netns, &input),
        Command::Info => info(driver),
    }
}

/// Prints a message for the operator on standard error. If nobody reads it, the run
/// goes on.
fn tell(message: &str) {
    let _ = writeln!(std::io::stderr(), "wasmvark: {message}");
}

/// Skips the destructor. The process ends right after, and the kernel then frees
/// everything at once.
fn leave<T>(used: T) {
    std::mem::forget(used);
}

fn info(driver: &str) -> Result<String, PluginError> {
    serde_json::to_string(&Info::new(driver.to_owned()))
        .map_err(|error| PluginError::Internal(error.to_string()))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic")
        .to_owned()
}
