//! The restoring of firewall rules that somebody else removed.

use std::collections::BTreeSet;

use audit::{Place, Required, Subject, Trail};
use engine::rollback::{RestoreError, Restorer};
use ipnet::IpNet;
use journal::{self, Change, Entry, Here, Journal, JournalError, NetworkLock};
use kernel::{FirewallEntry, Netlink, Netns, NetnsId, living_netns};
use types::{Key, NetworkId};

use super::gc::is_alive;
use super::{PluginError, local_services, remains};
use crate::store::{Layout, Store};

/// The reason why rules can't be checked from this namespace.
const ELSEWHERE: &str = "its rules are in another network namespace of the host: run this from there (for \
     rootless Podman: podman unshare --rootless-netns wasmvark reload)";

/// The results for all journals.
#[derive(Debug, Default)]
pub(crate) struct Reloaded {
    /// The containers with their restored rules.
    pub restored: Vec<(Key, Vec<String>)>,
    /// The number of containers whose rules were complete.
    pub whole: usize,
    /// Not checked, because the container's namespace is gone, or its setup or teardown
    /// isn't complete.
    pub passed_over: Vec<Key>,
    /// The containers and networks whose rules couldn't be restored, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Restores the firewall rules in the journals of containers in use. All rules of a
/// container are restored at once, under its network's lock. Networks and containers
/// come in the order of their oldest rules.
pub(crate) fn reload(store: &Store) -> Result<Reloaded, PluginError> {
    store.check_runtime()?;
    let mut reload = Reload::new(store)?;
    reload.asks_firewalld = true;
    for network in reload.networks() {
        let done = remains::contain(|| reload.network(&network));
        if let Err(error) = done.and_then(|done| done) {
            let failed = (format!("network {network}"), error.to_string());
            reload.done.failed.push(failed);
        }
    }
    Ok(reload.done)
}

/// Restores rules by the journals, and notes what came of it.
pub(super) struct Reload<'a> {
    layout: &'a Layout,
    trail: Place,
    here: Here,
    restorer: Restorer,
    /// Whether firewalld is asked. After an error it isn't asked again.
    asks_firewalld: bool,
    done: Reloaded,
}

/// A container in use, with its rules.
struct User {
    key: Key,
    entries: Vec<Entry>,
}

impl User {
    /// Returns the rules that belong to this container alone.
    fn own(&self) -> impl Iterator<Item = &FirewallEntry> {
        let own = self.entries.iter().filter(|entry| !entry.shared);
        own.filter_map(|entry| entry.change.host_firewall())
    }
}

impl<'a> Reload<'a> {
    pub(super) fn new(store: &'a Store) -> Result<Self, PluginError> {
        let host = Netns::current()?;
        let here = Here {
            host: host.id(),
            container: None,
        };
        Ok(Self {
            layout: store.layout(),
            trail: store.trail(),
            here,
            restorer: Restorer::new(
                Box::new(Netlink::open(host, None)?),
                local_services::patient(store.layout()),
            ),
            asks_firewalld: false,
            done: Reloaded::default(),
        })
    }

    /// Returns what was done.
    pub(super) fn done(self) -> Reloaded {
        self.done
    }

    /// Lists the networks that have journals, in the order of their oldest rules. No
    /// lock is held yet, so a journal that can't be read isn't an error here.
    fn networks(&self) -> Vec<NetworkId> {
        let folder = self.layout.journals();
        let mut networks: Vec<_> = journal::networks(&folder)
            .into_iter()
            .map(|network| {
                let journals = self.journals(&network).into_iter().flatten();
                let first = journals.filter_map(|journal| Some(first_of(&journal)?.at));
                (first.min(), network)
            })
            .collect();
        networks.sort_by_key(|(first, _)| *first);
        networks.into_iter().map(|(_, network)| network).collect()
    }

    fn journals(&self, network: &NetworkId) -> Result<Vec<Journal>, JournalError> {
        let folder = self.layout.journals();
        let keys = journal::of_network(&folder, network).into_iter();
        keys.map(|key| Journal::open(&folder, &key, self.here))
            .collect()
    }

    pub(super) fn network(&mut self, network: &NetworkId) -> Result<(), PluginError> {
        let _lock = NetworkLock::take(&self.layout.locks(), network, "reload")?;
        self.locked_network(network)
    }

    /// Restores the rules of a network whose lock the caller holds.
    pub(super) fn locked_network(&mut self, network: &NetworkId) -> Result<(), PluginError> {
        let mut journals = self.journals(network)?;
        journals.retain(|journal| first_of(journal).is_some());
        // Read under the lock, because a setup may just have recorded its namespace.
        let living = living_netns().map_err(PluginError::Living)?;
        let lives = |netns: NetnsId| living.may_have(netns);
        let mut users = Vec::new();
        for journal in journals {
            let key = Key {
                network: network.clone(),
                container: journal.container().clone(),
            };
            if !journal.is_in_use() || !is_alive(&journal, lives) {
                self.done.passed_over.push(key);
                continue;
            }
            // The other namespace may be in use, which an ordinary user can't see.
            if entries_elsewhere(&journal, self.here) {
                self.fail(&key, ELSEWHERE.to_owned());
                continue;
            }
            let entries = journal.entries().iter();
            let entries = entries.filter(|entry| is_restored(entry));
            let entries = entries.cloned().collect();
            users.push(User { key, entries });
        }
        users.sort_by_key(|user| user.entries.first().map(|entry| entry.at));
        if self.asks_firewalld {
            for (source, user) in sources(&users) {
                self.source(source, user);
            }
        }
        let shared = shared(&users);
        let own = users.iter().flat_map(User::own);
        let all: Vec<FirewallEntry> = shared.iter().chain(own).cloned().collect();
        // Usually all rules are present or none. One check of all is cheaper than one
        // for each container.
        if self.restorer.is_whole(&all) {
            self.done.whole += users.len();
            return Ok(());
        }
        for user in users {
            let entries: Vec<FirewallEntry> = shared.iter().chain(user.own()).cloned().collect();
            self.container(user.key, &entries);
        }
        Ok(())
    }

