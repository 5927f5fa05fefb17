//! The rollback after a panic of the host's own code.
//!
//! The run's memory may be inconsistent then, so none of it is used again. The journal
//! has every change that was begun, and a separate rollback undoes them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use audit::{Required, Subject, Trail};
use engine::rollback::Rollback;
use journal::{Here, Journal};
use kernel::{Netlink, Netns};
use types::Key;

use super::{PluginError, local_services, panic_text, tell};
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
    pub(super) here: Here,
    /// The path of the container's namespace, if it exists.
    pub(super) netns: Option<&'a Path>,
}

impl Remains<'_> {
    /// Opens a rollback of the journal's changes.
    pub(super) fn rollback(&self, subject: Subject) -> Result<Rollback, PluginError> {
        let host = Netns::current()?;
        let container = self
            .netns
            .map(|netns| Netns::container(netns, &host))
            .transpose()?
            // Another namespace may be at the path by now.
            .filter(|netns| Some(netns.id()) == self.here.container);
        let here = Here {
            container: container.as_ref().map(Netns::id),
            ..self.here
        };
        let journals = self.store.layout().journals();
        let journal = Journal::open(&journals, self.key, here)?;
        let place = self.store.trail();
        let trail = Trail::resume(&place, Required::Yes, subject);
        let kernel = Netlink::open(host, container)?;
        let services = local_services::open(self.store.layout());
        Ok(Rollback::new(Box::new(kernel), services, journal, trail))
    }

    /// Undoes the journal's changes after an error, and reports those that can't be
    /// undone.
    pub(super) fn undo(&self, subject: Subject, error: &PluginError) {
        let undone = contain(|| {
            let mut rollback = self.rollback(subject)?;
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
