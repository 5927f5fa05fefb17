//! The rollback after a panic of the host's own code.
//!
//! The run's memory may be inconsistent then, so none of it is used again, but for what
//! only an unconfined run could open: the namespaces, the trail and the keeper. The journal
//! has every change that was begun, and a separate rollback undoes them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audit::Trail;
use engine::rollback::Rollback;
use journal::{Here, Journal};
use kernel::{Netlink, Netns};
use types::Key;

use super::keeper::Keeper;
use super::{PluginError, panic_text, tell};
use crate::store::Store;

/// Calls a function of the host, and turns a panic into an error.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, PluginError> {
    // No caller uses state again that the work may have left inconsistent.
    let work = AssertUnwindSafe(work);
    catch_unwind(work).map_err(|panic| PluginError::Internal(panic_text(panic.as_ref())))
}

/// The container and the namespaces of a run, for a rollback after a panic.
pub(super) struct Remains<'a> {
    pub(super) store: &'a Store,
    pub(super) key: &'a Key,
    pub(super) host: Netns,
    pub(super) container: Option<Netns>,
    pub(super) keeper: &'a Keeper,
}

impl Remains<'_> {
    /// Opens a rollback of the journal's changes.
    pub(super) fn rollback(&self, trail: Trail) -> Result<Rollback, PluginError> {
        let here = Here {
            host: self.host.id(),
            container: self.container.as_ref().map(Netns::id),
        };
        let journals = self.store.layout().journals();
        let journal = Journal::open(&journals, self.key, here)?;
        let kernel = Netlink::open(self.host.clone(), self.container.clone())?;
        let services = self.keeper.services();
        Ok(Rollback::new(Box::new(kernel), services, journal, trail))
    }

    /// Undoes the journal's changes after an error, and reports those that can't be
    /// undone.
    pub(super) fn undo(&self, trail: Trail, error: &PluginError) {
        let undone = contain(|| {
            let mut rollback = self.rollback(trail)?;
            rollback.roll_back(&error.to_string(), tell);
            Ok(())
        });
        if let Err(error) = undone.and_then(|undone: Result<(), PluginError>| undone) {
            tell(&format!(
                "what the run did is left, and goes with the next teardown: {error}"
            ));
        }
    }
}
