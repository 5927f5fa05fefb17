//! The registrations of drivers, their components and their grants.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use audit::{Place, Rotation};
use engine::driver::{Code, declared_options};
use request::Declared;
use serde::{Deserialize, Serialize};
use trust::{self, Above};
use types::Digest;

use super::files::Notes;
use super::{DriverName, Intact, Layout, StoreError, files, link};

/// The registration of an installed driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// The component's digest.
    pub digest: Digest,
    /// The link in the plugin directory.
    pub link: PathBuf,
}

/// A component's precompiled code in the store.
#[derive(Debug)]
pub(crate) struct StoredCode {
    /// The file.
    pub path: PathBuf,
    /// Whether the file is as it was written.
    pub intact: Intact,
    /// The options that the component declares. Code that an earlier wasmvark made lacks
    /// them, and that of a component whose manifest isn't valid.
    pub options: Option<Declared>,
}

/// The store of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    layout: Layout,
}

impl Store {
    /// Returns the store of a layout. No file is touched.
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// Returns the folders of the installation.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Stores a component, and its precompiled code, if given.
    pub(crate) fn put(&self, component: &[u8], code: Option<&[u8]>) -> Result<Digest, StoreError> {
        let digest = Digest::of(component);
        let path = self.component_path(&digest);
        files::write_stamped(&path, component, Notes::default())?;
        if let Some(code) = code {
            self.put_code(&digest, component, code)?;
        }
        Ok(digest)
    }

    /// Replaces the precompiled code of a component, and keeps the options that the
    /// component declares with it, unless its manifest isn't valid.
    pub(crate) fn put_code(
        &self,
        digest: &Digest,
        component: &[u8],
        code: &[u8],
    ) -> Result<(), StoreError> {
        let options = declared_options(component).ok();
        let notes = Notes {
            maker: Some(Code::maker()),
            options: options.map(|options| options.for_runs()),
        };
        files::write_stamped(&self.code_path(digest), code, notes)
    }

    /// Keeps the options that a component declares with its precompiled code.
    pub(crate) fn put_options(
        &self,
        digest: &Digest,
        options: &Declared,
    ) -> Result<(), StoreError> {
        files::note_options(&self.code_path(digest), options.for_runs())
    }

    /// Registers a component under a name and makes its link.
    pub(crate) fn register(
        &self,
        name: &DriverName,
        digest: &Digest,
        plugins: &Path,
        program: &Path,
    ) -> Result<Registration, StoreError> {
        let before = self.find(name).ok();
        let registration = Registration {
            digest: digest.clone(),
            link: link::make(plugins, name, program)?,
        };
        self.write_registration(name, &registration)?;
        if let Some(before) = before {
            if before.link != registration.link {
                link::remove(&before.link, program)?;
            }
            self.forget_unused(&before.digest)?;
        }
        Ok(registration)
    }

    /// Removes a driver's registration and link. Its component is removed if no other
    /// driver uses it.
    pub(crate) fn remove(
        &self,
        name: &DriverName,
        program: &Path,
    ) -> Result<Registration, StoreError> {
        let registration = self.find(name)?;
        link::remove(&registration.link, program)?;
        files::remove(&self.registration_path(name))?;
        self.forget_previous(name)?;
        self.forget_unused(&registration.digest)?;
        Ok(registration)
    }

    /// Refuses a name whose link would replace a foreign file.
    pub(crate) fn check_link(
        &self,
        name: &DriverName,
        plugins: &Path,
        program: &Path,
    ) -> Result<(), StoreError> {
        link::check(&plugins.join(name.as_str()), program)
    }

    /// Registers another component under a name.
    pub(super) fn point_to(&self, name: &DriverName, digest: &Digest) -> Result<(), StoreError> {
        let registration = Registration {
            digest: digest.clone(),
            ..self.find(name)?
        };
        self.write_registration(name, &registration)
    }

    fn write_registration(
        &self,
        name: &DriverName,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_vec(registration).unwrap_or_default();
        files::write(&self.registration_path(name), &text, 0o600)
    }

