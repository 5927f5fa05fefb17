//! The versions of Podman's programs.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::System;

/// The directories in which programs are looked for if PATH isn't set.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A major and a minor version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Version {
    /// Finds the first word that is a version, as in `podman version 5.4.2`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut numbers = word.trim_start_matches('v').split('.');
            let major = numbers.next()?.parse().ok()?;
            Some(Self(major, numbers.next()?.parse().ok()?))
        })
    }

    /// Returns the version of the Podman in PATH, if there is one that says it. It is
    /// asked once.
    pub(super) fn of_podman(system: &System) -> Option<Self> {
        static ANSWER: OnceLock<Option<Version>> = OnceLock::new();
        *ANSWER.get_or_init(|| {
            let program = find_podman(system)?;
            Self::find(&system.version(&program).ok()?)
        })
    }
}

/// Finds the program podman in PATH.
pub(crate) fn find_podman(system: &System) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    system.find_program(std::env::split_paths(&path), "podman")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found() {
        for (text, version) in [
            ("podman version 5.4.2\n", Some(Version(5, 4))),
            ("netavark 1.14.0", Some(Version(1, 14))),
            ("podman version v6.0-dev", None),
            ("podman version 6.0.0-dev", Some(Version(6, 0))),
            ("podman version 5.10.0-rc1", Some(Version(5, 10))),
            ("", None),
            ("netavark", None),
        ] {
            assert_eq!(Version::find(text), version, "{text}");
        }
        assert!(Version(5, 10) > Version(5, 8));
    }
}
