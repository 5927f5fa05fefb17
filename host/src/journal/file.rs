//! The file of a journal: JSON lines, appended one write at a time.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{Change, Entry, JournalError, folder};
use crate::kernel::{LinkId, NetnsId, RESERVED_TABLES};
use crate::net::{LinkName, Namespace};
use crate::request::{ContainerId, Key};

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// The boot that all of this belongs to (`/proc/sys/kernel/random/boot_id`).
    Boot(String),
    /// The setup is done; what stands here is in use.
    Complete,
    /// It's about to be undone, so it isn't in use any more.
    Leaving,
    /// A change is about to be made.
    Begin(Box<Entry>),
    /// It was made; a link has this index now.
    Done { number: u32, index: Option<u32> },
    /// The link of a change is about to get another name.
    Rename { number: u32, name: LinkName },
    /// It has this name.
    Named { number: u32, name: LinkName },
    /// It wasn't made, or is undone.
    Void(u32),
}

/// The namespaces of a run.
#[derive(Debug, Clone, Copy)]
pub struct Here {
    /// The host's.
    pub host: NetnsId,
    /// The container's, where there is one.
    pub container: Option<NetnsId>,
}

/// The journal of one container on one network.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    key: Key,
    path: PathBuf,
    file: Option<File>,
    here: Here,
    next: u32,
    entries: Vec<Entry>,
    complete: bool,
    leaving: bool,
    /// Whether changes get into the file.
    keeps: bool,
}

impl Journal {
    /// Reads the journal below `folder`, where there is one.
    pub fn open(folder: &Path, key: &Key, here: Here) -> Result<Self, JournalError> {
        Self::read(folder, key, here, true)
    }

    /// The same for a run that only tries things out: what it changes is in this
    /// journal and not in the file.
    pub fn open_for_trying(folder: &Path, key: &Key, here: Here) -> Result<Self, JournalError> {
        Self::read(folder, key, here, false)
    }

    fn read(folder: &Path, key: &Key, here: Here, keeps: bool) -> Result<Self, JournalError> {
        let mut journal = Self {
            folder: folder.to_owned(),
            key: key.clone(),
            path: folder::path(folder, key),
            file: None,
            here,
            next: 0,
            entries: Vec::new(),
            complete: false,
            leaving: false,
            keeps,
        };
        match std::fs::read_to_string(&journal.path) {
            Ok(text) => journal.replay(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(journal.failed("read", &error)),
        }
        Ok(journal)
    }

    /// The changes that aren't undone, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a setup wrote this and was killed before its end.
    pub fn is_abandoned(&self) -> bool {
        !self.complete && !self.entries.is_empty()
    }

    /// Whether a setup came to its end, and what it made is in use.
    pub(super) fn is_complete(&self) -> bool {
        self.complete && !self.entries.is_empty()
    }

    /// Whether it's in use: a setup came to its end, and nobody has begun to undo
    /// it.
    pub fn is_in_use(&self) -> bool {
        self.is_complete() && !self.leaving
    }

    /// Whether somebody has begun to undo what was in use.
    pub fn is_leaving(&self) -> bool {
        self.is_complete() && self.leaving
    }

    /// The container.
    pub fn container(&self) -> &ContainerId {
        &self.key.container
    }

    /// The folder of the network's journals.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join(self.key.network.as_str())
    }

    /// The journal of another container of the network, as it is in its file.
    pub(super) fn of(&self, container: ContainerId) -> Result<Self, JournalError> {
        let key = Key {
            network: self.key.network.clone(),
            container,
        };
        let here = Here {
            container: None,
            ..self.here
        };
        Self::read(&self.folder, &key, here, self.keeps)
    }

    /// Whether what it's told gets into the file.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Calls a setup done.
    pub fn complete(&mut self) -> Result<(), JournalError> {
        self.complete = true;
        if self.entries.is_empty() {
            return Ok(());
        }
        self.append(&Line::Complete)
    }

    /// Says that what is in use is about to be undone.
    pub fn leave(&mut self) -> Result<(), JournalError> {
        if !self.is_in_use() {
            return Ok(());
        }
        self.leaving = true;
        self.append(&Line::Leaving)
    }

