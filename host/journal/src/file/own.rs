//! What a journal says is the driver's own.

use kernel::{LinkId, RESERVED_TABLES};
use types::{LinkName, Namespace};

use super::Journal;
use crate::{Change, Entry};

impl Journal {
    /// The own links: made or moved here, in a namespace of this run.
    pub fn own_links(&self) -> impl Iterator<Item = (LinkId, &LinkName)> {
        let entries = self.entries.iter();
        entries
            .filter(|entry| self.has_namespace_of(entry))
            .filter_map(Entry::own_link)
    }

    /// The newest entry that says that this link was made or moved.
    pub fn entry_of(&self, link: LinkId, name: &LinkName) -> Option<&Entry> {
        let mut entries = self.entries.iter().rev();
        entries.find(|entry| self.has_namespace_of(entry) && entry.own_link() == Some((link, name)))
    }

    /// Whether the link of an entry is in a namespace of this run.
    pub(super) fn has_namespace_of(&self, entry: &Entry) -> bool {
        let Some((link, _)) = entry.own_link() else {
            return false;
        };
        match link.namespace {
            Namespace::Host => entry.host == self.here.host,
            Namespace::Container => entry.netns == self.here.container,
        }
    }

    /// Whether there is a link on the host for all containers of the network.
    pub fn has_shared_link(&self) -> bool {
        let mut links = self.entries_of(Namespace::Host);
        links.any(|entry| {
            let made = entry.made_link();
            entry.shared && made.is_some_and(|link| link.namespace == Namespace::Host)
        })
    }

    /// Whether a routing table of the host is that of an own VRF, unless every
    /// namespace has it.
    pub fn owns_table(&self, table: u32) -> bool {
        let is_its = |entry: &Entry| match &entry.change {
            Change::MakeLink {
                namespace: Namespace::Host,
                index: Some(_),
                table: its,
                ..
            } => *its == Some(table) && entry.host == self.here.host,
            _ => false,
        };
        !RESERVED_TABLES.contains(&table) && self.entries.iter().any(is_its)
    }

    /// The changes that were made in a namespace of this run, the newest first.
    pub fn entries_of(&self, namespace: Namespace) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .rev()
            .filter(move |entry| match namespace {
                Namespace::Host => entry.host == self.here.host,
                Namespace::Container => entry.netns == self.here.container,
            })
    }

    /// Whether a link is own. Its index alone may be another link's by now.
    pub fn owns(&self, link: LinkId, name: &LinkName) -> bool {
        self.own_links().any(|own| own == (link, name))
    }

    /// An own link by its name.
    pub fn own_link(&self, namespace: Namespace, name: &LinkName) -> Option<LinkId> {
        self.own_links()
            .find(|(link, own)| link.namespace == namespace && *own == name)
            .map(|(link, _)| link)
    }
}
