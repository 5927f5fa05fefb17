//! The name of an installed driver.

use std::fmt;
use std::str::FromStr;

use types::text;

/// The longest name that a file in the plugin directory can have.
const NAME_MAX: usize = 100;

/// The drivers that netavark has itself (`constants.rs`): it never calls a
/// plugin of that name.
const BUILT_IN: [&str; 3] = ["bridge", "macvlan", "ipvlan"];

/// The name under which Podman calls a driver; safe as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DriverName(String);

/// A text that is no name for a driver.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub(crate) enum InvalidDriverName {
    /// It could leave the plugin directory.
    #[error(
        "{0:?} can't be the name of a driver: it takes letters, digits, '_', '.' and '-', begins \
         with a letter or a digit, and has at most {NAME_MAX} of them"
    )]
    Characters(String),
    /// netavark would never call it.
    #[error(
        "netavark has a driver {0} of its own and would never call this one: install it under \
         another name, for example --name wasm-{0}"
    )]
    BuiltIn(String),
}

impl DriverName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses a name that netavark keeps for itself.
    pub(crate) fn check_free(&self) -> Result<(), InvalidDriverName> {
        if BUILT_IN.contains(&self.as_str()) {
            return Err(InvalidDriverName::BuiltIn(self.0.clone()));
        }
        Ok(())
    }
}

impl FromStr for DriverName {
    type Err = InvalidDriverName;

    fn from_str(name: &str) -> Result<Self, InvalidDriverName> {
        if text::is_plain_name(name, NAME_MAX) {
            return Ok(Self(name.to_owned()));
        }
        Err(InvalidDriverName::Characters(name.to_owned()))
    }
}

impl fmt::Display for DriverName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