    /// Removes a file in which nothing counts any more.
    pub fn discard(&mut self) -> Result<(), JournalError> {
        self.remove()
    }

    /// The namespaces of this run.
    pub fn here(&self) -> Here {
        self.here
    }

    /// The journals of the network's other containers, each read when it's asked
    /// for. They stay as they are for as long as this run has the network's lock.
    pub(super) fn others(&self) -> impl Iterator<Item = Result<Self, JournalError>> {
        let here = Here {
            container: None,
            ..self.here
        };
        let keys = self.other_keys();
        keys.map(move |key| Self::read(&self.folder, &key, here, self.keeps))
    }

    fn other_keys(&self) -> impl Iterator<Item = Key> {
        let keys = folder::of_network(&self.folder, &self.key.network).into_iter();
        keys.filter(|key| key.container != self.key.container)
    }

    /// Those of them that setups wrote which were killed before their end.
    pub fn abandoned_others(&self) -> Result<Vec<Self>, JournalError> {
        let mut abandoned = Vec::new();
        for key in self.other_keys() {
            // Most are complete, and say so in a line: the others needn't be read.
            if says_complete(&folder::path(&self.folder, &key)) {
                continue;
            }
            let other = self.of(key.container)?;
            if other.is_abandoned() {
                abandoned.push(other);
            }
        }
        Ok(abandoned)
    }

