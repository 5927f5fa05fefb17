//! A network's options.

use core::fmt::Display;
use core::str::FromStr;

use crate::types::{Error, OptionValue};

/// Refuses the first option whose name isn't known. `kind` goes into the error
/// text.
pub fn check_names(options: &[OptionValue], known: &[&str], kind: &str) -> Result<(), Error> {
    match options.iter().find(|o| !known.contains(&o.key.as_str())) {
        None => Ok(()),
        Some(o) => Err(Error::Invalid(format!(
            "unsupported {kind} network option: {}",
            o.key
        ))),
    }
}

/// The value of an option.
pub fn find<'a>(options: &'a [OptionValue], key: &str) -> Option<&'a str> {
    let option = options.iter().find(|option| option.key == key)?;
    Some(&option.value)
}

/// Parses the value of an option where it's given.
pub fn parse<T>(options: &[OptionValue], key: &str) -> Result<Option<T>, Error>
where
    T: FromStr<Err: Display>,
{
    let parsed = find(options, key).map(str::parse).transpose();
    parsed.map_err(|error: T::Err| Error::Invalid(format!("unable to parse \"{key}\": {error}")))
}
