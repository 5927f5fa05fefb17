//! Marks of setups that aren't complete yet, or were killed before that.
//!
//! A network's folder of marks has a file by the name of each container whose journal is
//! incomplete, so that a run finds these without reading the journals of all others. A mark
//! is made before the journal and removed after its end. So a mark may be left over, and
//! none is missing.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trust::Above;
use types::{ContainerId, Key};

use super::{FILE_MODE, FOLDER_MODE};

/// The name of the folder of marks in that of the network. No journal and no state has it.
const NAME: &str = "incomplete";
/// The name under which the folder is filled, before it counts.
const FILLED: &str = "incomplete.new";

/// The marks of a network.
pub(super) struct Marks<'a> {
    /// The folder of all journals.
    folder: &'a Path,
    key: &'a Key,
}

impl<'a> Marks<'a> {
    /// Returns the marks of a container's network.
    pub(super) fn of(folder: &'a Path, key: &'a Key) -> Self {
        Self { folder, key }
    }

    fn home(&self) -> PathBuf {
        self.folder.join(self.key.network.as_str())
    }

    fn path(&self) -> PathBuf {
        self.home().join(NAME)
    }

    fn own(&self) -> PathBuf {
        self.path().join(self.key.container.as_str())
    }

    /// Makes the folder. If there is none, an earlier version of this program may have left
    /// incomplete journals, which `incomplete` lists.
    pub(super) fn keep(
        &self,
        incomplete: impl FnOnce() -> io::Result<Vec<ContainerId>>,
    ) -> io::Result<()> {
        let path = self.path();
        if path.is_dir() {
            return Ok(());
        }
        let filled = self.home().join(FILLED);
        trust::make_folder(&filled, FOLDER_MODE, Above::Ours)?;
        for container in incomplete()? {
            make(&filled.join(container.as_str()))?;
        }
        std::fs::rename(&filled, &path)
    }

    /// Marks the container. The folder must be there.
    pub(super) fn set(&self) -> io::Result<()> {
        make(&self.own())
    }

    /// Removes the container's mark. One that stays is only read once more.
    pub(super) fn clear(&self) {
        let _ = std::fs::remove_file(self.own());
    }

    /// Returns the other marked containers, or `None` if the network has no folder of marks.
    pub(super) fn others(&self) -> io::Result<Option<Vec<ContainerId>>> {
        let entries = match std::fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut others = Vec::new();
        for entry in entries {
            let name = entry?.file_name().into_string().unwrap_or_default();
            others.extend(ContainerId::try_from(name).ok());
        }
        others.retain(|other| *other != self.key.container);
        others.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(Some(others))
    }
}

/// Removes a network's folder, if nothing is in it but marks without journals. The caller
/// holds the network's lock.
pub(super) fn remove_folder(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else {
        return;
    };
    let is_other = |name: &OsStr| name != NAME && name != FILLED;
    if entries.flatten().any(|entry| is_other(&entry.file_name())) {
        return;
    }
    for folder in [home.join(NAME), home.join(FILLED)] {
        let marks = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for mark in marks {
            let _ = std::fs::remove_file(mark.path());
        }
        let _ = std::fs::remove_dir(&folder);
    }
    // If it isn't empty after all, it stays.
    let _ = std::fs::remove_dir(home);
}

/// Makes a mark.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    trust::open(options.write(true).create(true), path, FILE_MODE).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::Change;
    use crate::file::tests::open_as as journal;

    fn abandoned(folder: &std::path::Path) -> Vec<String> {
        let others = journal(folder, "looks").abandoned_others().unwrap();
        let ids = others.iter().map(|other| other.container().to_string());
        ids.collect()
    }

    #[test]
    fn an_incomplete_setup_is_found_by_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        for container in ["complete", "killed"] {
            let mut journal = journal(folder.path(), container);
            journal.begin(Change::KeepState, false).unwrap();
            if container == "complete" {
                journal.complete().unwrap();
            }
        }
        assert_eq!(abandoned(folder.path()), ["killed"]);
    }

    #[test]
    fn journals_from_before_the_marks_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut killed = journal(folder.path(), "killed");
        killed.begin(Change::KeepState, false).unwrap();
        fs::remove_dir_all(killed.home().join(super::NAME)).unwrap();
        assert_eq!(abandoned(folder.path()), ["killed"]);
        let mut next = journal(folder.path(), "next");
        next.begin(Change::KeepState, false).unwrap();
        next.complete().unwrap();
        assert_eq!(abandoned(folder.path()), ["killed"]);
    }

    #[test]
    fn a_mark_without_a_journal_means_nothing_and_goes_with_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = journal(folder.path(), "one");
        let number = one.begin(Change::KeepState, false).unwrap();
        let mark = one.home().join(super::NAME).join("killed-early");
        fs::write(&mark, "").unwrap();
        assert_eq!(abandoned(folder.path()), ["one"]);
        one.void(number).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
