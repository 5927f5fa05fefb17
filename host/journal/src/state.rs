//! The state that a driver keeps for a network from run to run: keys and values in one
//! file beside the network's journals.
//!
//! A run changes a copy, which is committed once the run has succeeded. A setup has
//! succeeded once its journal says that it is complete. Before that, the copy is
//! written under a pending name, with the container's id in it. After that, it gets the
//! file's name. If a setup is killed in between, the next run commits its copy. A
//! teardown has no such line in a journal: its copy is committed once it has the file's
//! name.
//!
//! The state is removed with the network's last journal.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use trust::{self, Above};
use types::{ContainerId, NetworkId};

use super::{FILE_MODE, FOLDER_MODE, Here, Journal, JournalError, disk, folder, marks};

/// The extension of a state's file, behind the driver's name. No journal has it.
const EXTENSION: &str = "state";
/// The further extension of a pending copy.
const PENDING: &str = "new";

/// The longest file, in bytes: the values that the gate allows, in base64 and JSON.
const SIZE_MAX: u64 = 4 << 20;

/// Why a network's state can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StateError {
    /// The file can't be used.
    #[error("can't {action} the network's state {}: {error}; free space or give access there first", path.display())]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        error: String,
    },
    /// The journal of a pending copy can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StateError + 'a {
    move |error| StateError::File {
        action,
        path: path.to_owned(),
        error: error.to_string(),
    }
}

/// The content of a state's file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// The container whose complete journal commits the copy.
    setup_of: Option<String>,
    /// The values, in base64.
    values: BTreeMap<String, String>,
}

/// The state that one driver keeps for a network.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    values: BTreeMap<String, Vec<u8>>,
    changed: bool,
    written: bool,
    /// Whether changes are written to the file.
    persistent: bool,
}

