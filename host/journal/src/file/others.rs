//! The journals of a network's other containers.

use std::path::PathBuf;
use std::time::Duration;

use kernel::LinkId;
use types::{Key, LinkName, Mac, Namespace};

use super::{Here, Journal, says_complete};
use crate::{Change, Entry, FolderLock, JournalError, LockError, folder};

/// How long a run waits for the lock for choosing VFs. The others read the journals
/// meanwhile.
const VF_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The journals of a network's other containers, which are read when they are asked for.
#[derive(Debug, Clone)]
pub struct Others {
    folder: PathBuf,
    key: Key,
    here: Here,
}

impl Others {
    /// Returns their entries on this host, in the order of the containers' ids.
    ///
    /// # Errors
    ///
    /// A journal can't be read.
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        let here = Here {
            container: None,
            ..self.here
        };
        let mut entries = Vec::new();
        for key in folder::of_network(&self.folder, &self.key.network) {
            if key != self.key {
                let others = Journal::read(&self.folder, &key, here, false)?.entries;
                let on_host = others.into_iter().filter(|it| it.host == here.host);
                entries.extend(on_host);
            }
        }
        Ok(entries)
    }
}

impl Journal {
    /// Reads the journals of the network's other containers in any order, each when the
    /// iterator reaches it. They don't change while this run has the network's lock.
    pub(crate) fn others(&self) -> impl Iterator<Item = Result<Self, JournalError>> {
        let here = Here {
            container: None,
            ..self.here
        };
        let keys = self.other_keys();
        keys.map(move |key| Self::read(&self.folder, &key, here, self.persistent))
    }

    /// Returns what reads the entries of the network's other containers later.
    pub fn other_containers(&self) -> Others {
        Others {
            folder: self.folder.clone(),
            key: self.key.clone(),
            here: self.here,
        }
    }

    /// Returns the entries of the network's other containers on this host, in the order of
    /// the containers' ids.
    pub fn entries_of_others(&self) -> Result<Vec<Entry>, JournalError> {
        self.other_containers().entries()
    }

    fn other_keys(&self) -> impl Iterator<Item = Key> {
        let keys = folder::some_of_network(&self.folder, &self.key.network);
        keys.filter(|key| key.container != self.key.container)
    }

    /// Returns the journals of other containers whose setups were killed before their
    /// end.
    pub fn abandoned_others(&self) -> Result<Vec<Self>, JournalError> {
        let marked = self.marks().others();
        let Some(marked) = marked.map_err(|error| self.failed("read", &error))? else {
            return self.incomplete_others();
        };
        let others = marked.into_iter().map(|container| self.of(container));
        let others: Result<Vec<Self>, _> = others.collect();
        Ok(others?.into_iter().filter(Self::is_abandoned).collect())
    }

    /// Returns them without marks, by reading the journals of all.
    pub(super) fn incomplete_others(&self) -> Result<Vec<Self>, JournalError> {
        let mut incomplete = Vec::new();
        for key in folder::of_network(&self.folder, &self.key.network) {
            // Most journals are complete, and needn't be parsed.
            if key == self.key || says_complete(&folder::path(&self.folder, &key)) {
                continue;
            }
            let other = self.of(key.container)?;
            if other.is_abandoned() {
                incomplete.push(other);
            }
        }
        Ok(incomplete)
    }

    /// Whether an entry of another container matches.
    fn others_have(&self, matches: impl Fn(&Entry) -> bool) -> Result<bool, JournalError> {
        for other in self.others() {
            if other?.entries().iter().any(&matches) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the owner of a journal that has an entry of this host which matches: of
    /// any container on any network but this journal's own.
    pub fn owner_elsewhere(
        &self,
        matches: impl Fn(&Change) -> bool,
    ) -> Result<Option<Key>, JournalError> {
        let here = Here {
            container: None,
            ..self.here
        };
        let keys = folder::all(&self.folder).into_iter();
        for key in keys.filter(|key| *key != self.key) {
            let other = Self::read(&self.folder, &key, here, false)?;
            let mut entries = other.entries.iter();
            if entries.any(|entry| entry.host == self.here.host && matches(&entry.change)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Waits for the lock that runs for different networks hold while they choose a VF,
    /// and takes it. A run that changes nothing needs none.
    pub fn lock_vfs(&self) -> Result<Option<FolderLock>, LockError> {
        if !self.persistent {
            return Ok(None);
        }
        let others = "the setup of a container that gets a VF";
        FolderLock::take(&self.folder, others, VF_LOCK_TIMEOUT).map(Some)
    }

    /// Whether another container shares a change.
    pub fn others_share(&self, change: &Change) -> Result<bool, JournalError> {
        self.others_have(|other| {
            other.shared && other.host == self.here.host && other.change == *change
        })
    }

    /// Whether another container's lease is for a MAC address.
    pub fn others_lease(&self, mac: Mac) -> Result<bool, JournalError> {
        self.others_have(|other| {
            matches!(&other.change, Change::LeaseAddress { request } if request.container_mac == mac)
        })
    }

    /// Whether another container has the object of an entry too.
    pub fn is_shared(&self, entry: &Entry) -> Result<bool, JournalError> {
        if !entry.shared {
            return Ok(false);
        }
        self.others_have(|other| other.shares_with(entry))
    }

    /// Whether another entry of the network's journals is in the firewall table of an
    /// entry.
    pub fn uses_table_of(&self, entry: &Entry) -> Result<bool, JournalError> {
        let Some(firewall) = entry.change.firewall() else {
            return Ok(false);
        };
        let is_on_host = firewall.namespace() == Namespace::Host;
        let is_beside = |other: &Entry| {
            let beside = other.change.firewall();
            let same_namespace = match is_on_host {
                true => other.host == entry.host,
                false => other.netns == entry.netns,
            };
            same_namespace && beside.is_some_and(|beside| beside.is_beside(firewall))
        };
        let mut own = self.entries.iter();
        if own.any(|other| other.number != entry.number && is_beside(other)) {
            return Ok(true);
        }
        // Other containers have namespaces of their own.
        match is_on_host {
            true => self.others_have(is_beside),
            false => Ok(false),
        }
    }

    /// Returns the shared links of this name in the journals of other containers, each
    /// with the routing table of a VRF. A journal is read when the iterator reaches it.
    pub fn shared_links(
        &self,
        name: &LinkName,
    ) -> impl Iterator<Item = Result<(LinkId, Option<u32>), JournalError>> {
        self.others().flat_map(move |other| match other {
            Ok(other) => other.shared_links_here(name).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    fn shared_links_here(&self, name: &LinkName) -> Vec<(LinkId, Option<u32>)> {
        let entries = self.entries.iter();
        let shared = entries.filter(|entry| entry.shared && entry.host == self.here.host);
        let links = shared.filter_map(|entry| match &entry.change {
            Change::MakeLink {
                namespace,
                name: own,
                index: Some(index),
                table,
            } if own == name => {
                let (namespace, index) = (*namespace, *index);
                Some((LinkId { namespace, index }, *table))
            }
            _ => None,
        });
        links.collect()
    }
}
