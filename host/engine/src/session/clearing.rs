//! The end of a teardown. All changes in the journal are undone, even after a failure.

use std::fmt::Display;

use audit::AuditError;
use journal::{JournalError, NetworkLock};

use super::{Ran, SessionError, Teardown, in_words};
use crate::rollback::{Rollback, UndoError};

/// A teardown whose driver has returned or failed.
#[must_use = "clear what is left"]
pub struct Clearing<E> {
    rollback: Rollback,
    outcome: Result<(), E>,
}

/// The result of a teardown.
pub struct Cleared {
    /// The rollback of the run.
    pub rollback: Rollback,
    /// The changes that couldn't be undone.
    pub left: Vec<UndoError>,
    /// Whether the end is recorded.
    pub recorded: Result<(), AuditError>,
}

impl Ran<Teardown, ()> {
    /// Continues with the undo of the container's changes.
    pub fn clearing<E: From<SessionError> + Display>(self) -> Clearing<E> {
        let outcome = self.result.map_err(SessionError::from).map_err(E::from);
        Clearing::new(self.gate.into_rollback(), outcome)
    }
}

impl<E: Display> Clearing<E> {
    /// Makes the end of a teardown without a driver, or of one whose driver has ended.
    pub fn new(rollback: Rollback, outcome: Result<(), E>) -> Self {
        Self { rollback, outcome }
    }

    /// Returns the error of the driver's part.
    pub fn failure(&self) -> Option<&E> {
        self.outcome.as_ref().err()
    }

    /// Undoes the changes in the journal. With the network's lock, it also undoes those
    /// that killed runs of the network's other containers left. The network's state
    /// becomes valid if nothing has failed.
    ///
    /// # Errors
    ///
    /// The journals of killed runs can't be read.
    pub fn clear(mut self, lock: Option<&NetworkLock>) -> Result<Cleared, JournalError> {
        let mut left = self.rollback.undo();
        if let Some(lock) = lock {
            left.extend(self.rollback.recover_others(lock)?);
        }
        if left.is_empty() && self.outcome.is_ok() {
            left.extend(self.rollback.commit_state());
        }
        let failure = match (left.is_empty(), &self.outcome) {
            (true, Ok(())) => None,
            (true, Err(error)) => Some(error.to_string()),
            (false, _) => Some(in_words(&left)),
        };
        let recorded = self.rollback.end(failure.as_deref());
        Ok(Cleared {
            rollback: self.rollback,
            left,
            recorded,
        })
    }
}
