//! Ids and names that become parts of paths or of log lines.

use std::fmt;

use crate::text;

/// The longest name that every file system takes.
const NAME_MAX: usize = 255;

/// Characters of the longest name of a secret.
const SECRET_NAME_MAX: usize = 64;

/// An id or a name with characters that could leave a directory.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "the {what} {name:?} is not valid: it takes letters, digits, '_', '.' and '-', \
     begins with a letter or a digit, and has 1 to 255 of them"
)]
pub struct InvalidId {
    what: &'static str,
    name: String,
}

/// The id of a container, safe as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerId(String);

/// The id of a network, safe as the name of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkId(String);

/// A container on a network: what a run is about, and whose journal it writes.
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
            /// The id as text.
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

id!(ContainerId, "container id");
id!(NetworkId, "network id");

/// Whether a text can be the name of a secret.
pub fn is_secret_name(text: &str) -> bool {
    text::is_plain_name(text, SECRET_NAME_MAX)
}

/// Checks a name against the pattern that Podman itself has for names
/// (`[a-zA-Z0-9][a-zA-Z0-9_.-]*`).
///
/// # Errors
///
/// It has other characters, or too many.
pub fn plain(what: &'static str, name: String) -> Result<String, InvalidId> {
    if text::is_plain_name(&name, NAME_MAX) {
        return Ok(name);
    }
    Err(InvalidId { what, name })
}
