//! The undo of the changes of containers that are gone without a teardown.

use audit::{Required, Subject, Trail};
use engine::rollback::{Rollback, UndoError};
use journal::{self, Here, Journal, NetworkLock};
use kernel::{Life, Living, Netlink, Netns, NetnsId, living_netns};
use types::{Key, NetworkId};

use super::{PluginError, local_services, lock, remains};
use crate::store::{Store, kept_settings};

/// The results for all journals.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Cleared, because the container's namespace is gone.
    pub cleared: Vec<Key>,
    /// Not cleared, but the missing links are back on the host.
    pub found: Vec<Key>,
    /// Left alone, because the container's namespace is alive.
    pub alive: Vec<Key>,
    /// Left alone, because the container's namespace may be alive.
    pub unknown: Vec<Key>,
    /// Failed, with the reason.
    pub failed: Vec<(Key, String)>,
}

/// Undoes the changes of containers whose namespace is gone, each under its network's
/// lock.
pub(crate) fn collect(store: &Store) -> Result<Collected, PluginError> {
    store.check_runtime()?;
    let mut collected = Collected::default();
    let host = Netns::current()?;
    for key in journal::all(&store.layout().journals()) {
        let lock = lock::take(store.layout(), &key, "gc")?;
        // Read under the lock, because a setup may just have recorded its namespace.
        let living = living_netns().map_err(PluginError::Living)?;
        let here = Here {
            host: host.id(),
            container: None,
        };
        let journal = Journal::open(&store.layout().journals(), &key, here)?;
        let life = life(&journal, &living);
        match life {
            // The missing link may be on the host by now.
            Life::Alive | Life::Unknown if journal.has_missing() => {}
            Life::Gone => {}
            Life::Alive => {
                collected.alive.push(key);
                continue;
            }
            Life::Unknown => {
                collected.unknown.push(key);
                continue;
            }
        }
        let cleared = remains::contain(|| match life {
            Life::Gone => clear(store, &key, journal),
            Life::Alive | Life::Unknown => look_again(store, &key, journal),
        });
        let left = match cleared {
            Ok(left) => left?,
            Err(error) => vec![error.to_string()],
        };
        drop(lock);
        match left.is_empty() {
            true if life == Life::Gone => collected.cleared.push(key),
            true => collected.found.push(key),
            false => collected.failed.push((key, left.join("; "))),
        }
    }
    for network in journal::networks(&store.layout().journals()) {
        clear_state(store, &network, &host)?;
    }
    kept_settings::prune(store.layout())?;
    Ok(collected)
}

/// Removes the state of a network that has no containers any more. The last teardown
/// may have been killed before this step.
fn clear_state(store: &Store, network: &NetworkId, host: &Netns) -> Result<(), PluginError> {
    let layout = store.layout();
    let _lock = NetworkLock::take(&layout.locks(), network, "gc")?;
    let here = Here {
        host: host.id(),
        container: None,
    };
    journal::clear_unused_of(&layout.journals(), network, here)?;
    Ok(())
}

/// Whether any namespace in a journal is alive, according to `lives`.
pub(super) fn is_alive(journal: &Journal, lives: impl Fn(NetnsId) -> bool) -> bool {
    let mut entries = journal.entries().iter();
    entries.any(|entry| entry.netns.is_some_and(&lives))
}

/// Returns whether any namespace in a journal is alive, as far as that can be seen.
pub(crate) fn life(journal: &Journal, living: &Living) -> Life {
    if is_alive(journal, |netns| living.life(netns) == Life::Alive) {
        return Life::Alive;
    }
    match is_alive(journal, |netns| living.may_have(netns)) {
        true => Life::Unknown,
        false => Life::Gone,
    }
}

pub(super) fn clear(
    store: &Store,
    key: &Key,
    journal: Journal,
) -> Result<Vec<String>, PluginError> {
    let mut rollback = rollback(store, key, journal, "gc")?;
    let left = rollback.undo();
    end(rollback, &left)
}

/// Looks for missing links once more, and undoes their changes but no others.
fn look_again(store: &Store, key: &Key, journal: Journal) -> Result<Vec<String>, PluginError> {
    let mut rollback = rollback(store, key, journal, "gc")?;
    let left = rollback.undo_missing();
    end(rollback, &left)
}

fn end(mut rollback: Rollback, left: &[UndoError]) -> Result<Vec<String>, PluginError> {
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    let failure = (!left.is_empty()).then(|| left.join("; "));
    rollback.end(failure.as_deref())?;
    Ok(left)
}

/// Opens a rollback on the host, without the container's namespace.
pub(super) fn rollback(
    store: &Store,
    key: &Key,
    journal: Journal,
    command: &'static str,
) -> Result<Rollback, PluginError> {
    let subject = Subject {
        command,
        driver: String::new(),
        digest: String::new(),
        network: key.network.to_string(),
        container: Some(key.container.to_string()),
    };
    let trail = Trail::open(&store.trail(), Required::Yes, subject)?;
    let kernel = Netlink::open(Netns::current()?, None)?;
    Ok(Rollback::new(
        Box::new(kernel),
        local_services::open(store.layout()),
        journal,
        trail,
    ))
}
