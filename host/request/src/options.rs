//! Options that the host knows, for every driver.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use types::LinkName;

use super::{RequestError, link_name};

/// Parses an option's value, if the option is given.
pub(super) fn parse<T>(
    options: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<T>, RequestError>
where
    T: FromStr<Err: Display>,
{
    let Some(value) = options.get(key) else {
        return Ok(None);
    };
    value
        .parse()
        .map(Some)
        .map_err(|error: T::Err| RequestError::Option {
            key,
            error: error.to_string(),
        })
}

/// Whether the value of an option is the name of a secret.
pub fn names_secret(key: &str) -> bool {
    key.ends_with("_secret")
}

/// Whether the value of an option is an address of the host for SNAT.
pub fn names_outbound(key: &str) -> bool {
    ["outbound_addr4", "outbound_addr6"].contains(&key)
}

/// Parses the name of a link that an option gives. `what` says in the error what the
/// name is for.
pub(super) fn link(
    options: &BTreeMap<String, String>,
    key: &str,
    what: &'static str,
) -> Result<Option<LinkName>, RequestError> {
    let given = options.get(key).filter(|name| !name.is_empty());
    given.map(|name| link_name::parse(what, name)).transpose()
}
