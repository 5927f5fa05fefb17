//! Missing links: links that were moved into a container and couldn't be found for
//! their return.

use audit::AuditError;
use journal::{Entry, Journal, JournalError};

use super::{Rollback, UndoError};

/// The reason why missing links can't be given up.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the crate that it names"
)]
pub enum ForgetError {
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Rollback {
    /// Returns missing links to the host if they can be found by now, and gives up the
    /// others with all other changes of them. Returns the changes that were given up.
    pub fn forget_missing(&mut self) -> Result<Vec<String>, ForgetError> {
        // A change that fails stays in the journal.
        let _ = self.undo_missing();
        let mut words = Vec::new();
        for entry in self.about_missing() {
            let what = entry.change.to_string();
            self.trail.forget(&what)?;
            if let Some(journal) = &mut self.journal {
                journal.void(entry.number)?;
            }
            words.push(what);
        }
        Ok(words)
    }

    /// Returns missing links to the host if they can be found by now, and undoes all
    /// other changes of them.
    pub fn undo_missing(&mut self) -> Vec<UndoError> {
        let numbers = self.about_missing().into_iter().map(|entry| entry.number);
        let numbers: Vec<u32> = numbers.collect();
        self.undo_entries(|entry| numbers.contains(&entry.number))
    }

    /// Returns the changes whose links are missing, the newest first.
    fn about_missing(&self) -> Vec<Entry> {
        let entries = self.journal.iter().flat_map(Journal::entries);
        let mut missing: Vec<Entry> = Vec::new();
        for entry in entries.rev() {
            let mut newer = missing.iter();
            if entry.missing.is_some() || newer.any(|newer| entry.change.is_below(&newer.change)) {
                missing.push(entry.clone());
            }
        }
        missing
    }
}
