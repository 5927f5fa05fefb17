//! The leftovers of killed setups.

use journal::{Journal, JournalError, NetworkLock};

use super::{Rollback, UndoError};

impl Rollback {
    /// Whether a killed setup left this journal.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_abandoned)
    }

    /// Whether killed setups of the network's other containers left journals.
    pub(crate) fn has_abandoned_others(&self) -> Result<bool, JournalError> {
        Ok(!self.abandoned_others()?.is_empty())
    }

    /// Undoes the changes on the host that killed setups of the network's other
    /// containers left. With the network's lock, none of these setups can be running.
    pub(crate) fn recover_others(
        &mut self,
        _lock: &NetworkLock,
    ) -> Result<Vec<UndoError>, JournalError> {
        let mut errors = Vec::new();
        for other in self.abandoned_others()? {
            errors.extend(self.undo_abandoned(other));
        }
        errors.extend(self.clear_unused_state());
        Ok(errors)
    }

    fn abandoned_others(&self) -> Result<Vec<Journal>, JournalError> {
        let journal = self.journal.as_ref();
        journal.map_or_else(|| Ok(Vec::new()), Journal::abandoned_others)
    }

    /// Undoes the changes on the host that a killed setup left. Its changes in its
    /// container can't be reached from here, and that container's teardown undoes them.
    fn undo_abandoned(&mut self, other: Journal) -> Vec<UndoError> {
        let own = self.journal.replace(other);
        let errors = self.undo_entries(|entry| entry.change.is_on_host());
        self.journal = own;
        errors
    }
}