    /// Whether an entry of another container fits.
    fn others_have(&self, fits: impl Fn(&Entry) -> bool) -> Result<bool, JournalError> {
        for other in self.others() {
            if other?.entries().iter().any(&fits) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether another container has the object of an entry too.
    pub fn is_shared(&self, entry: &Entry) -> Result<bool, JournalError> {
        if !entry.shared {
            return Ok(false);
        }
        self.others_have(|other| other.shares_with(entry))
    }

    /// Whether anything else that a journal of the network holds is in the table
    /// of the firewall that an entry is in.
    pub fn uses_table_of(&self, entry: &Entry) -> Result<bool, JournalError> {
        let Some(firewall) = entry.change.firewall() else {
            return Ok(false);
        };
        let is_beside = |other: &Entry| {
            let its = other.change.firewall();
            other.host == entry.host && its.is_some_and(|its| its.is_beside(firewall))
        };
        let mut own = self.entries.iter();
        if own.any(|other| other.number != entry.number && is_beside(other)) {
            return Ok(true);
        }
        self.others_have(is_beside)
    }

    /// The shared links of this name that other containers have. Each journal is
    /// read when it's asked for.
    pub fn shared_links(
        &self,
        name: &LinkName,
    ) -> impl Iterator<Item = Result<LinkId, JournalError>> {
        self.others().flat_map(move |other| match other {
            Ok(other) => other.shared_links_here(name).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    fn shared_links_here(&self, name: &LinkName) -> Vec<LinkId> {
        let entries = self.entries.iter();
        let shared = entries.filter(|entry| entry.shared && entry.host == self.here.host);
        let links = shared.filter_map(|entry| match &entry.change {
            Change::MakeLink {
                namespace,
                name: own,
                index: Some(index),
                ..
            } if own == name => Some(LinkId {
                namespace: *namespace,
                index: *index,
            }),
            _ => None,
        });
        links.collect()
    }

    /// Writes down a change that is about to be made. A `shared` one is made
    /// for all containers of the network.
    pub fn begin(&mut self, change: Change, shared: bool) -> Result<u32, JournalError> {
        let number = self.next;
        let entry = Entry {
            number,
            host: self.here.host,
            netns: self.here.container,
            at: since_boot(),
            shared,
            renaming: None,
            change,
        };
        self.append(&Line::Begin(Box::new(entry.clone())))?;
        self.next += 1;
        self.entries.push(entry);
        Ok(number)
    }

    /// Confirms a change; `index` is that of a link which was made or moved.
    pub fn done(&mut self, number: u32, index: Option<u32>) -> Result<(), JournalError> {
        self.set_index(number, index);
        self.append(&Line::Done { number, index })
    }

    /// Writes down that the link of an entry is about to get another name.
    pub fn rename(&mut self, number: u32, name: &LinkName) -> Result<(), JournalError> {
        let line = Line::Rename {
            number,
            name: name.clone(),
        };
        self.append(&line)?;
        self.set_renaming(number, name.clone());
        Ok(())
    }

    /// Writes down which name the link of an entry has after that.
    pub fn named(&mut self, number: u32, name: &LinkName) -> Result<(), JournalError> {
        self.set_name(number, name);
        self.append(&Line::Named {
            number,
            name: name.clone(),
        })
    }

    /// The entries of this run's namespaces whose links have one of two names.
    pub fn renaming(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter();
        entries.filter(|entry| entry.renaming.is_some() && self.has_namespace_of(entry))
    }

    /// Takes out a change that wasn't made or is undone. With the last one
    /// the file goes too.
    pub fn void(&mut self, number: u32) -> Result<(), JournalError> {
        self.entries.retain(|entry| entry.number != number);
        if !self.entries.is_empty() {
            return self.append(&Line::Void(number));
        }
        self.remove()
    }

    fn remove(&mut self) -> Result<(), JournalError> {
        self.file = None;
        self.complete = false;
        self.leaving = false;
        if !self.keeps {
            return Ok(());
        }
        remove(&self.path).map_err(|error| self.failed("remove", &error))?;
        if let Some(folder) = self.path.parent() {
            // Other containers' journals keep the network's folder.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

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
    fn has_namespace_of(&self, entry: &Entry) -> bool {
        let Some((link, _)) = entry.own_link() else {
            return false;
        };
        match link.namespace {
            Namespace::Host => entry.host == self.here.host,
            Namespace::Container => entry.netns == self.here.container,
        }
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

    fn replay(&mut self, text: &str) {
        for line in text.lines() {
            // A line that was torn by a crash was never acted upon: the change
            // is made after the whole line is written.
            let Ok(line) = serde_json::from_str::<Line>(line) else {
                continue;
            };
            match line {
                // A journal that outlived its kernel means nothing any more.
                Line::Boot(boot) if Some(&boot) != boot_id().as_ref() => return,
                Line::Boot(_) => {}
                Line::Complete => self.complete = true,
                Line::Leaving => self.leaving = true,
                Line::Begin(entry) => {
                    self.next = self.next.max(entry.number.saturating_add(1));
                    self.entries.push(*entry);
                }
                Line::Done { number, index } => self.set_index(number, index),
                Line::Rename { number, name } => self.set_renaming(number, name),
                Line::Named { number, name } => self.set_name(number, &name),
                Line::Void(number) => self.entries.retain(|entry| entry.number != number),
            }
        }
    }

    fn set_index(&mut self, number: u32, made: Option<u32>) {
        for entry in self.entries.iter_mut().filter(|e| e.number == number) {
            if let Change::MakeLink { index, .. } | Change::MoveLink { index, .. } =
                &mut entry.change
            {
                *index = made;
            }
        }
    }

    fn set_renaming(&mut self, number: u32, name: LinkName) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.number == number) {
            entry.renaming = Some(name);
        }
    }

    /// Routes that lead through the link know it by its name, too.
    fn set_name(&mut self, number: u32, name: &LinkName) {
        let mut entries = self.entries.iter_mut();
        let Some(entry) = entries.find(|entry| entry.number == number) else {
            return;
        };
        entry.renaming = None;
        let (host, netns) = (entry.host, entry.netns);
        let Some((link, old)) = entry.own_link().map(|(link, old)| (link, old.clone())) else {
            return;
        };
        entry.change.set_own_name(name);
        for entry in &mut self.entries {
            let same_netns = match link.namespace {
                Namespace::Host => entry.host == host,
                Namespace::Container => entry.netns == netns,
            };
            let known = entry.change.known_links(link.namespace).into_iter();
            for known in known.filter(|known| same_netns && known.index == link.index) {
                if known.name == old {
                    known.name.clone_from(name);
                }
            }
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), JournalError> {
        if !self.keeps {
            return Ok(());
        }
        let mut text = serde_json::to_vec(line)
            .map_err(|error| self.failed("write", &std::io::Error::other(error)))?;
        text.push(b'\n');
        if self.file.is_none() {
            self.file = Some(
                self.create()
                    .map_err(|error| self.failed("create", &error))?,
            );
        }
        let Some(file) = self.file.as_ref() else {
            return Ok(());
        };
        write(file, &text).map_err(|error| {
            let failed = self.failed("write", &error);
            // What comes next must not stand behind half a line.
            self.file = None;
            failed
        })
    }

    fn create(&self) -> std::io::Result<File> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        // Ends a line that a crash may have torn.
        let mut start = b"\n".to_vec();
        if self.entries.is_empty() {
            // Nothing that stands in the file counts any more.
            file.set_len(0)?;
            let boot = Line::Boot(boot_id().unwrap_or_default());
            start = serde_json::to_vec(&boot)?;
            start.push(b'\n');
        }
        write(&file, &start)?;
        Ok(file)
    }

    fn failed(&self, action: &'static str, error: &std::io::Error) -> JournalError {
        JournalError {
            action,
            path: self.path.clone(),
            error: error.to_string(),
        }
    }
}

/// Appends a line in one write.
pub(super) fn write(mut file: &File, line: &[u8]) -> std::io::Result<()> {
    #[cfg(feature = "fault-injection")]
    crate::fault::before_write(file, line)?;
    file.write_all(line)?;
    #[cfg(feature = "fault-injection")]
    crate::fault::after_write();
    Ok(())
}

/// Removes a file, unless it's gone already.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    #[cfg(feature = "fault-injection")]
    crate::fault::before_write(std::io::sink(), &[])?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    #[cfg(feature = "fault-injection")]
    crate::fault::after_write();
    Ok(())
}

/// Gives a file another's name.
pub(super) fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    #[cfg(feature = "fault-injection")]
    crate::fault::before_write(std::io::sink(), &[])?;
    std::fs::rename(from, to)?;
    #[cfg(feature = "fault-injection")]
    crate::fault::after_write();
    Ok(())
}

/// The boot of the kernel that runs now.
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Whether a journal has the line by which a setup calls itself done.
fn says_complete(path: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(path) else {
        return false;
    };
    let complete = serde_json::to_string(&Line::Complete).unwrap_or_default();
    text.lines().any(|line| line == complete)
}

/// Nanoseconds since then, those asleep included.
fn since_boot() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn open(folder: &Path) -> Journal {
        open_as(folder, "ctr")
    }

    pub(in crate::journal) fn open_as(folder: &Path, container: &str) -> Journal {
        let key = Key {
            network: "net".to_owned().try_into().unwrap(),
            container: container.to_owned().try_into().unwrap(),
        };
        let here = Here {
            host: NetnsId::of(1),
            container: None,
        };
        Journal::open(folder, &key, here).unwrap()
    }

    fn make(name: &str) -> Change {
        Change::MakeLink {
            namespace: Namespace::Host,
            name: name.parse().unwrap(),
            index: None,
            table: None,
        }
    }

    #[test]
    fn another_process_finds_what_this_one_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        let first = journal.begin(make("a"), false).unwrap();
        journal.done(first, Some(7)).unwrap();
        let second = journal.begin(make("b"), false).unwrap();
        journal.void(second).unwrap();
        let mut again = open(folder.path());
        let link = LinkId {
            namespace: Namespace::Host,
            index: 7,
        };
        assert_eq!(again.entries(), journal.entries());
        assert!(again.owns(link, &"a".parse().unwrap()));
        assert!(!again.owns(link, &"b".parse().unwrap()));
        assert_eq!(
            again.own_link(Namespace::Host, &"a".parse().unwrap()),
            Some(link)
        );
        again.void(first).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_keeps_being_own_under_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b): (LinkName, LinkName) = ("a".parse().unwrap(), "b".parse().unwrap());
        let link = LinkId {
            namespace: Namespace::Host,
            index: 7,
        };
        let mut journal = open(folder.path());
        let made = journal.begin(make("a"), false).unwrap();
        journal.done(made, Some(7)).unwrap();
        journal.begin(route_through(&a), false).unwrap();
        journal.rename(made, &b).unwrap();
        let mut again = open(folder.path());
        assert_eq!(again.renaming().count(), 1);
        assert!(again.owns(link, &a));
        again.named(made, &b).unwrap();
        for journal in [again, open(folder.path())] {
            assert_eq!(journal.renaming().count(), 0);
            assert!(journal.owns(link, &b) && !journal.owns(link, &a));
            let (_, _, links) = journal.entries()[1].change.added_route().unwrap();
            assert_eq!(links[0].name, b);
        }
    }

    /// A route through the link with the index 7.
    fn route_through(name: &LinkName) -> Change {
        let route = serde_json::json!({
            "change": "add-route", "namespace": "host", "destination": "10.0.0.0/8",
            "gateway": null, "metric": null, "kind": "unicast", "link": 7,
            "links": [{"index": 7, "name": name}],
        });
        serde_json::from_value(route).unwrap()
    }

    #[test]
    fn a_setup_that_never_came_to_its_end_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        assert!(!journal.is_abandoned());
        journal.begin(make("a"), false).unwrap();
        assert!(open(folder.path()).is_abandoned());
        journal.complete().unwrap();
        assert!(!open(folder.path()).is_abandoned());
    }

