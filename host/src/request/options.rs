//! The options that every driver understands.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::RequestError;

/// Parses an option's value where the option is given.
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
