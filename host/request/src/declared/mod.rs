//! The options that a driver declares in its manifest, and the check of those that are
//! given. It comes before the driver's code.

mod fault;
mod kind;
mod name;
mod of_host;
mod option;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::{nearest, text};

pub use fault::{Given, OptionFault};
pub use name::OptionName;
pub use option::{DeclarationError, DeclaredOption, Scope};

/// The most options that a driver can declare.
const OPTIONS_MAX: usize = 256;
/// The most names that an error lists.
const LISTED_MAX: usize = 64;
/// The most bytes of a name and of a value that an error repeats.
const NAME_SHOWN: usize = 64;
const VALUE_SHOWN: usize = 256;

/// The options that a driver takes, according to its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declared {
    /// The manifest doesn't say, or there is none. The host then refuses nothing.
    #[default]
    Undeclared,
    /// It takes these, which may be none, and those that the host reads for every driver.
    Options(Vec<DeclaredOption>),
}

impl Declared {
    /// Returns the options of a manifest that has a list of them.
    ///
    /// # Errors
    ///
    /// There are too many, or two have the same name.
    pub fn new(options: Vec<DeclaredOption>) -> Result<Self, DeclarationError> {
        for (at, option) in options.iter().enumerate() {
            let wrong = |what: &str| DeclarationError {
                name: option.name().as_str().to_owned(),
                what: what.to_owned(),
            };
            if at >= OPTIONS_MAX {
                return Err(wrong(&format!(
                    "a driver has at most {OPTIONS_MAX} options"
                )));
            }
            if options
                .iter()
                .take(at)
                .any(|other| other.name().is_same(option.name()))
            {
                return Err(wrong("it is declared twice"));
            }
        }
        Ok(Self::Options(options))
    }

    /// Returns the declared options, or `None` if the manifest doesn't say.
    pub fn options(&self) -> Option<&[DeclaredOption]> {
        match self {
            Self::Undeclared => None,
            Self::Options(options) => Some(options),
        }
    }

    /// Returns what a run needs of the options.
    pub fn for_runs(&self) -> Self {
        match self {
            Self::Undeclared => Self::Undeclared,
            Self::Options(options) => {
                Self::Options(options.iter().map(DeclaredOption::without_texts).collect())
            }
        }
    }

    /// Checks options that are given. `driver` is the driver's name in errors.
    ///
    /// # Errors
    ///
    /// The driver doesn't take an option there, or not with its value.
    pub fn check(
        &self,
        driver: &str,
        given: Given,
        options: &BTreeMap<String, String>,
    ) -> Result<(), OptionFault> {
        let Self::Options(declared) = self else {
            return Ok(());
        };
        options
            .iter()
            .try_for_each(|(key, value)| check_one(declared, driver, given, (key, value)))
    }

    /// Returns the options whose values aren't in their normal form, with the normal form.
    /// Podman stores that of its own drivers' options, too. [`crate::normal_forms`] has
    /// those that the host knows for every driver.
    pub fn normal_forms(&self, options: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let declared = self.options().unwrap_or_default();
        let is_hosts = |key: &str| of_host::always().any(|(name, _)| name == key);
        let normal = |(key, value): (&String, &String)| {
            if is_hosts(key) {
                return None;
            }
            let normal = find(declared, key)?.normal(value)?;
            (normal != *value).then(|| (key.clone(), normal))
        };
        options.iter().filter_map(normal).collect()
    }
}

/// Finds the declaration of an option. One of its very name goes before one that stands
/// for several, and that goes before one that says less of the name.
fn find<'a>(declared: &'a [DeclaredOption], key: &str) -> Option<&'a DeclaredOption> {
    let matching = declared.iter().filter(|it| it.name().is_of(key));
    matching.max_by_key(|it| it.name().said().unwrap_or(usize::MAX))
}

/// Returns the declaration of an option that every network and container can have.
fn of_every_driver(key: &str) -> Option<DeclaredOption> {
    let (name, kind) = of_host::always().find(|(name, _)| *name == key)?;
    let name = OptionName::parse(name).ok()?;
    Some(DeclaredOption::of_host(name, kind))
}

fn check_one(
    declared: &[DeclaredOption],
    driver: &str,
    given: Given,
    (key, value): (&str, &str),
) -> Result<(), OptionFault> {
    let unsupported = |hint: String| OptionFault::Unsupported {
        driver: driver.to_owned(),
        name: text::plain(&text::shortened(key, NAME_SHOWN)),
        given,
        hint,
    };
    let of_host = of_every_driver(key);
    let Some(option) = find(declared, key).or(of_host.as_ref()) else {
        return Err(unsupported(hint(declared, driver, given, key)));
    };
    if !is_for(option.scope(), given) {
        return Err(unsupported(elsewhere(option.scope(), key)));
    }
    if option.accepts(value) {
        return Ok(());
    }
    Err(OptionFault::Value {
        name: text::plain(&text::shortened(key, NAME_SHOWN)),
        value: (!option.is_secret()).then(|| text::shortened(value, VALUE_SHOWN).into_owned()),
        expected: option.expected(),
        given,
    })
}

fn is_for(scope: Scope, given: Given) -> bool {
    match given {
        Given::Network => matches!(scope, Scope::Network | Scope::Both),
        Given::Container => matches!(scope, Scope::Container | Scope::Both),
        Given::Kept | Given::Driver => scope != Scope::Container,
    }
}

/// Says where an option belongs that was given elsewhere.
fn elsewhere(scope: Scope, key: &str) -> String {
    let key = text::plain(&text::shortened(key, NAME_SHOWN));
    match scope {
        Scope::Driver => "; the driver sets it itself: take it out".to_owned(),
        Scope::Container => format!(
            "; it is for one container: give it with `podman run --network NETWORK:{key}=VALUE`"
        ),
        Scope::Network | Scope::Both => {
            format!("; it is for a network: give it with `podman network create -o {key}=VALUE`")
        }
    }
}

/// Says which options there are, and which of them is meant.
fn hint(declared: &[DeclaredOption], driver: &str, given: Given, key: &str) -> String {
    let declared = declared.iter().filter(|it| is_for(it.scope(), given));
    let names = declared.map(|it| it.name().as_str());
    let mut names: Vec<&str> = names
        .chain(of_host::always().map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let near = nearest::did_you_mean(nearest::name(key, names.iter().copied()));
    let more = match names.len().checked_sub(LISTED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    names.truncate(LISTED_MAX);
    let whose = match given {
        Given::Container => "a container",
        Given::Network | Given::Kept | Given::Driver => "a network",
    };
    format!(
        "{near} (options of {whose}: {}{more}; `wasmvark inspect {driver}` describes them)",
        names.join(", ")
    )
}
