//! The driver's own objects, according to the journal.

use kernel::{LinkId, RESERVED_TABLES};
use types::{LinkName, Namespace};

use super::Journal;
use crate::{Change, Entry};

impl Journal {
    /// Returns the own links: those that were made or moved in a namespace of this run.
    pub fn own_links(&self) -> impl Iterator<Item = (LinkId, &LinkName)> {
        let entries = self.entries.iter();
        entries
            .filter(|entry| self.has_namespace_of(entry))
            .filter_map(Entry::own_link)
    }

    /// Returns the newest entry by which a link was made or moved.
    pub fn entry_of(&self, link: LinkId, name: &LinkName) -> Option<&Entry> {
        let mut entries = self.entries.iter().rev();
        entries.find(|entry| self.has_namespace_of(entry) && entry.own_link() == Some((link, name)))
    }

    /// Returns the entry by which this run uses an existing bridge of the host.
    pub fn entry_of_used(&self, link: LinkId, name: &LinkName) -> Option<&Entry> {
        self.entries_of(Namespace::Host).find(|entry| {
            let change = &entry.change;
            matches!(change, Change::UseBridge { link: used, name: its }
                if (*used, its) == (link, name))
        })
    }

    /// Whether an entry's new or moved link is in a namespace of this run.
    pub(super) fn has_namespace_of(&self, entry: &Entry) -> bool {
        let Some((link, _)) = entry.own_link() else {
            return false;
        };
        match link.namespace {
            Namespace::Host => entry.host == self.here.host,
            Namespace::Container => entry.netns == self.here.container,
        }
    }

    /// Whether the host has a shared link.
    pub fn has_shared_link(&self) -> bool {
        let mut links = self.entries_of(Namespace::Host);
        links.any(|entry| {
            let made = entry.made_link();
            entry.shared && made.is_some_and(|link| link.namespace == Namespace::Host)
        })
    }

    /// Whether a routing table of the host is that of an own VRF. A table that every
    /// namespace has is never own.
    pub fn owns_table(&self, table: u32) -> bool {
        let has_table = |entry: &Entry| match &entry.change {
            Change::MakeLink {
                namespace: Namespace::Host,
                index: Some(_),
                table: own,
                ..
            } => *own == Some(table) && entry.host == self.here.host,
            _ => false,
        };
        !RESERVED_TABLES.contains(&table) && self.entries.iter().any(has_table)
    }

    /// Returns the changes in a namespace of this run, the newest first.
    pub fn entries_of(&self, namespace: Namespace) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .rev()
            .filter(move |entry| match namespace {
                Namespace::Host => entry.host == self.here.host,
                Namespace::Container => entry.netns == self.here.container,
            })
    }

    /// Whether a link is own. The index alone isn't enough, because another link may
    /// have got it.
    pub fn owns(&self, link: LinkId, name: &LinkName) -> bool {
        self.own_links().any(|own| own == (link, name))
    }

    /// Returns an own link by its name.
    pub fn own_link(&self, namespace: Namespace, name: &LinkName) -> Option<LinkId> {
        self.own_links()
            .find(|(link, own)| link.namespace == namespace && *own == name)
            .map(|(link, _)| link)
    }
}
