//! The end of a teardown: all that the journal holds is undone, whatever failed.

use std::fmt::Display;

use audit::AuditError;
use journal::{JournalError, NetworkLock};

use super::{Ran, SessionError, Teardown, in_words};
use crate::rollback::{Rollback, UndoError};

/// A teardown whose driver did its part, or couldn't.
#[must_use = "clear what is left"]
pub struct Clearing<E> {
    rollback: Rollback,
    outcome: Result<(), E>,
}

/// What came of a teardown.
pub struct Cleared {
    /// What undid the changes.
    pub rollback: Rollback,
    /// What couldn't be undone.
    pub left: Vec<UndoError>,
    /// Whether the end is on record.
    pub recorded: Result<(), AuditError>,
}

impl Ran<Teardown, ()> {
    /// Goes on to clear.
    pub fn clearing<E: From<SessionError> + Display>(self) -> Clearing<E> {
        let outcome = self.result.map_err(SessionError::from).map_err(E::from);
        Clearing::new(self.gate.into_rollback(), outcome)
    }
}

impl<E: Display> Clearing<E> {
    /// A teardown in which no driver did its part, or one that is over.
    pub fn new(rollback: Rollback, outcome: Result<(), E>) -> Self {
        Self { rollback, outcome }
    }

    /// Why the driver didn't do its part.
    pub fn failure(&self) -> Option<&E> {
        self.outcome.as_ref().err()
    }

    /// Undoes what the journal holds and, with the network's lock, what killed runs
    /// left of its other containers. What the driver keeps counts if nothing failed.
    ///
    /// # Errors
    ///
    /// Nobody can tell what killed runs left.
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
