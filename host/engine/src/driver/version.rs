//! The versions of the interface that drivers are built for.
//!
//! The host serves the current minor version and the one before. What a driver
//! imports of the previous one is the same function under another name, so its
//! imports get the current names before it's compiled. Where a later version
//! changes a function's type, that function needs one of its own here. What it
//! exports stays as it was built: [`super::exports`] knows both.

use std::borrow::Cow;
use std::fmt;

use wasmparser::{Parser, Payload};

/// What the names of all interfaces begin with.
const PACKAGE: &str = "wasmvark:driver/";

/// A minor version of the interface that this host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.1: a request has only the container's own options.
    V0_1,
    /// 0.2: it has those that hold for it, and its own besides.
    V0_2,
}

/// An interface of the package `wasmvark:driver`, as a component imports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interface<'a> {
    /// Its name: `links`.
    pub(super) name: &'a str,
    /// Its version, with the patch level: `0.1.0`.
    version: &'a str,
}

impl Version {
    /// All that are served, the newest first.
    pub const ALL: [Self; 2] = [Self::CURRENT, Self::V0_1];

    /// The one that `wit/` has.
    pub(crate) const CURRENT: Self = Self::V0_2;

    fn text(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
        }
    }

    /// What its imports' versions begin with.
    fn prefix(self) -> String {
        format!("{self}.")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The versions that are served, in words.
pub(super) fn served() -> String {
    Version::ALL.map(Version::text).join(" and ")
}

impl<'a> Interface<'a> {
    /// Takes the name of an import apart; `None` if it's another package's.
    pub(super) fn parse(import: &'a str) -> Option<Self> {
        let (name, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
        Some(Self { name, version })
    }

    /// The minor version, if it's served.
    pub(super) fn served(&self) -> Option<Version> {
        let mut all = Version::ALL.into_iter();
        all.find(|version| self.version.starts_with(&version.prefix()))
    }

    /// Its version as the component says it.
    pub(super) fn version(&self) -> &'a str {
        self.version
    }
}

/// A component with its imports under the names of the current version. Text of
/// a component stays as long as it was, so nothing in it moves.
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

/// The names of the outermost component's imports, as they stand in it.
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
