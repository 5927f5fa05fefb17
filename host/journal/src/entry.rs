//! The entries of a journal.

use kernel::{LinkId, LinkIdentity, LinkSnapshot, LinkState, NetnsId, SavedPeer, VfState};
use serde::{Deserialize, Serialize};
use types::{LinkName, Namespace};

use super::Change;

/// A link of the host before it was moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedLink {
    /// Its name, index, MAC address, MTU and up state.
    pub link: LinkState,
    /// Its addresses and routes.
    pub snapshot: LinkSnapshot,
    /// Its VFs, if it's a card that has some.
    #[serde(default)]
    pub vfs: Vec<VfState>,
    /// What the container can't change about it. What older versions wrote
    /// doesn't have it.
    #[serde(default)]
    pub identity: Option<LinkIdentity>,
    /// Its other end, where that is out of the container's reach.
    #[serde(default)]
    pub peer: Option<SavedPeer>,
    /// Its alternative names.
    #[serde(default)]
    pub alternative_names: Vec<String>,
}

/// A change in the journal that isn't undone yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the file.
    pub number: u32,
    /// The host's namespace at that time.
    pub host: NetnsId,
    /// The container's namespace at that time.
    pub netns: Option<NetnsId>,
    /// When that was, in nanoseconds since the boot: which of two networks came
    /// first. 0 in what older versions wrote.
    #[serde(default)]
    pub at: u64,
    /// Whether the object is one for all containers of the network: it's
    /// undone with the last journal that has it.
    #[serde(default)]
    pub shared: bool,
    /// The name that the link of this entry gets just now: it has this one or
    /// its old one.
    #[serde(skip)]
    pub renaming: Option<LinkName>,
    /// Why the link that was moved couldn't be found when it was to come back.
    #[serde(skip)]
    pub missing: Option<String>,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
}

impl Entry {
    /// The link that it says was made.
    pub fn made_link(&self) -> Option<LinkId> {
        match &self.change {
            Change::MakeLink {
                namespace,
                index: Some(index),
                ..
            } => Some(LinkId {
                namespace: *namespace,
                index: *index,
            }),
            _ => None,
        }
    }

    /// The link that it says was made or moved, with its name.
    pub fn own_link(&self) -> Option<(LinkId, &LinkName)> {
        let (namespace, name, index) = match &self.change {
            Change::MakeLink {
                namespace,
                name,
                index,
                ..
            } => (*namespace, name, (*index)?),
            Change::MoveLink { name, index, .. } => (Namespace::Container, name, (*index)?),
            _ => return None,
        };
        Some((LinkId { namespace, index }, name))
    }

    /// Whether it says that this link was made.
    pub fn has_made(&self, link: LinkId, its_name: &LinkName) -> bool {
        let has_its_name =
            matches!(&self.change, Change::MakeLink { name, .. } if name == its_name);
        has_its_name && self.made_link() == Some(link)
    }

    /// Whether another container's entry shares the object of this one. Of an
    /// object without an index nobody knows yet which it is: it counts.
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        let same_time = self.shared && other.shared && self.host == other.host;
        same_time && self.change.has_object_of(&other.change)
    }
}
