//! The file of a journal. It consists of JSON lines, each appended with one write.

mod others;
mod own;
#[cfg(test)]
pub(super) mod tests;

pub use others::Others;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::NetnsId;
use nix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use trust::{self, Above};
use types::{ContainerId, Key};
use types::{LinkName, Namespace};

use super::marks::{self, Marks};
use super::{Change, Entry, FILE_MODE, FOLDER_MODE, JournalError, disk, folder};

/// The longest file that is read, in bytes.
const SIZE_MAX: u64 = 32 << 20;
/// The longest file that takes another change, in bytes.
const BEGIN_MAX: u64 = SIZE_MAX / 2;

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// The boot that the file belongs to (`/proc/sys/kernel/random/boot_id`).
    Boot(String),
    /// The setup is complete, and its changes are in use.
    Complete,
    /// The changes are about to be undone, and aren't in use any more.
    Leaving,
    /// A change is about to be made.
    Begin(Box<Entry>),
    /// The change was made. A new or moved link has this index.
    Done { number: u32, index: Option<u32> },
    /// The link of a change is about to be renamed.
    Rename { number: u32, name: LinkName },
    /// The link of a change has this name.
    Named { number: u32, name: LinkName },
    /// The moved link wasn't found when the change was undone.
    Missing { number: u32, why: String },
    /// The change wasn't made, or is undone.
    Void(u32),
}

/// The namespaces of a run.
#[derive(Debug, Clone, Copy)]
pub struct Here {
    /// The host's namespace.
    pub host: NetnsId,
    /// The container's namespace, if there is one.
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
    /// Whether changes are written to the file.
    persistent: bool,
    /// Whether the folder stays if it is empty, because a confined run can't make it again.
    keeps_folder: bool,
}

impl Journal {
    /// Reads the journal of `key` below `folder`. It is empty if it has no file.
    pub fn open(folder: &Path, key: &Key, here: Here) -> Result<Self, JournalError> {
        Self::read(folder, key, here, true)
    }

    /// Reads the journal for a run that changes nothing, as that of `plan`. Its changes
    /// are in this journal, but not in the file.
    pub fn open_for_trying(folder: &Path, key: &Key, here: Here) -> Result<Self, JournalError> {
        Self::read(folder, key, here, false)
    }

    fn read(folder: &Path, key: &Key, here: Here, persistent: bool) -> Result<Self, JournalError> {
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
            persistent,
            keeps_folder: false,
        };
        match trust::read(&journal.path, SIZE_MAX) {
            Ok(text) => journal.replay(&text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(journal.failed("read", &error)),
        }
        Ok(journal)
    }

    /// Makes the folder, and keeps it until [`Self::leave_folder`], because a confined run
    /// can't make it again.
    ///
    /// # Errors
    ///
    /// The folder can't be made.
    pub fn keep_folder(&mut self) -> Result<PathBuf, JournalError> {
        let home = self.home();
        if !self.persistent {
            return Ok(home);
        }
        let made = trust::make_folder(&home, FOLDER_MODE, Above::Ours);
        made.map_err(|error| self.failed("create", &error.into()))?;
        self.keep_marks()
            .map_err(|error| self.failed("create", &error))?;
        self.keeps_folder = true;
        Ok(home)
    }

    /// Removes the folder, if it is empty.
    pub fn leave_folder(&mut self) {
        self.keeps_folder = false;
        // Other containers' journals keep the network's folder.
        marks::remove_folder(&self.home());
    }