impl State {
    /// Reads the state that a driver keeps for the journal's network.
    pub fn open(journal: &Journal, driver: &str) -> Result<Self, StateError> {
        settle(journal)?;
        let path = journal.home().join(format!("{driver}.{EXTENSION}"));
        let pending = pending(&path);
        let newest = match journal.is_persistent() || !is_committed(&pending, journal)? {
            true => path.clone(),
            false => pending,
        };
        let content = read(&newest)?.unwrap_or_default();
        let values = content.values.into_iter();
        let values = values.map(|(key, value)| Ok((key, STANDARD.decode(value)?)));
        let values = values.collect::<Result<_, base64::DecodeError>>();
        let values = values.map_err(|error| failed("read", &path)(io::Error::other(error)))?;
        Ok(Self {
            path,
            values,
            changed: false,
            written: false,
            persistent: journal.is_persistent(),
        })
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// Returns all keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns the bytes of all keys and values, without those of `key`.
    pub fn size_without(&self, key: &str) -> usize {
        let others = self.values.iter().filter(|(own, _)| *own != key);
        others.map(|(key, value)| key.len() + value.len()).sum()
    }

    /// Sets a value in this run's copy.
    pub fn set(&mut self, key: String, value: Vec<u8>) {
        self.values.insert(key, value);
        self.changed = true;
    }

    /// Removes a value from this run's copy.
    pub fn remove(&mut self, key: &str) {
        self.changed |= self.values.remove(key).is_some();
    }

    /// Whether this run's copy differs from the file.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Writes a pending copy. If `setup_of` is a container, its complete journal
    /// commits the copy.
    pub fn write(&mut self, setup_of: Option<&ContainerId>) -> Result<(), StateError> {
        if !self.persistent {
            return Ok(());
        }
        let values = self.values.iter();
        let content = Content {
            setup_of: setup_of.map(ToString::to_string),
            values: values
                .map(|(key, value)| (key.clone(), STANDARD.encode(value)))
                .collect(),
        };
        let path = pending(&self.path);
        self.written = true;
        let text = serde_json::to_vec(&content).map_err(io::Error::other);
        text.and_then(|text| disk::write(&create(&path)?, &text))
            .map_err(failed("write", &path))
    }

    /// Commits the pending copy by giving it the file's name.
    pub fn publish(&mut self) -> Result<(), StateError> {
        if !self.persistent {
            return Ok(());
        }
        rename(&pending(&self.path), &self.path)?;
        self.written = false;
        self.changed = false;
        Ok(())
    }

    /// Removes the pending copy that this run wrote.
    pub fn withdraw(&mut self) -> Result<(), StateError> {
        if !self.written {
            return Ok(());
        }
        let path = pending(&self.path);
        disk::remove(&path).map_err(failed("remove", &path))?;
        self.written = false;
        Ok(())
    }
}

/// Commits or removes the pending copies that killed runs of the journal's network left.
pub fn settle(journal: &Journal) -> Result<(), StateError> {
    if !journal.is_persistent() {
        return Ok(());
    }
    for path in files(&journal.home()) {
        if !is_pending(&path) {
            continue;
        }
        if is_committed(&path, journal)? {
            rename(&path, &path.with_extension(""))?;
        } else {
            disk::remove(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes the state of the journal's network if no container is left on it.
pub fn clear_unused(journal: &Journal) -> Result<(), StateError> {
    if !journal.is_persistent()
        || !journal.entries().is_empty()
        || is_used_by_others(journal)?
        || files(&journal.home()).is_empty()
    {
        return Ok(());
    }
    clear(&journal.home())
}

/// Removes the state of a network if no container is left on it.
pub fn clear_unused_of(folder: &Path, network: &NetworkId, here: Here) -> Result<(), StateError> {
    for key in folder::of_network(folder, network) {
        if !Journal::open(folder, &key, here)?.entries().is_empty() {
            return Ok(());
        }
    }
    clear(&folder.join(network.as_str()))
}

fn clear(home: &Path) -> Result<(), StateError> {
    for path in files(home) {
        disk::remove(&path).map_err(failed("remove", &path))?;
    }
    // Other files keep the network's folder.
    marks::remove_folder(home);
    Ok(())
}

/// Whether another container is connected to the network.
pub fn is_used_by_others(journal: &Journal) -> Result<bool, JournalError> {
    for other in journal.others() {
        if !other?.entries().is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a pending copy is that of a complete setup. A copy that a crash tore isn't.
fn is_committed(path: &Path, journal: &Journal) -> Result<bool, StateError> {
    let Ok(Some(content)) = read(path) else {
        return Ok(false);
    };
    let container = content
        .setup_of
        .and_then(|id| ContainerId::try_from(id).ok());
    match container {
        Some(container) => Ok(journal.of(container)?.is_complete()),
        None => Ok(false),
    }
}

fn read(path: &Path) -> Result<Option<Content>, StateError> {
    let text = match trust::read(path, SIZE_MAX) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(failed("read", path))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| failed("read", path)(error.into()))
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        trust::make_folder(folder, FOLDER_MODE, Above::Ours)?;
    }
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true);
    trust::open(options, path, FILE_MODE)
}

fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    disk::rename(from, to).map_err(failed("replace", to))
}

/// Returns the path of a state's pending copy.
fn pending(path: &Path) -> PathBuf {
    path.with_added_extension(PENDING)
}

fn is_pending(path: &Path) -> bool {
    path.extension() == Some(PENDING.as_ref())
}

/// Lists the files of states in a network's folder, with pending copies.
fn files(home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let states = names.filter(|name| {
        let name = Path::new(name);
        let extension = match is_pending(name) {
            true => name
                .file_stem()
                .and_then(|name| Path::new(name).extension()),
            false => name.extension(),
        };
        extension == Some(EXTENSION.as_ref())
    });
    states.map(|name| home.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Change;
    use crate::file::tests::open_as as journal;

    fn id(container: &str) -> ContainerId {
        container.to_owned().try_into().unwrap()
    }

    /// State outlives an upgrade.
    #[test]
    fn content_keeps_its_form() {
        let golden = r#"{"setup_of":"c0ffee","values":{"key":"AP8="}}"#;
        let content: Content = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_string(&content).unwrap(), golden);
    }

    #[test]
    fn a_copy_counts_once_its_journal_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = journal(folder.path(), "one");
        one.begin(Change::KeepState, false).unwrap();
        let write = |value: &[u8]| {
            let mut state = State::open(&one, "driver").unwrap();
            state.set("key".to_owned(), value.to_vec());
            state.write(Some(&id("one"))).unwrap();
        };
        let two = journal(folder.path(), "two");
        let value = || {
            let state = State::open(&two, "driver").unwrap();
            state.get("key").map(<[u8]>::to_vec)
        };
        write(&[0, 0xff]);
        assert_eq!(value(), None);
        write(&[0, 0xff]);
        journal(folder.path(), "one").complete().unwrap();
        assert_eq!(value(), Some(vec![0, 0xff]));
        let other = State::open(&two, "other").unwrap();
        assert_eq!(other.keys().count(), 0);
    }

    #[test]
    fn a_torn_copy_and_one_of_a_teardown_never_count() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = journal(folder.path(), "one");
        one.begin(Change::KeepState, false).unwrap();
        one.complete().unwrap();
        let mut state = State::open(&one, "driver").unwrap();
        state.set("key".to_owned(), vec![1]);
        state.write(None).unwrap();
        assert_eq!(State::open(&one, "driver").unwrap().keys().count(), 0);
        let torn = one.home().join("driver.state.new");
        std::fs::write(&torn, "{\"setup_of\":\"one\",").unwrap();
        assert_eq!(State::open(&one, "driver").unwrap().keys().count(), 0);
        assert!(!torn.exists());
    }

    #[test]
    fn the_state_goes_with_the_last_journal() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = journal(folder.path(), "one");
        let number = one.begin(Change::KeepState, false).unwrap();
        let mut state = State::open(&one, "driver").unwrap();
        state.set("key".to_owned(), vec![1]);
        state.write(None).unwrap();
        state.publish().unwrap();
        let two = journal(folder.path(), "two");
        clear_unused(&two).unwrap();
        assert_eq!(State::open(&two, "driver").unwrap().keys().count(), 1);
        one.void(number).unwrap();
        clear_unused(&two).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