    #[test]
    fn what_is_about_to_be_undone_is_in_use_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        journal.leave().unwrap();
        let first = journal.begin(make("a"), false).unwrap();
        journal.complete().unwrap();
        assert!(open(folder.path()).is_in_use());
        journal.leave().unwrap();
        let again = open(folder.path());
        assert!(again.is_leaving() && !again.is_in_use() && !again.is_abandoned());
        journal.void(first).unwrap();
        journal.begin(make("a"), false).unwrap();
        journal.complete().unwrap();
        assert!(open(folder.path()).is_in_use());
    }

    #[test]
    fn changes_are_known_by_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        journal.begin(make("a"), false).unwrap();
        journal.begin(make("b"), false).unwrap();
        let entries = open(folder.path()).entries().to_vec();
        assert!(0 < entries[0].at && entries[0].at < entries[1].at);
    }

    #[test]
    fn a_journal_of_another_boot_means_nothing() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).begin(make("a"), false).unwrap();
        let path = folder.path().join("net/ctr.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let boot = boot_id().unwrap();
        std::fs::write(&path, text.replace(&boot, "another")).unwrap();
        let mut again = open(folder.path());
        assert!(again.entries().is_empty());
        again.begin(make("b"), false).unwrap();
        assert_eq!(open(folder.path()).entries().len(), 1);
    }

    #[test]
    fn a_torn_last_line_is_ignored_and_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        journal.begin(make("a"), false).unwrap();
        let path = folder.path().join("net/ctr.jsonl");
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"begin\":{\"number\":1,\"cha");
        std::fs::write(&path, torn).unwrap();
        let mut again = open(folder.path());
        assert_eq!(again.entries().len(), 1);
        again.begin(make("b"), false).unwrap();
        assert_eq!(open(folder.path()).entries().len(), 2);
    }

    #[test]
    fn what_is_shared_counts_until_the_last_journal_is_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = open_as(folder.path(), "one");
        let mut two = open_as(folder.path(), "two");
        let number = one.begin(make("br"), true).unwrap();
        one.done(number, Some(5)).unwrap();
        assert!(!one.is_shared(&one.entries()[0]).unwrap());
        let br: LinkName = "br".parse().unwrap();
        assert_eq!(two.shared_links(&br).next().unwrap().unwrap().index, 5);
        let number = two.begin(make("br"), true).unwrap();
        two.done(number, Some(5)).unwrap();
        assert!(one.is_shared(&one.entries()[0]).unwrap());
        two.void(number).unwrap();
        assert!(!one.is_shared(&one.entries()[0]).unwrap());
        // The same name, but made anew after somebody removed the first.
        let number = two.begin(make("br"), true).unwrap();
        two.done(number, Some(6)).unwrap();
        assert!(!one.is_shared(&one.entries()[0]).unwrap());
    }

    #[test]
    fn what_is_not_shared_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = open_as(folder.path(), "one");
        let mut two = open_as(folder.path(), "two");
        one.begin(make("v"), false).unwrap();
        two.begin(make("v"), true).unwrap();
        assert!(!one.is_shared(&one.entries()[0]).unwrap());
        assert!(!two.is_shared(&two.entries()[0]).unwrap());
    }
}
