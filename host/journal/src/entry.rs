//! The entries of a journal.

use kernel::{LinkId, LinkIdentity, LinkSnapshot, LinkState, NetnsId, SavedPeer, VfState};
use serde::{Deserialize, Serialize};
use types::{LinkName, Namespace};

use super::Change;

/// The state of a host's link before it was moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedLink {
    /// The link's name, index, MAC address, MTU and up state.
    pub link: LinkState,
    /// The link's addresses and routes.
    pub snapshot: LinkSnapshot,
    /// The link's VFs, if it's a card that has some.
    #[serde(default)]
    pub vfs: Vec<VfState>,
    /// The properties of the link that the container can't change. It is absent in
    /// entries of older versions.
    #[serde(default)]
    pub identity: Option<LinkIdentity>,
    /// The link's peer, if the container can't reach it.
    #[serde(default)]
    pub peer: Option<SavedPeer>,
    /// The link's alternative names.
    #[serde(default)]
    pub alternative_names: Vec<String>,
}

/// A change in the journal that isn't undone yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The entry's number in the file.
    pub number: u32,
    /// The host's namespace at the time of the change.
    pub host: NetnsId,
    /// The container's namespace at the time of the change.
    pub netns: Option<NetnsId>,
    /// The time of the change, in nanoseconds since the boot. It tells which of two
    /// networks came first. It is 0 in entries of older versions.
    #[serde(default)]
    pub at: u64,
    /// Whether the object is for all containers of the network. It is undone with the
    /// last journal that has it.
    #[serde(default)]
    pub shared: bool,
    /// The new name of the entry's link while it is renamed. The link has this name or
    /// its old one.
    #[serde(skip)]
    pub renaming: Option<LinkName>,
    /// Why the moved link wasn't found when the change was undone.
    #[serde(skip)]
    pub missing: Option<String>,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
}

impl Entry {
    /// Returns the link that was made.
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

    /// Returns the link that was made or moved, with its name.
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

    /// Whether the entry says that the link of this name was made.
    pub fn has_made(&self, link: LinkId, name: &LinkName) -> bool {
        let has_name = matches!(&self.change, Change::MakeLink { name: made, .. } if made == name);
        has_name && self.made_link() == Some(link)
    }

    /// Whether another container's entry shares the object of this one. An object
    /// without an index may be the same one, so it counts.
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        let same_host = self.shared && other.shared && self.host == other.host;
        same_host && self.change.has_object_of(&other.change)
    }
}
