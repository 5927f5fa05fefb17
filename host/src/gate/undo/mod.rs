//! Undoing what the journal holds, the newest change first.

mod change;
mod dress;
mod moved;
mod names;

use std::time::{Duration, Instant};

use super::Gate;
use crate::journal::{Change, Entry, Journal, StateError};
use crate::kernel::{NetnsId, living_netns};
use crate::net::Namespace;
use change::undo_change;

/// How long undoing may take, whatever the driver used up.
const UNDO_TIME: Duration = Duration::from_secs(10);

/// What couldn't be undone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what} could not be undone: {reason}")]
pub struct UndoError {
    what: String,
    reason: String,
}

impl UndoError {
    /// What a driver kept couldn't be dealt with.
    pub(super) fn of_state(error: &StateError) -> Self {
        Self {
            what: "what the run did to the network's state".to_owned(),
            reason: error.to_string(),
        }
    }
}

impl Gate {
    /// Undoes every change in the journal, and goes on after a failure. What
    /// fails stays in the journal.
    pub fn undo(&mut self) -> Vec<UndoError> {
        let Some(journal) = &mut self.journal else {
            return Vec::new();
        };
        // Undoing goes on where that can't be written.
        let _ = journal.leave();
        // First, because the journals tell what counts.
        let settled = self.settle_state().err();
        let mut errors: Vec<UndoError> = settled.iter().map(UndoError::of_state).collect();
        errors.extend(self.undo_entries(|_| true));
        // A run that was killed while it wrote its first line left one.
        if let Err(error) = self.discard_empty() {
            errors.push(UndoError {
                what: "an empty journal".to_owned(),
                reason: error.to_string(),
            });
        }
        errors.extend(self.clear_unused_state());
        errors
    }

    /// Undoes what a killed setup of another container left on the host. What
    /// it left in its container is out of reach here, and goes with that
    /// container's teardown.
    pub fn undo_abandoned(&mut self, other: Journal) -> Vec<UndoError> {
        let own = self.journal.replace(other);
        let errors = self.undo_entries(|entry| entry.change.is_on_host());
        self.journal = own;
        errors
    }

    fn undo_entries(&mut self, is_meant: impl Fn(&Entry) -> bool) -> Vec<UndoError> {
        let kernel = self.guard.for_host();
        kernel.set_deadline(Instant::now() + UNDO_TIME);
        // Before, because undoing goes by names.
        if let Err(error) = self.settle_names() {
            return vec![error];
        }
        let journal = self.journal.iter();
        let entries = journal.flat_map(|journal| journal.entries().to_vec());
        let entries: Vec<Entry> = entries.filter(is_meant).collect();
        let mut errors = Vec::new();
        let mut stuck: Vec<&Change> = Vec::new();
        for entry in entries.iter().rev() {
            if stuck.iter().any(|newer| entry.change.is_below(newer)) {
                // What is below this one waits too.
                stuck.push(&entry.change);
                continue;
            }
            if let Err(reason) = self.undo_one(entry) {
                stuck.push(&entry.change);
                let what = entry.change.to_string();
                errors.push(UndoError { what, reason });
            }
        }
        errors
    }

    fn undo_one(&mut self, entry: &Entry) -> Result<(), String> {
        let undone = self.undo_unless_shared(entry);
        let reason = undone.as_ref().err().map(String::as_str);
        let what = entry.change.to_string();
        // Undoing goes on where the trail can't be written: leaving things
        // behind would be worse.
        let recorded = self.trail.undo(&what, reason);
        undone?;
        if recorded.is_err() {
            self.unrecorded.push(what);
        }
        if let Some(journal) = &mut self.journal {
            journal
                .void(entry.number)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Undoes a change, unless other containers of the network have its object
    /// too.
    fn undo_unless_shared(&mut self, entry: &Entry) -> Result<(), String> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        if journal
            .is_shared(entry)
            .map_err(|error| error.to_string())?
        {
            return Ok(());
        }
        let here = journal.here();
        let same = Same {
            host: entry.host == here.host,
            container: entry.netns.is_some() && entry.netns == here.container,
        };
        if !same.host && entry.change.touches_host() && lives(entry.host)? {
            return Err(
                "it was made from another network namespace of the host, which is still in use; \
                 run this from there"
                    .to_owned(),
            );
        }
        let used = journal
            .uses_table_of(entry)
            .map_err(|error| error.to_string())?;
        undo_change(self.guard.for_host(), entry, same, !used).map_err(|error| error.to_string())
    }
}

/// Which namespaces of a run are those in which a change was made. With
/// another one, what was in the old one is gone with it.
#[derive(Debug, Clone, Copy)]
struct Same {
    host: bool,
    container: bool,
}

impl Same {
    fn has(self, namespace: Namespace) -> bool {
        match namespace {
            Namespace::Host => self.host,
            Namespace::Container => self.container,
        }
    }
}

fn lives(netns: NetnsId) -> Result<bool, String> {
    let living = living_netns()
        .map_err(|error| format!("can't tell which network namespaces are alive: {error}"))?;
    Ok(living.may_have(netns))
}