    fn marks(&self) -> Marks<'_> {
        Marks::of(&self.folder, &self.key)
    }

    /// Makes the folder of marks.
    fn keep_marks(&self) -> std::io::Result<()> {
        self.marks().keep(|| {
            let incomplete = self.incomplete_others().map_err(std::io::Error::other)?;
            let containers = incomplete.into_iter().map(|other| other.key.container);
            Ok(containers.collect())
        })
    }

    /// Returns the changes that aren't undone, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the journal is that of a setup that was killed before its end.
    pub fn is_abandoned(&self) -> bool {
        !self.complete && !self.entries.is_empty()
    }

    /// Whether the setup is complete and has changes that aren't undone.
    pub(super) fn is_complete(&self) -> bool {
        self.complete && !self.entries.is_empty()
    }

    /// Whether the changes are in use: the setup is complete, and undoing hasn't begun.
    pub fn is_in_use(&self) -> bool {
        self.is_complete() && !self.leaving
    }

    /// Whether undoing of a complete setup has begun.
    pub fn is_leaving(&self) -> bool {
        self.is_complete() && self.leaving
    }

    /// Returns the container.
    pub fn container(&self) -> &ContainerId {
        &self.key.container
    }

    /// Returns the container and the network of the journal.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether a moved link is missing.
    pub fn has_missing(&self) -> bool {
        self.entries.iter().any(|entry| entry.missing.is_some())
    }

    /// Returns the folder of the network's journals.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join(self.key.network.as_str())
    }

    /// Reads the journal of another container of the network.
    pub(super) fn of(&self, container: ContainerId) -> Result<Self, JournalError> {
        let key = Key {
            network: self.key.network.clone(),
            container,
        };
        let here = Here {
            container: None,
            ..self.here
        };
        Self::read(&self.folder, &key, here, self.persistent)
    }

    /// Whether changes are written to the file.
    pub(super) fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// Records that the setup is complete.
    pub fn complete(&mut self) -> Result<(), JournalError> {
        self.complete = true;
        if self.entries.is_empty() {
            return Ok(());
        }
        self.append(&Line::Complete)?;
        if self.persistent {
            self.marks().clear();
        }
        Ok(())
    }

    /// Records that the changes in use are about to be undone.
    pub fn leave(&mut self) -> Result<(), JournalError> {
        if !self.is_in_use() {
            return Ok(());
        }
        self.leaving = true;
        self.append(&Line::Leaving)
    }

    /// Removes the file of a journal without entries.
    pub fn discard(&mut self) -> Result<(), JournalError> {
        self.remove()
    }

    /// Returns the namespaces of this run.
    pub fn here(&self) -> Here {
        self.here
    }

    /// Records a change that is about to be made, and returns the entry's number. A
    /// `shared` change is made for all containers of the network.
    pub fn begin(&mut self, change: Change, shared: bool) -> Result<u32, JournalError> {
        let number = self.next;
        let entry = Entry {
            number,
            host: self.here.host,
            netns: self.here.container,
            at: since_boot(),
            shared,
            renaming: None,
            missing: None,
            change,
        };
        self.append(&Line::Begin(Box::new(entry.clone())))?;
        self.next += 1;
        self.entries.push(entry);
        Ok(number)
    }

    /// Records that a change was made. `index` is the index of a new or moved link.
    pub fn done(&mut self, number: u32, index: Option<u32>) -> Result<(), JournalError> {
        self.set_index(number, index);
        self.append(&Line::Done { number, index })
    }

    /// Records that the link of an entry is about to be renamed.
    pub fn rename(&mut self, number: u32, name: &LinkName) -> Result<(), JournalError> {
        let line = Line::Rename {
            number,
            name: name.clone(),
        };
        self.append(&line)?;
        self.set_renaming(number, name.clone());
        Ok(())
    }

    /// Records the name of an entry's link after renaming it.
    pub fn named(&mut self, number: u32, name: &LinkName) -> Result<(), JournalError> {
        self.set_name(number, name);
        self.append(&Line::Named {
            number,
            name: name.clone(),
        })
    }

    /// Returns the entries of this run's namespaces whose links are being renamed.
    pub fn renaming(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter();
        entries.filter(|entry| entry.renaming.is_some() && self.has_namespace_of(entry))
    }

    /// Records that the moved link of an entry is missing, and why no present link can
    /// be it.
    pub fn missing(&mut self, number: u32, why: &str) -> Result<(), JournalError> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.number == number);
        if entry.is_none_or(|entry| entry.missing.as_deref() == Some(why)) {
            return Ok(());
        }
        self.append(&Line::Missing {
            number,
            why: why.to_owned(),
        })?;
        self.set_missing(number, why.to_owned());
        Ok(())
    }

    /// Removes the entry of a change that wasn't made or is undone. The file is removed
    /// with the last entry.
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
        if !self.persistent {
            return Ok(());
        }
        disk::remove(&self.path).map_err(|error| self.failed("remove", &error))?;
        self.marks().clear();
        if !self.keeps_folder {
            self.leave_folder();
        }
        Ok(())
    }

    fn replay(&mut self, text: &[u8]) -> Result<(), JournalError> {
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = match serde_json::from_slice::<Line>(line) {
                Ok(line) => line,
                // The change of a torn line wasn't made, because that happens only after
                // the whole line is written.
                Err(_) if is_torn(line) => continue,
                Err(error) => {
                    let error =
                        format!("line {number} is unknown to this version of wasmvark ({error})");
                    return Err(self.failed("read", &std::io::Error::other(error)));
                }
            };
            match line {
                // The changes of another boot are gone with its kernel.
                Line::Boot(boot) if Some(&boot) != boot_id().as_ref() => return Ok(()),
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
                Line::Missing { number, why } => self.set_missing(number, why),
                Line::Void(number) => self.entries.retain(|entry| entry.number != number),
            }
        }
        Ok(())
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

    fn set_missing(&mut self, number: u32, why: String) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.number == number) {
            entry.missing = Some(why);
        }
    }

    fn set_renaming(&mut self, number: u32, name: LinkName) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.number == number) {
            entry.renaming = Some(name);
        }
    }

    /// Sets the name of an entry's link, also in the entries of routes through the link.
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
        if !self.persistent {
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
        // The file must stay short enough to be read, with the lines of undoing.
        if matches!(line, Line::Begin(_)) && is_full(file, &text) {
            let full = std::io::Error::other(format!("it has more than {BEGIN_MAX} bytes"));
            return Err(self.failed("write", &full));
        }
        disk::write(file, &text).map_err(|error| {
            let failed = self.failed("write", &error);
            // The next line must not continue a torn one. Opening the file ends it.
            self.file = None;
            failed
        })
    }

    fn create(&self) -> std::io::Result<File> {
        if let Some(folder) = self.path.parent() {
            trust::make_folder(folder, FOLDER_MODE, Above::Ours)?;
        }
        self.keep_marks()?;
        if !self.complete {
            self.marks().set()?;
        }
        if self.entries.is_empty() && self.path.exists() {
            // All changes in the file are undone. A confined run can't cut it.
            disk::remove(&self.path)?;
        }
        let mut options = OpenOptions::new();
        let file = trust::open(options.append(true).create(true), &self.path, FILE_MODE)?;
        // A line end ends a line that a crash may have torn.
        let mut start = b"\n".to_vec();
        if self.entries.is_empty() {
            let boot = Line::Boot(boot_id().unwrap_or_default());
            start = serde_json::to_vec(&boot)?;
            start.push(b'\n');
        }
        disk::write(&file, &start)?;
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

/// Reads the id of the running kernel's boot.
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Whether a journal has the line of a complete setup.
fn says_complete(path: &Path) -> bool {
    let Ok(text) = trust::read(path, SIZE_MAX) else {
        return false;
    };
    let complete = serde_json::to_vec(&Line::Complete).unwrap_or_default();
    text.split(|byte| *byte == b'\n')
        .any(|line| line == complete)
}

/// Whether a line is empty or cut off.
fn is_torn(line: &[u8]) -> bool {
    let read = serde_json::from_slice::<IgnoredAny>(line);
    read.is_err_and(|error| error.is_eof())
}

/// Whether a journal is too long for another change.
fn is_full(file: &File, line: &[u8]) -> bool {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let line = u64::try_from(line.len()).unwrap_or(u64::MAX);
    length.saturating_add(line) > BEGIN_MAX
}

/// Returns the nanoseconds since the boot, including suspend.
fn since_boot() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
