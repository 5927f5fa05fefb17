//! The versions of the interface that drivers are built for.
//!
//! The host serves the current minor version and the previous one. A function that a
//! driver imports of the previous version is the same function under another name. So
//! the imports get their current names before the driver is compiled. If a later
//! version changes a function's type, the previous function needs an implementation of
//! its own. Exports keep their types, and [`super::exports`] calls both versions.

use std::borrow::Cow;
use std::fmt;

use wasmparser::{Parser, Payload};

/// The prefix of all interface names.
const PACKAGE: &str = "wasmvark:driver/";

/// A minor version of the interface that this host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.1, whose requests have only the container's own options.
    V0_1,
    /// 0.2, whose requests have the options that apply to the container, and its own
    /// separately.
    V0_2,
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
    pub const ALL: [Self; 2] = [Self::CURRENT, Self::V0_1];

    /// The version in `wit/`.
    pub(crate) const CURRENT: Self = Self::V0_2;

    fn text(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
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

    /// Returns the minor version, if it's served.
    pub(super) fn served(&self) -> Option<Version> {
        let mut all = Version::ALL.into_iter();
        all.find(|version| self.version.starts_with(&version.prefix()))
    }

    /// Returns the full version, as in the component.
    pub(super) fn version(&self) -> &'a str {
        self.version
    }
}

/// Renames a component's imports to the names of the current version. The names keep
/// their lengths, so all offsets stay valid.
pub(super) fn with_current_names(component: &[u8]) -> wasmparser::Result<Cow<'_, [u8]>> {
    let mut renamed = Cow::Borrowed(component);
    for name in import_names(component)? {
        let Some(interface) = Interface::parse(name) else {
            continue;
        };
        let version = interface.served();
        let Some(version) = version.filter(|version| *version != Version::CURRENT) else {
            continue;
        };
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
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names.push(import?.name.name);
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_level_is_served_with_its_minor_version() {
        let served = |import| Interface::parse(import)?.served();
        assert_eq!(served("wasmvark:driver/links@0.1.0"), Some(Version::V0_1));
        assert_eq!(served("wasmvark:driver/links@0.2.17"), Some(Version::V0_2));
        assert_eq!(served("wasmvark:driver/links@0.20.0"), None);
        assert_eq!(served("wasmvark:driver/links@1.2.0"), None);
        assert_eq!(served("wasi:cli/environment@0.2.0"), None);
    }

    #[test]
    fn names_of_all_versions_are_as_long() {
        for version in Version::ALL {
            assert_eq!(version.prefix().len(), Version::CURRENT.prefix().len());
        }
    }
}
