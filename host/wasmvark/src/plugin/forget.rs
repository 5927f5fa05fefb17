//! Giving up links that were moved into a container and can't be found.

use engine::session::SessionError;
use journal::{Here, Journal};
use kernel::Netns;
use types::Key;

use super::gc::rollback;
use super::{PluginError, lock};
use crate::store::Store;

/// The result for a container on a network.
#[derive(Debug)]
pub(crate) struct Forgotten {
    /// The container and the network.
    pub key: Key,
    /// The changes that were undone, because their link was found after all.
    pub given_back: Vec<String>,
    /// The changes that were given up.
    pub given_up: Vec<String>,
}

/// Gives up the missing links of containers, each under its network's lock. The other
/// changes stay.
pub(crate) fn forget(store: &Store, keys: Vec<Key>) -> Result<Vec<Forgotten>, PluginError> {
    let mut forgotten = Vec::new();
    for key in keys {
        forgotten.extend(forget_one(store, key)?);
    }
    Ok(forgotten)
}

fn forget_one(store: &Store, key: Key) -> Result<Option<Forgotten>, PluginError> {
    let layout = store.layout();
    let _lock = lock::take(layout, &key, "journal forget")?;
    let here = Here {
        host: Netns::current()?.id(),
        container: None,
    };
    let journal = Journal::open(&layout.journals(), &key, here)?;
    if !journal.has_missing() {
        return Ok(None);
    }
    let entries = journal.entries().iter();
    let missing = entries.filter(|entry| entry.missing.is_some());
    let mut given_back: Vec<String> = missing.map(|entry| entry.change.to_string()).collect();
    let mut rollback = rollback(store, &key, journal, "forget")?;
    let given_up = rollback.forget_missing();
    let failure = given_up.as_ref().err().map(ToString::to_string);
    rollback.end(failure.as_deref())?;
    let given_up = given_up?;
    if let Some(left) = rollback.clear_unused_state() {
        return Err(SessionError::Undo(vec![left]).into());
    }
    given_back.retain(|what| !given_up.contains(what));
    Ok(Some(Forgotten {
        key,
        given_back,
        given_up,
    }))
}
