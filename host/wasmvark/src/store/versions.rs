//! Switching a driver from one component to another, and back.
//!
//! A driver's version is in two files, its registration and its grant, and two files
//! can't change at once. So the switch is recorded first:
//!
//! 1. `switching/NAME.json`: the old and the new digest and grant;
//! 2. the grant;
//! 3. the registration, which makes the driver the new one;
//! 4. `previous/NAME.json`: the old digest and grant, for switching back;
//! 5. `switching/NAME.json` is removed.
//!
//! If the command is killed before 2 or after 3, the driver is the old or the new one as
//! a whole. Between these steps, the grant is for another digest than the registered
//! one, and every call is denied. The next command that changes the driver ends the
//! switch first ([`Store::settle`]). If the new component is registered, it completes
//! the switch. Otherwise it restores the old grant.
//!
//! The journals don't depend on the component: the host undoes the changes of the old
//! component, whichever one is installed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trust::{self, Above};
use types::Digest;

use super::{DriverName, Store, StoreError, files};

/// A version of a driver: a component with its grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// The component's digest.
    pub digest: Digest,
    /// The text of the grant, if there is one.
    pub grant: Option<String>,
}

/// The end of an interrupted switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The driver has the old version.
    Back,
    /// The driver has the new version.
    Forward,
}

/// A switch that has begun.
#[derive(Serialize, Deserialize)]
struct Switch {
    from: Version,
    to: Version,
}

impl Store {
    /// Reads a driver's current version.
    pub(crate) fn current(&self, name: &DriverName) -> Result<Version, StoreError> {
        Ok(Version {
            digest: self.find(name)?.digest,
            grant: self.grant_text(name)?,
        })
    }

    /// Reads a driver's previous version, if one is kept.
    pub(crate) fn previous(&self, name: &DriverName) -> Result<Option<Version>, StoreError> {
        self.read_kept(&self.previous_path(name))
    }

    /// Keeps other commands from changing drivers until the returned file is dropped.
    pub(crate) fn lock(&self) -> Result<File, StoreError> {
        let path = self.layout().lib.join("lock");
        trust::make_folder(&self.layout().lib, files::FOLDER_MODE, Above::Ours)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // Another user who could open the file could hold the lock for ever.
        trust::open(&mut options, &path, 0o600)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(StoreError::io("lock", &path))
    }

    /// Switches a driver to another version, whose component must be in the store. The
    /// current version becomes the previous one ([`Store::previous`]).
    ///
    /// # Errors
    ///
    /// The driver's current version isn't `from`, or a file can't be changed.
    pub(crate) fn switch(
        &self,
        name: &DriverName,
        from: &Version,
        to: &Version,
    ) -> Result<(), StoreError> {
        if self.current(name)? != *from {
            return Err(StoreError::Changed { name: name.clone() });
        }
        let switch = Switch {
            from: from.clone(),
            to: to.clone(),
        };
        self.write_kept(&self.switching_path(name), &switch)?;
        self.write_grant(name, to.grant.as_deref())?;
        self.point_to(name, &to.digest)?;
        self.finish(name, &switch)
    }

    /// Ends an interrupted switch, and returns the result. The driver then has the old or
    /// the new version as a whole. Returns `None` if no switch was interrupted.
    pub(crate) fn settle(&self, name: &DriverName) -> Result<Option<Settled>, StoreError> {
        let path = self.switching_path(name);
        let Some(switch) = self.read_kept::<Switch>(&path)? else {
            return Ok(None);
        };
        if self.find(name)?.digest == switch.to.digest {
            self.finish(name, &switch)?;
            return Ok(Some(Settled::Forward));
        }
        // A grant that the operator has written since then stays.
        if self.grant_text(name)? == switch.to.grant {
            self.write_grant(name, switch.from.grant.as_deref())?;
        }
        files::remove(&path)?;
        self.forget_unused(&switch.to.digest)?;
        Ok(Some(Settled::Back))
    }

    fn finish(&self, name: &DriverName, switch: &Switch) -> Result<(), StoreError> {
        let before = self.previous(name)?;
        self.write_kept(&self.previous_path(name), &switch.from)?;
        files::remove(&self.switching_path(name))?;
        match before {
            Some(before) => self.forget_unused(&before.digest),
            None => Ok(()),
        }
    }

    fn write_grant(&self, name: &DriverName, text: Option<&str>) -> Result<(), StoreError> {
        let path = self.layout().grant(name);
        match text {
            None => files::remove(&path),
            Some(text) if path.exists() => self.change_grant(name, text),
            Some(text) => self.put_grant(name, text),
        }
    }

    /// Removes a driver's previous version.
    pub(super) fn forget_previous(&self, name: &DriverName) -> Result<(), StoreError> {
        let previous = self.previous(name)?;
        files::remove(&self.previous_path(name))?;
        match previous {
            Some(previous) => self.forget_unused(&previous.digest),
            None => Ok(()),
        }
    }

    /// Whether a component is a driver's current or previous one, or part of its switch.
    pub(super) fn uses(&self, name: &DriverName, digest: &Digest) -> bool {
        let switching = self.read_kept::<Switch>(&self.switching_path(name));
        let has = |version: &Version| version.digest == *digest;
        self.find(name).is_ok_and(|now| now.digest == *digest)
            || matches!(self.previous(name), Ok(Some(previous)) if has(&previous))
            || matches!(switching, Ok(Some(switch)) if has(&switch.from) || has(&switch.to))
    }

