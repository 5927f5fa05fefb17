//! What killed setups left.

use journal::{Journal, JournalError, NetworkLock};

use super::{Rollback, UndoError};

impl Rollback {
    /// Whether a killed setup left this journal.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_abandoned)
    }

    /// Whether killed setups of the network's other containers left something.
    pub(crate) fn has_abandoned_others(&self) -> Result<bool, JournalError> {
        Ok(!self.abandoned_others()?.is_empty())
    }

    /// Undoes what killed setups of other containers left of this network on the
    /// host. Whoever has the network's lock knows that none of them runs.
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

    /// What a setup left in its container is out of reach here, and goes with that
    /// container's teardown.
    fn undo_abandoned(&mut self, other: Journal) -> Vec<UndoError> {
        let own = self.journal.replace(other);
        let errors = self.undo_entries(|entry| entry.change.is_on_host());
        self.journal = own;
        errors
    }
}
