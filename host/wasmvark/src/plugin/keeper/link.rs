//! The run's end of the connection to its keeper.

use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use services::{Relayed, RelayedCause};

use super::task::{Answer, Order, Reply, Task};
use crate::plugin::child::{Connection, ConnectionError};

/// The time that a keeper has for its answer after the deadline of a task, whose services
/// end their work at that.
const REST: Duration = Duration::from_secs(5);

/// The run's end of the connection to its keeper. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Link(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// `None` after it broke. Another answer could be one to an earlier task.
    connection: Option<Connection>,
    process: Option<Pid>,
}

impl Link {
    /// Makes the run's end of a connection. `process` is waited for.
    pub(super) fn new(connection: Connection, process: Option<Pid>) -> Self {
        let connection = Some(connection);
        Self(Arc::new(Mutex::new(State {
            connection,
            process,
        })))
    }

    /// Returns the keeper's process.
    #[cfg(test)]
    pub(super) fn process(&self) -> Option<Pid> {
        self.0.lock().ok()?.process
    }

    /// Has the keeper do a task, and returns its answer.
    ///
    /// # Errors
    ///
    /// The task fails or is refused, or the keeper has ended or doesn't answer in time.
    pub(super) fn ask(&self, task: Task, deadline: Instant) -> Reply {
        self.exchange(task, deadline).map(|(answer, _)| answer)
    }

    /// Has the keeper open a file, and returns it.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub(super) fn have_opened(&self, task: Task, deadline: Instant) -> Result<File, Relayed> {
        let (_, file) = self.exchange(task, deadline)?;
        file.ok_or_else(unexpected)
    }

    fn exchange(&self, task: Task, deadline: Instant) -> Result<(Answer, Option<File>), Relayed> {
        let Ok(mut state) = self.0.lock() else {
            return Err(ended());
        };
        let Some(mut connection) = state.connection.take() else {
            return Err(ended());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let order = Order {
            left_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            task,
        };
        let until = (Instant::now() + left).checked_add(REST);
        match connection.send(&order, until) {
            // Nothing was sent.
            Err(error @ (ConnectionError::TooLarge(_) | ConnectionError::Malformed(_))) => {
                state.connection = Some(connection);
                return Err(Relayed::new(
                    format!("can't {}: {error}", order.task),
                    RelayedCause::Refused,
                ));
            }
            Err(_) => return Err(ended()),
            Ok(()) => {}
        }
        let reply = connection.receive::<Reply>(until).map_err(|_| ended())?;
        let file = match &reply {
            Ok(Answer::Opened) => Some(connection.receive_file(until).map_err(|_| ended())?),
            _ => None,
        };
        state.connection = Some(connection);
        Ok((reply?, file))
    }

    /// Has the keeper do a task that has no result.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub(super) fn have_done(&self, task: Task, deadline: Instant) -> Result<(), Relayed> {
        match self.ask(task, deadline)? {
            Answer::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }
}

impl Drop for State {
    /// Closes the connection, at which the keeper ends. In a run it ends with the run.
    fn drop(&mut self) {
        self.connection = None;
        if let Some(process) = self.process {
            let _ = waitpid(process, Some(WaitPidFlag::WNOHANG));
        }
    }
}

/// Returns the error of a keeper that has ended or doesn't answer. It may have done a
/// part of the task.
fn ended() -> Relayed {
    Relayed::new(
        "the process that speaks to aardvark-dns, the DHCP proxy and firewalld has ended: try again"
            .to_owned(),
        RelayedCause::Other,
    )
}

/// Returns the error of an answer to another task.
pub(super) fn unexpected() -> Relayed {
    Relayed::new(
        "internal error: the answer is one to another task; please report it".to_owned(),
        RelayedCause::Other,
    )
}
