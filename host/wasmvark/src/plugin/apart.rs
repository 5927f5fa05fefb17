//! Work in a process of its own, whose result comes back. A driver that is tried there can
//! do nothing to this process, and this one isn't confined for it.

use std::time::Instant;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::waitpid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::child::{self, ChildError, ConnectionError};

/// The signals of faults, which a thread has by itself.
const OF_FAULTS: [Signal; 5] = [
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGSYS,
];

/// Why there is no result of work in another process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApartError {
    /// The process can't be started.
    #[error("can't start a process for the run: {0}")]
    Start(#[from] ChildError),
    /// The process hasn't sent the result.
    #[error("the run has no result: {0}")]
    Lost(String),
}

/// Does some work in a process of its own, and returns its result.
///
/// # Errors
///
/// This process has more than one thread, the other one ended before it had a result, or
/// the deadline passed.
pub(crate) fn apart<T: Serialize + DeserializeOwned>(
    deadline: Instant,
    work: impl FnOnce() -> T,
) -> Result<T, ApartError> {
    let (mut connection, process) = child::start(|mut connection| {
        // A trap of a driver is one of these. Blocked, it would end the process.
        let _ = SigSet::from_iter(OF_FAULTS).thread_unblock();
        // Without a result, the other end sees that the connection closed.
        let _ = connection.send(&work(), Some(deadline));
    })?;
    let result = connection.receive(Some(deadline));
    let _ = kill(process, Signal::SIGKILL);
    let _ = waitpid(process, None);
    result.map_err(|error: ConnectionError| ApartError::Lost(error.to_string()))
}
