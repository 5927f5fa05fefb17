//! The manifest of a driver: what it says of itself and what it asks for. It
//! is a TOML text in the custom section `wasmvark:manifest`. The manifest
//! asks; only the grant gives.

use std::collections::BTreeMap;

use policy::{Call, Wish, read_plain, read_wishes};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// What a driver says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Its licence, as an SPDX expression.
    pub licence: String,
    /// The options that it understands.
    pub options: Vec<DriverOption>,
    /// The calls that it wants.
    #[serde(skip)]
    pub calls: BTreeMap<Call, Wish>,
}

/// An option of `podman network create --opt`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverOption {
    /// Its key.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What holds without it.
    #[serde(default)]
    pub default: Option<String>,
}

/// Why a manifest can't be read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("the driver's manifest is not valid, at {0}")]
pub struct ManifestError(pub(super) String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    version: String,
    description: String,
    licence: String,
    #[serde(default)]
    options: Vec<DriverOption>,
    /// These are read by themselves.
    #[serde(default, rename = "calls")]
    _calls: Option<IgnoredAny>,
}

impl Manifest {
    /// Parses the section's bytes.
    pub(super) fn parse(section: &[u8]) -> Result<Self, ManifestError> {
        let wrong = |error: &dyn std::fmt::Display| ManifestError(error.to_string());
        let text = std::str::from_utf8(section).map_err(|error| wrong(&error))?;
        let file: File = read_plain(text).map_err(|error| wrong(&error))?;
        let calls = read_wishes(text).map_err(|error| wrong(&error))?;
        Ok(Self {
            name: file.name,
            version: file.version,
            description: file.description,
            licence: file.licence,
            options: file.options,
            calls,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "name = \"n\"\nversion = \"1\"\ndescription = \"d\"\nlicence = \"Apache-2.0\"\n";

    fn parse(rest: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(format!("{HEAD}{rest}").as_bytes())
    }

    #[test]
    fn calls_come_with_reason_and_reach() {
        let manifest =
            parse("[calls]\n\"links.get\" = { reason = \"why\", link = \"eth1\" }").unwrap();
        let wish = &manifest.calls[&Call::LinksGet];
        assert_eq!(wish.reason, "why");
        assert_eq!(wish.reach.to_string(), "{ link = \"eth1\" }");
    }

    #[test]
    fn unknown_words_are_errors() {
        for rest in [
            "x = 1",
            "[calls]\n\"links.get\" = {}",
            "[calls]\n\"links.gett\" = { reason = \"r\" }",
            "[calls]\n\"links.get\" = { reason = \"r\", links = \"a\" }",
            "[calls]\n\"links.get\" = { reason = \"r\", port = \"80/tcp\" }",
        ] {
            assert!(parse(rest).is_err(), "{rest}");
        }
    }
}
