//! Ids and names that are used in paths and in log lines.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

/// The longest name that every file system takes, in bytes (NAME_MAX in
/// `linux/limits.h`).
const NAME_MAX: usize = 255;

/// The longest name of a secret, in characters.
const SECRET_NAME_MAX: usize = 64;

/// An id or a name that isn't safe as the name of a file.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "the {what} {name:?} is not valid: use 1 to 255 letters, digits, '_', '.' and '-', \
     and begin with a letter or a digit"
)]
pub struct InvalidId {
    what: &'static str,
    name: String,
}

/// The id of a container, safe as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

/// The id of a network, safe as the name of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkId(String);

/// A container on a network. Each run is for one, and each has one journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The network.
    pub network: NetworkId,
    /// The container.
    pub container: ContainerId,
}

macro_rules! id {
    ($type:ident, $what:literal) => {
        impl $type {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                plain($what, id).map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0
    }
}

id!(ContainerId, "container id");
id!(NetworkId, "network id");

/// Whether a text can be the name of a secret.
pub fn is_secret_name(text: &str) -> bool {
    text::is_plain_name(text, SECRET_NAME_MAX)
}

/// Checks a name against Podman's own pattern for names
/// (`[a-zA-Z0-9][a-zA-Z0-9_.-]*`). `what` says in the error what has the name.
///
/// # Errors
///
/// The name has other characters, or too many.
pub fn plain(what: &'static str, name: String) -> Result<String, InvalidId> {
    if text::is_plain_name(&name, NAME_MAX) {
        return Ok(name);
    }
    Err(InvalidId { what, name })
}
