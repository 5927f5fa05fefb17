//! The network's state at the end of a run.

use journal::{self, Journal, State, StateError};

use super::{Rollback, UndoError};

impl Rollback {
    /// Writes the state that the setup changed. It becomes valid when the setup is
    /// complete.
    pub(crate) fn keep_state(&mut self) -> Result<(), StateError> {
        match (&mut self.state, &self.journal) {
            (Some(state), Some(journal)) if state.is_changed() => {
                state.write(Some(journal.container()))
            }
            _ => Ok(()),
        }
    }

    /// Replaces the old state by the one that a complete setup wrote.
    pub(crate) fn publish_state(&mut self) {
        let state = self.state.as_mut().filter(|state| state.is_changed());
        // If this fails, the next run does it.
        let _ = state.map(State::publish);
    }

    /// Writes the state that a teardown changed, if the network has other containers.
    pub(crate) fn commit_state(&mut self) -> Option<UndoError> {
        let committed = self.try_to_commit_state();
        committed.err().map(|error| UndoError::of_state(&error))
    }

    fn try_to_commit_state(&mut self) -> Result<(), StateError> {
        match (&mut self.state, &self.journal) {
            (Some(state), Some(journal))
                if state.is_changed() && journal::is_used_by_others(journal)? =>
            {
                state.write(None)?;
                state.publish()
            }
            _ => Ok(()),
        }
    }

    /// Takes back the state that this run wrote, or settles the state that a killed run
    /// wrote.
    pub(super) fn settle_state(&mut self) -> Result<(), StateError> {
        match (&mut self.state, &self.journal) {
            (Some(state), _) => state.withdraw(),
            (None, Some(journal)) => journal::settle(journal),
            (None, None) => Ok(()),
        }
    }

    /// Removes the state of a network that has no containers any more.
    pub fn clear_unused_state(&mut self) -> Option<UndoError> {
        let clear = |journal: &Journal| journal::clear_unused(journal).err();
        let error = self.journal.as_ref().and_then(clear)?;
        Some(UndoError::of_state(&error))
    }
}
