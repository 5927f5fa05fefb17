//! The versions of the interface that drivers are built for.
//!
//! The host serves the current minor version and the previous one. A function that a
//! driver imports of the previous version is the same function under another name. So
//! the imports get their current names before the driver is compiled. Functions whose
//! types differ, and exports, are converted by [`super::previous`].

use std::borrow::Cow;
use std::fmt;

use wasmparser::{Parser, Payload};

use super::ComponentError;

/// The prefix of all interface names.
const PACKAGE: &str = "wasmvark:driver/";

/// A minor version of the interface that this host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.2, whose drivers export functions outside of an interface.
    V0_2,
    /// 0.3, whose drivers export the interface `handler`.
    V0_3,
}

/// An interface of the package `wasmvark:driver`, as a component imports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interface<'a> {
    /// The name, as `links`.
    pub(super) name: &'a str,
    /// The version with the patch level, as `0.1.0`.
    version: &'a str,
}

impl Version {
    /// All served versions, the newest first.
    pub const ALL: [Self; 2] = [Self::CURRENT, Self::V0_2];

    /// The version in `wit/`.
    pub(crate) const CURRENT: Self = Self::V0_3;

    /// Whether the host checks the options that the manifest declares.
    pub fn checks_options(self) -> bool {
        self >= Self::V0_3
    }

    fn text(self) -> &'static str {
        match self {
            Self::V0_2 => "0.2",
            Self::V0_3 => "0.3",
        }
    }

    /// Returns the prefix of the full version numbers.
    fn prefix(self) -> String {
        format!("{self}.")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The full version of `wit/`.
const CURRENT: &str = "0.3.0";

/// Returns the full name of an interface in the current version.
pub(super) fn current_name(interface: &str) -> String {
    format!("{PACKAGE}{interface}@{CURRENT}")
}

/// Returns what to do with a component that is built for a version that isn't served.
pub(super) fn remedy(version: &str) -> &'static str {
    match minor(version) {
        Some(other) if other < OLDEST => {
            "build it with an SDK of one of these, or install an older wasmvark"
        }
        _ => "install a newer wasmvark, or build it with an SDK of one of these",
    }
}

/// The oldest served version.
const OLDEST: (u32, u32) = (0, 2);

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Returns the served versions, in words.
pub(super) fn served() -> String {
    Version::ALL.map(Version::text).join(" and ")
}

impl<'a> Interface<'a> {
    /// Parses the name of an import. Returns `None` for other packages.
    pub(super) fn parse(import: &'a str) -> Option<Self> {
        let (name, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
        Some(Self { name, version })
    }

    /// Returns the minor version.
    ///
    /// # Errors
    ///
    /// It isn't served.
    pub(super) fn served(&self) -> Result<Version, ComponentError> {
        let mut all = Version::ALL.into_iter();
        all.find(|version| self.version.starts_with(&version.prefix()))
            .ok_or_else(|| ComponentError::Version(self.version.to_owned()))
    }
}

/// Renames a component's imports to the names of the current version. The names keep
/// their lengths, so all offsets stay valid.
///
/// # Errors
///
/// The component isn't valid, or is built for a version that isn't served.
pub(super) fn with_current_names(component: &[u8]) -> Result<Cow<'_, [u8]>, ComponentError> {
    let mut renamed = Cow::Borrowed(component);
    for name in import_names(component).map_err(ComponentError::Invalid)? {
        let Some(interface) = Interface::parse(name) else {
            continue;
        };
        let version = interface.served()?;
        if version == Version::CURRENT {
            continue;
        }
        let (old, new) = (version.prefix(), Version::CURRENT.prefix());
        let at = interface.version.as_ptr().addr() - component.as_ptr().addr();
        if let Some(place) = renamed.to_mut().get_mut(at..at + old.len())
            && old.len() == new.len()
        {
            place.copy_from_slice(new.as_bytes());
        }
    }
    Ok(renamed)
}