    /// Reads the registration of a name.
    pub(crate) fn find(&self, name: &DriverName) -> Result<Registration, StoreError> {
        let path = self.registration_path(name);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NotInstalled {
                    name: name.clone(),
                    lib: self.layout.lib.clone(),
                });
            }
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        trust::check(&path)?;
        serde_json::from_slice(&text).map_err(|error| StoreError::Registration { path, error })
    }

    /// Lists the names of all drivers.
    pub(crate) fn names(&self) -> Result<BTreeSet<DriverName>, StoreError> {
        let folder = self.layout.lib.join("drivers");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            Err(error) => return Err(StoreError::io("list", &folder)(error)),
        };
        let names = entries.filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.strip_suffix(".json")?.parse().ok()
        });
        Ok(names.collect())
    }

    /// Checks that a driver's component is present and has its digest.
    pub(crate) fn check_component(
        &self,
        name: &DriverName,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let path = self.component_path(digest);
        let state = match files::check(&path, None) {
            Intact::Yes => return Ok(()),
            Intact::Missing => "missing",
            Intact::Corrupt | Intact::Foreign => "corrupt",
        };
        Err(StoreError::Component {
            name: name.clone(),
            path,
            state,
        })
    }

    /// Reads a component, and checks its digest.
    pub(crate) fn component(
        &self,
        name: &DriverName,
        digest: &Digest,
    ) -> Result<Vec<u8>, StoreError> {
        let path = self.component_path(digest);
        let bytes = std::fs::read(&path).map_err(StoreError::io("read", &path))?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(StoreError::Component {
            name: name.clone(),
            path,
            state: "corrupt",
        })
    }

    /// Finds a component's precompiled code.
    ///
    /// # Errors
    ///
    /// Another user could have written the code.
    pub(crate) fn code(&self, digest: &Digest) -> Result<StoredCode, StoreError> {
        let path = self.code_path(digest);
        let (intact, options) = files::check_with_options(&path, Some(&Code::maker()));
        if intact == Intact::Yes {
            trust::check(&path)?;
        }
        Ok(StoredCode {
            path,
            intact,
            options,
        })
    }

    /// Returns the place of the audit trail.
    pub(crate) fn trail(&self) -> Place {
        Place {
            file: self.layout.trail.clone(),
            rotation: self.rotation(),
            journald: self.layout.journald.clone(),
        }
    }

    /// Reads the operator's bounds of the trail's files.
    fn rotation(&self) -> Result<Rotation, String> {
        let path = &self.layout.trail_settings;
        let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        match std::fs::read_to_string(path) {
            Ok(text) => {
                trust::check(path).map_err(|error| error.to_string())?;
                Rotation::parse(&text).map_err(|error| in_file(&error))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Rotation::default()),
            Err(error) => Err(in_file(&error)),
        }
    }

    /// Refuses folders of journals, locks and state to which another user could write. The
    /// host acts upon their content.
    pub(crate) fn check_runtime(&self) -> Result<(), StoreError> {
        for folder in [self.layout.journals(), self.layout.locks()] {
            trust::check_existing(&folder, Above::Ours)?;
        }
        Ok(())
    }

    /// Refuses a trail that another user could have written, so that no command shows
    /// forged lines.
    pub(crate) fn check_trail(&self) -> Result<(), StoreError> {
        Ok(trust::check_existing(&self.layout.trail, Above::Groups)?)
    }

    /// Reads the text of a driver's grant, if there is one.
    pub(crate) fn grant_text(&self, name: &DriverName) -> Result<Option<String>, StoreError> {
        let path = self.layout.grant(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                trust::check(&path)?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// Writes a driver's grant.
    pub(crate) fn put_grant(&self, name: &DriverName, text: &str) -> Result<(), StoreError> {
        files::write(&self.layout.grant(name), text.as_bytes(), 0o644)
    }

    /// Changes a driver's existing grant. The file keeps its mode.
    pub(crate) fn change_grant(&self, name: &DriverName, text: &str) -> Result<(), StoreError> {
        files::change(&self.layout.grant(name), text.as_bytes())
    }

    /// Removes a component, unless it is a driver's current or previous one.
    pub(crate) fn forget_unused(&self, digest: &Digest) -> Result<(), StoreError> {
        if self.names()?.iter().any(|name| self.uses(name, digest)) {
            return Ok(());
        }
        files::remove_stamped(&self.component_path(digest))?;
        files::remove_stamped(&self.code_path(digest))
    }

    /// Returns the sizes of a component and of its precompiled code, in bytes. A missing
    /// file has none.
    pub(crate) fn sizes(&self, digest: &Digest) -> (Option<u64>, Option<u64>) {
        let size = |path: PathBuf| Some(std::fs::metadata(path).ok()?.len());
        (
            size(self.component_path(digest)),
            size(self.code_path(digest)),
        )
    }

    /// Returns the path of a component.
    pub(crate) fn component_path(&self, digest: &Digest) -> PathBuf {
        self.layout
            .lib
            .join("components")
            .join(format!("{}.wasm", digest.hex()))
    }

    fn code_path(&self, digest: &Digest) -> PathBuf {
        self.layout
            .lib
            .join("code")
            .join(format!("{}.cwasm", digest.hex()))
    }

    fn registration_path(&self, name: &DriverName) -> PathBuf {
        self.layout.lib.join("drivers").join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores outlive an upgrade.
    #[test]
    fn registrations_keep_their_form() {
        let golden = include_str!("golden/registration.json");
        let registration: Registration = serde_json::from_str(golden).unwrap();
        let text = serde_json::to_string(&registration).unwrap();
        assert_eq!(text, golden.trim_end());
    }
}
