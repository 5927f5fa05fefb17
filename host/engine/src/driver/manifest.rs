//! The manifest of a driver: TOML in the custom section `wasmvark:manifest`.
//!
//! It describes the driver and the calls that it wants. Only the grant allows them.

use std::collections::BTreeMap;

use policy::{Call, Wish, read_plain, read_wishes};
use request::{Declared, DeclaredOption};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

/// The longest manifest, in bytes.
const LENGTH_MAX: usize = 256 << 10;

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
    /// The options that the driver takes. JSON has a list of them, or `null`.
    #[serde(serialize_with = "listed")]
    pub options: Declared,
    /// The calls that the driver wants.
    #[serde(skip)]
    pub calls: BTreeMap<Call, Wish>,
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
    options: Option<Vec<DeclaredOption>>,
    /// The calls, which `read_wishes` reads.
    #[serde(default, rename = "calls")]
    _calls: Option<IgnoredAny>,
}

fn listed<S: Serializer>(options: &Declared, serializer: S) -> Result<S::Ok, S::Error> {
    options.options().serialize(serializer)
}

impl Manifest {
    /// Parses a manifest's text.
    ///
    /// # Errors
    ///
    /// It isn't valid, with the line and what is expected.
    pub fn parse(section: &[u8]) -> Result<Self, ManifestError> {
        let wrong = |error: &dyn std::fmt::Display| ManifestError(error.to_string());
        if section.len() > LENGTH_MAX {
            return Err(wrong(&format!(
                "its end: it has more than {LENGTH_MAX} bytes"
            )));
        }
        let text = std::str::from_utf8(section).map_err(|error| wrong(&error))?;
        let file: File = read_plain(text).map_err(|error| wrong(&error))?;
        let calls = read_wishes(text).map_err(|error| wrong(&error))?;
        let options = match file.options {
            Some(options) => Declared::new(options).map_err(|error| wrong(&error))?,
            None => Declared::Undeclared,
        };
        Ok(Self {
            name: file.name,
            version: file.version,
            description: file.description,
            licence: file.licence,
            options,
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
    fn no_options_are_something_else_than_none_declared() {
        assert_eq!(parse("").unwrap().options, Declared::Undeclared);
        let none = parse("options = []").unwrap().options;
        assert_eq!(none.options().map(<[_]>::len), Some(0));
    }

    /// What was valid before options had types still is.
    #[test]
    fn an_option_needs_no_more_than_a_name_and_a_description() {
        let old = "[[options]]\nname = \"bclim\"\ndescription = \"d\"\ndefault = \"the kernel's\"";
        assert!(parse(old).is_ok());
        let error = parse("[[options]]\nname = \"a\"").unwrap_err().to_string();
        assert!(error.contains("description"), "{error}");
    }

    #[test]
    fn a_wrong_option_is_found_by_its_line() {
        let wrong = "[[options]]\nname = \"a\"\ndescription = \"d\"\nmin = 1";
        let error = parse(wrong).unwrap_err().to_string();
        assert!(error.contains("at 5:1"), "{error}");
        assert!(
            error.contains("the option \"a\": min and max are for numbers"),
            "{error}"
        );
        let twice = "[[options]]\nname = \"a\"\ndescription = \"d\"\n".repeat(2);
        assert!(parse(&twice).unwrap_err().to_string().contains("twice"));
        assert!(parse(&format!("# {}", "a".repeat(LENGTH_MAX))).is_err());
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
