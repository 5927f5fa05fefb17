//! Restoring firewall rules around a run: those that somebody flushed, and the
//! published ports that a container's next network takes over.

use std::time::Instant;

use engine::gate::Firewall;
use journal::{Here, Journal};
use kernel::{FirewallEntry, FirewallRead, FirewallRule, Netlink, Netns, Timed};
use types::Key;

use super::dead_owners::LOOK_TIME;
use super::load::firewall;
use super::reload::{Reload, entries_elsewhere};
use super::{PluginError, remains, tell};
use crate::store::Store;

/// The number of journals that are looked at for rules that must be there. Reading all
/// would make each run slower with each container.
const LOOKED_AT: usize = 4;

/// Restores the rules of a network's other containers, if somebody has flushed them. A
/// failure is told, because the run doesn't depend on them. The caller holds the
/// network's lock.
pub(super) fn before(store: &Store, key: &Key) {
    if firewall() == Firewall::LeftAlone {
        return;
    }
    // A panic is a bug. It must not keep a teardown from its work.
    let restored = remains::contain(|| restore_flushed(store, key)).and_then(|done| done);
    if let Err(error) = restored {
        tell(&format!(
            "the firewall rules of the network's other containers could not be checked: {error}"
        ));
    }
}

fn restore_flushed(store: &Store, key: &Key) -> Result<(), PluginError> {
    let host = Netns::current()?;
    let here = Here {
        host: host.id(),
        container: None,
    };
    let folder = store.layout().journals();
    let others = journal::some_of_network(&folder, &key.network);
    let mut journals = others
        .filter(|other| other != key)
        .take(LOOKED_AT)
        .filter_map(|other| Journal::open(&folder, &other, here).ok())
        .filter(|journal| journal.is_in_use() && !entries_elsewhere(journal, here));
    let Some(sample) = journals.find_map(|journal| sample(&journal)) else {
        return Ok(());
    };
    let mut kernel = Netlink::open(host, None)?;
    kernel.set_deadline(Instant::now() + LOOK_TIME);
    // What restores the rules meets an error again, and tells it.
    if kernel.has_firewall(&sample).unwrap_or(false) {
        return Ok(());
    }
    let mut reload = Reload::new(store)?;
    reload.locked_network(&key.network)?;
    tell_failed(reload);
    Ok(())
}

/// Returns a rule of a journal, if possible one that the kernel finds without listing
/// others.
fn sample(journal: &Journal) -> Option<FirewallEntry> {
    let entries = journal.entries().iter();
    let mut entries: Vec<_> = entries
        .filter_map(|entry| entry.change.host_firewall())
        .collect();
    entries.sort_by_key(|entry| (entry.rule.rules(), entry.rule.ports()));
    entries.first().map(|entry| (*entry).clone())
}

/// Whether a journal publishes ports.
pub(super) fn publishes(journal: &Journal) -> bool {
    let mut entries = journal.entries().iter();
    entries.any(|entry| {
        let rule = entry.change.firewall().map(|entry| &entry.rule);
        matches!(rule, Some(FirewallRule::Publish(_)))
    })
}

/// Publishes ports through the container's other networks, once those of a network are
/// gone. The caller holds no lock.
pub(super) fn on_other_networks(store: &Store, key: &Key) {
    if firewall() == Firewall::LeftAlone {
        return;
    }
    let folder = store.layout().journals();
    let networks = journal::networks_of(&folder, &key.container).into_iter();
    for network in networks.filter(|network| *network != key.network) {
        let restored = remains::contain(|| {
            let mut reload = Reload::new(store)?;
            reload.network(&network)?;
            tell_failed(reload);
            Ok(())
        });
        let restored = restored.and_then(|done| done);
        if let Err(error) = restored {
            tell(&format!(
                "the ports of container {} on network {network} could not be published: {error}",
                key.container
            ));
        }
    }
}

fn tell_failed(reload: Reload<'_>) {
    for (who, reason) in reload.done().failed {
        tell(&format!("{who}: {reason}"));
    }
}