/// Returns the names of the outermost component's imports, as slices of it.
pub(super) fn import_names(component: &[u8]) -> wasmparser::Result<Vec<&str>> {
    let mut names = Vec::new();
    for_outermost(component, |payload| {
        if let Payload::ComponentImportSection(section) = payload {
            for import in section {
                names.push(import?.name.name);
            }
        }
        Ok(())
    })?;
    Ok(names)
}

/// Returns the names of the outermost component's exports, as slices of it.
pub(super) fn export_names(component: &[u8]) -> wasmparser::Result<Vec<&str>> {
    let mut names = Vec::new();
    for_outermost(component, |payload| {
        if let Payload::ComponentExportSection(section) = payload {
            for export in section {
                names.push(export?.name.name);
            }
        }
        Ok(())
    })?;
    Ok(names)
}

/// Calls `look` with each part of the outermost component.
fn for_outermost<'a>(
    component: &'a [u8],
    mut look: impl FnMut(Payload<'a>) -> wasmparser::Result<()>,
) -> wasmparser::Result<()> {
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            payload if depth == 1 => look(payload)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ComponentImportSection, ComponentTypeRef};

    use super::*;

    fn served(import: &str) -> Option<Version> {
        Interface::parse(import)?.served().ok()
    }

    #[test]
    fn a_patch_level_is_served_with_its_minor_version() {
        assert_eq!(served("wasmvark:driver/links@0.2.1"), Some(Version::V0_2));
        assert_eq!(served("wasmvark:driver/links@0.3.17"), Some(Version::V0_3));
        assert_eq!(served("wasmvark:driver/links@0.1.0"), None);
        assert_eq!(served("wasmvark:driver/links@0.20.0"), None);
        assert_eq!(served("wasmvark:driver/links@1.2.0"), None);
        assert_eq!(served("wasi:cli/environment@0.2.0"), None);
    }

    /// The current names of a component's one import, or the error.
    fn renamed(import: &str) -> Result<Vec<String>, String> {
        let mut imports = ComponentImportSection::new();
        imports.import(import, ComponentTypeRef::Instance(0));
        let mut component = wasm_encoder::Component::new();
        component.section(&imports);
        let component = component.finish();
        let renamed = with_current_names(&component).map_err(|error| error.to_string())?;
        let names = import_names(&renamed).unwrap();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn imports_get_the_names_of_the_current_version() {
        let current = renamed("wasmvark:driver/links@0.2.1").unwrap();
        assert_eq!(current, ["wasmvark:driver/links@0.3.1"]);
        for import in ["wasmvark:driver/links@0.3.0", "wasi:cli/exit@0.2.0"] {
            assert_eq!(renamed(import).unwrap(), [import]);
        }
        // As of a driver that an older host installed.
        let error = renamed("wasmvark:driver/links@0.1.0").unwrap_err();
        assert!(error.contains("version 0.1.0"), "{error}");
        assert!(error.contains("serves 0.3 and 0.2"), "{error}");
    }

    #[test]
    fn the_remedy_depends_on_who_is_older() {
        for version in ["0.1.0", "0.0.7"] {
            assert!(remedy(version).ends_with("an older wasmvark"), "{version}");
        }
        for version in ["0.4.0", "1.0.0", "new"] {
            assert!(remedy(version).starts_with("install a newer"), "{version}");
        }
        assert_eq!(minor(Version::ALL[1].text()), Some(OLDEST));
    }

    #[test]
    fn the_current_version_is_that_of_the_wit() {
        let world = include_str!("../../../../wit/world.wit");
        assert!(world.contains(&format!("package wasmvark:driver@{CURRENT};")));
        assert!(CURRENT.starts_with(&Version::CURRENT.prefix()));
    }

    #[test]
    fn names_of_all_versions_are_as_long() {
        for version in Version::ALL {
            assert_eq!(version.prefix().len(), Version::CURRENT.prefix().len());
        }
    }
}
