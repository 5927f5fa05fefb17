//! The refusal of an option.

use std::fmt;

/// The giver of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The user, for a new network.
    Network,
    /// The user, for one container.
    Container,
    /// The network, since it was created.
    Kept,
    /// The driver, in its answer to `create`.
    Driver,
}

/// Why an option is refused.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum OptionFault {
    /// The driver doesn't take the option there.
    #[error("{}", unsupported(driver, name, *given, hint))]
    Unsupported {
        /// The driver.
        driver: String,
        /// The option's name.
        name: String,
        /// The giver.
        given: Given,
        /// The remedy.
        hint: String,
    },
    /// The option can't have the value.
    #[error("unable to parse \"{name}\": {} is not {expected} ({given})", shown(value.as_deref()))]
    Value {
        /// The option's name.
        name: String,
        /// The value, unless it may be a secret.
        value: Option<String>,
        /// The values that are possible.
        expected: String,
        /// The giver.
        given: Given,
    },
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "given for the network",
            Self::Container => "given for the container",
            Self::Kept => {
                "the network has it since it was created: create it again with another value"
            }
            Self::Driver => {
                "the driver gave it in its answer to create, against its own manifest: tell its \
                 author"
            }
        })
    }
}

/// The beginnings are netavark's.
fn unsupported(driver: &str, name: &str, given: Given, hint: &str) -> String {
    match given {
        Given::Network => format!("unsupported {driver} network option: {name}{hint}"),
        Given::Container => format!("unsupported {driver} option for one container: {name}{hint}"),
        Given::Kept => format!(
            "unsupported {driver} network option: {name}; the network has it since it was \
             created: create it again without the option, or go back to a version of the driver \
             that takes it, with `wasmvark rollback {driver}`{hint}"
        ),
        Given::Driver => format!(
            "the driver {driver} gave the option {name} in its answer to create, against its own \
             manifest: tell its author to declare it there{hint}"
        ),
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "the value".to_owned(), |value| format!("{value:?}"))
}