    fn read_kept<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, StoreError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        trust::check(path)?;
        let kept = serde_json::from_slice(&text);
        kept.map(Some).map_err(|error| StoreError::Kept {
            path: path.to_owned(),
            error,
        })
    }

    fn write_kept(&self, path: &Path, kept: &impl Serialize) -> Result<(), StoreError> {
        let text = serde_json::to_vec(kept).unwrap_or_default();
        files::write(path, &text, 0o600)
    }

    fn previous_path(&self, name: &DriverName) -> PathBuf {
        let folder = self.layout().lib.join("previous");
        folder.join(format!("{name}.json"))
    }

    fn switching_path(&self, name: &DriverName) -> PathBuf {
        let folder = self.layout().lib.join("switching");
        folder.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    const CODE: &[u8] = b"code";

    struct Bench {
        _folder: tempfile::TempDir,
        store: Store,
        name: DriverName,
    }

    impl Bench {
        /// Registers a driver with the component `old` and the grant `old's`.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::new(Layout::choose(Some(folder.path())).unwrap());
            let name: DriverName = "d".parse().unwrap();
            let digest = store.put(b"old", Some(CODE)).unwrap();
            store.put_grant(&name, "old's").unwrap();
            let plugins = folder.path().join("plugins");
            let program = std::env::current_exe().unwrap();
            store.register(&name, &digest, &plugins, &program).unwrap();
            Self {
                _folder: folder,
                store,
                name,
            }
        }

        fn version(&self, component: &[u8]) -> Version {
            let digest = self.store.put(component, Some(CODE)).unwrap();
            let grant = format!("{}'s", String::from_utf8_lossy(component));
            Version {
                digest,
                grant: Some(grant),
            }
        }

        fn current(&self) -> Version {
            self.store.current(&self.name).unwrap()
        }

        fn is_kept(&self, component: &[u8]) -> bool {
            let digest = Digest::of(component);
            self.store.check_component(&self.name, &digest).is_ok()
        }

        /// Makes a switch that is killed before one of its writes, from the second one on.
        fn killed_before(&self, write: u32, to: &Version) {
            let from = self.current();
            let path = self.store.switching_path(&self.name);
            let switch = Switch {
                from: from.clone(),
                to: to.clone(),
            };
            self.store.write_kept(&path, &switch).unwrap();
            if write > 2 {
                let grant = to.grant.as_deref();
                self.store.write_grant(&self.name, grant).unwrap();
            }
            if write > 3 {
                self.store.point_to(&self.name, &to.digest).unwrap();
            }
            if write > 4 {
                let path = self.store.previous_path(&self.name);
                self.store.write_kept(&path, &from).unwrap();
            }
        }
    }

    #[test]
    fn the_way_back_is_kept_and_leads_forward_again() {
        let bench = Bench::new();
        let (old, new) = (bench.version(b"old"), bench.version(b"new"));
        for (from, to) in [(&old, &new), (&new, &old), (&old, &new)] {
            bench.store.switch(&bench.name, from, to).unwrap();
            assert_eq!(bench.current(), *to);
            assert_eq!(
                bench.store.previous(&bench.name).unwrap().as_ref(),
                Some(from)
            );
            assert!(bench.is_kept(b"old") && bench.is_kept(b"new"));
        }
        let newest = bench.version(b"newest");
        bench.store.switch(&bench.name, &new, &newest).unwrap();
        assert!(!bench.is_kept(b"old"), "one step back is kept");
        let program = std::env::current_exe().unwrap();
        bench.store.remove(&bench.name, &program).unwrap();
        assert!(!bench.is_kept(b"new") && !bench.is_kept(b"newest"));
        assert_eq!(bench.store.previous(&bench.name).unwrap(), None);
    }

    #[test]
    fn a_switch_that_is_killed_leaves_one_of_the_two() {
        for write in 2..=5 {
            let bench = Bench::new();
            let (old, new) = (bench.version(b"old"), bench.version(b"new"));
            bench.killed_before(write, &new);
            let mixed = bench.current();
            assert!(
                write == 3 || mixed == old || mixed == new,
                "only between the grant and the registration they differ: {mixed:?}"
            );
            let settled = bench.store.settle(&bench.name).unwrap();
            let (expected, other, how) = match write {
                2 | 3 => (old, b"new", Settled::Back),
                _ => (new, b"old", Settled::Forward),
            };
            assert_eq!(settled, Some(how));
            assert_eq!(bench.current(), expected, "before write {write}");
            let is_forward = write > 3;
            assert_eq!(bench.is_kept(other), is_forward, "before write {write}");
            let previous = bench.store.previous(&bench.name).unwrap();
            assert_eq!(previous.is_some(), is_forward);
            assert_eq!(bench.store.settle(&bench.name).unwrap(), None);
        }
    }

    #[test]
    fn a_driver_that_somebody_else_changed_is_left_alone() {
        let bench = Bench::new();
        let (old, new) = (bench.version(b"old"), bench.version(b"new"));
        bench.store.put_grant(&bench.name, "another").unwrap();
        let error = bench.store.switch(&bench.name, &old, &new).unwrap_err();
        assert!(matches!(error, StoreError::Changed { .. }));
        assert_eq!(bench.current().grant.as_deref(), Some("another"));
    }
}
