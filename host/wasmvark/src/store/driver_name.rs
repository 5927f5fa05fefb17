//! The name of an installed driver.

use std::fmt;
use std::str::FromStr;

use types::text;

/// The longest name of a driver, in bytes.
const NAME_MAX: usize = 100;

/// netavark's own drivers (`constants.rs`). It never calls a plugin of that name.
const BUILT_IN: [&str; 3] = ["bridge", "macvlan", "ipvlan"];

/// The name by which Podman calls a driver. It is safe as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DriverName(String);

/// A text that can't be the name of a driver.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub(crate) enum InvalidDriverName {
    /// The name isn't safe as the name of a file.
    #[error(
        "{0:?} can't be the name of a driver: use 1 to {NAME_MAX} letters, digits, '_', '.' and \
         '-', and begin with a letter or a digit"
    )]
    Characters(String),
    /// netavark would never call the driver.
    #[error(
        "netavark has its own driver {0} and would never call this one: install it under another \
         name, for example --name wasm-{0}"
    )]
    BuiltIn(String),
}

impl DriverName {
    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses the name of one of netavark's own drivers.
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
