//! The manifest of a driver: TOML in the custom section `wasmvark:manifest`.
//!
//! It describes the driver and the calls that it wants. Only the grant allows them.

use std::collections::BTreeMap;

use policy::{Call, Wish, read_plain, read_wishes};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The description that a driver has in its manifest.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The driver's name.
    pub name: String,
    /// The driver's version.
    pub version: String,
    /// The driver's purpose, in one sentence.
    pub description: String,
    /// The driver's licence, as an SPDX expression.
    pub licence: String,
    /// The options that the driver takes.
    pub options: Vec<DriverOption>,
    /// The calls that the driver wants.
    #[serde(skip)]
    pub calls: BTreeMap<Call, Wish>,
}

/// An option of `podman network create --opt`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverOption {
    /// The option's key.
    pub name: String,
    /// The option's effect.
    pub description: String,
    /// The effect without the option.
    #[serde(default)]
    pub default: Option<String>,
}

/// The reason why a manifest isn't valid.
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
    /// The calls, which `read_wishes` reads.
    #[serde(default, rename = "calls")]
    _calls: Option<IgnoredAny>,
}

impl Manifest {
    /// Parses a manifest's text.
    ///
    /// # Errors
    ///
    /// It isn't valid, with the line and what is expected.
    pub fn parse(section: &[u8]) -> Result<Self, ManifestError> {
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