    /// Adds a source of firewalld's zone again. It's on record with one of the
    /// containers that share it.
    fn source(&mut self, source: IpNet, key: &Key) {
        if !self.asks_firewalld {
            return;
        }
        let (trail, subject) = (&self.trail, subject(key));
        let open_trail = || Trail::open(trail, Required::Yes, subject);
        match self.restorer.trust(source, open_trail) {
            Ok(false) => {}
            Ok(true) => {
                let what = Change::TrustSource { source }.to_string();
                self.done.restored.push((key.clone(), vec![what]));
            }
            Err(error) => {
                self.asks_firewalld = false;
                self.fail(key, reason(&error));
            }
        }
    }

    fn container(&mut self, key: Key, entries: &[FirewallEntry]) {
        let subject = subject(&key);
        let trail = &self.trail;
        let restored = self
            .restorer
            .restore(entries, || Trail::open(trail, Required::Yes, subject));
        match restored {
            Ok(missing) if missing.is_empty() => self.done.whole += 1,
            Ok(missing) => self.done.restored.push((key, missing)),
            Err(error) => self.fail(&key, reason(&error)),
        }
    }

    fn fail(&mut self, key: &Key, reason: String) {
        let who = format!("container {} on network {}", key.container, key.network);
        self.done.failed.push((who, reason));
    }
}

fn subject(key: &Key) -> Subject {
    Subject {
        command: "reload",
        driver: String::new(),
        digest: String::new(),
        network: key.network.to_string(),
        container: Some(key.container.to_string()),
    }
}

/// Returns the sources of firewalld's zone, each once, with a container that has it.
fn sources(users: &[User]) -> Vec<(IpNet, &Key)> {
    let mut sources: Vec<(IpNet, &Key)> = Vec::new();
    for user in users {
        for entry in &user.entries {
            if let Change::TrustSource { source } = entry.change
                && !sources.iter().any(|(there, _)| *there == source)
            {
                sources.push((source, &user.key));
            }
        }
    }
    sources
}

/// Returns the sources of firewalld's zone that the journals have. Journals that can't be
/// read have none.
pub(crate) fn trusted_sources(store: &Store) -> BTreeSet<IpNet> {
    let folder = store.layout().journals();
    let Ok(host) = Netns::current() else {
        return BTreeSet::new();
    };
    let here = Here {
        host: host.id(),
        container: None,
    };
    let keys = journal::all(&folder).into_iter();
    let journals = keys.filter_map(|key| Journal::open(&folder, &key, here).ok());
    let entries = journals.flat_map(|journal| journal.entries().to_vec());
    let sources = entries.filter_map(|entry| match entry.change {
        Change::TrustSource { source } => Some(source),
        _ => None,
    });
    sources.collect()
}

/// Whether an entry is one that others on the host can remove, and that is restored. The
/// rules in a container's namespace are beyond a flush of the host's.
fn is_restored(entry: &Entry) -> bool {
    entry.change.host_firewall().is_some() || matches!(entry.change, Change::TrustSource { .. })
}

/// Returns an error in words, with advice if another rule is in the way. Other errors
/// contain their advice.
fn reason(error: &RestoreError) -> String {
    match error {
        RestoreError::Kernel { error: kernel, .. } | RestoreError::Read(kernel)
            if kernel.is_taken() =>
        {
            format!(
                "{error}; whoever has it came after the rules were removed: disconnect either, and \
                 run this again"
            )
        }
        error => error.to_string(),
    }
}

/// Whether a journal has rules in another namespace of the host.
pub(super) fn entries_elsewhere(journal: &Journal, here: Here) -> bool {
    let mut entries = journal.entries().iter();
    entries.any(|entry| entry.change.host_firewall().is_some() && entry.host != here.host)
}

/// Returns a journal's oldest rule.
fn first_of(journal: &Journal) -> Option<&Entry> {
    let mut entries = journal.entries().iter();
    entries.find(|entry| is_restored(entry))
}

/// Returns the shared rules of the containers, each once, the oldest first.
fn shared(users: &[User]) -> Vec<FirewallEntry> {
    let entries = users.iter().flat_map(|user| &user.entries);
    let mut entries: Vec<_> = entries.filter(|entry| entry.shared).collect();
    entries.sort_by_key(|entry| entry.at);
    let mut shared: Vec<FirewallEntry> = Vec::new();
    for entry in entries
        .iter()
        .filter_map(|entry| entry.change.host_firewall())
    {
        if !shared.contains(entry) {
            shared.push(entry.clone());
        }
    }
    shared
}
