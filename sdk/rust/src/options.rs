//! The parsing of options.

use core::fmt::Display;
use core::str::FromStr;

use crate::links::MacvlanMode;
use crate::types::{Error, OptionValue};

/// The values of an option for the mode of macvlan links. The first one is the default.
pub const MACVLAN_MODES: &[(&str, MacvlanMode)] = &[
    ("bridge", MacvlanMode::Bridge),
    ("private", MacvlanMode::Private),
    ("vepa", MacvlanMode::Vepa),
    ("passthru", MacvlanMode::Passthru),
    ("source", MacvlanMode::Source),
];

/// Returns the value of an option.
pub fn find<'a>(options: &'a [OptionValue], key: &str) -> Option<&'a str> {
    let option = options.iter().find(|option| option.key == key)?;
    Some(&option.value)
}

/// Parses the value of an option, if it's given.
pub fn parse<T>(options: &[OptionValue], key: &str) -> Result<Option<T>, Error>
where
    T: FromStr<Err: Display>,
{
    let parsed = find(options, key).map(str::parse).transpose();
    parsed.map_err(|error: T::Err| Error::Invalid(format!("unable to parse \"{key}\": {error}")))
}

/// Parses the value of an option that is `true` or `false`. Returns `default` if it
/// isn't given.
pub fn parse_bool(options: &[OptionValue], key: &str, default: bool) -> Result<bool, Error> {
    Ok(parse(options, key)?.unwrap_or(default))
}

/// Returns the choice that an option names, or the first one if the option is missing
/// or empty. The error text contains `kind`.
pub fn choose<T: Copy>(
    options: &[OptionValue],
    key: &str,
    kind: &str,
    choices: &[(&str, T)],
) -> Result<T, Error> {
    let word = find(options, key).unwrap_or_default();
    let chosen = match word {
        "" => choices.first(),
        word => choices.iter().find(|(name, _)| *name == word),
    };
    match chosen {
        Some((_, value)) => Ok(*value),
        None => Err(Error::Invalid(format!("invalid {kind} {key} \"{word}\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<OptionValue> {
        let option = |(key, value): &(&str, &str)| OptionValue {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        pairs.iter().map(option).collect()
    }

    fn text<T>(result: Result<T, Error>) -> String {
        match result {
            Err(Error::Invalid(text)) => text,
            Err(error) => format!("not invalid: {error}"),
            Ok(_) => "no error".to_owned(),
        }
    }

    #[test]
    fn a_word_stands_for_a_value() {
        const CHOICES: &[(&str, u8)] = &[("one", 1), ("two", 2)];
        let chosen = |pairs| choose(&options(pairs), "mode", "test", CHOICES);
        assert_eq!(chosen(&[]).unwrap(), 1);
        assert_eq!(chosen(&[("mode", "")]).unwrap(), 1);
        assert_eq!(chosen(&[("mode", "two")]).unwrap(), 2);
        assert_eq!(text(chosen(&[("mode", "x")])), "invalid test mode \"x\"");
    }

    #[test]
    fn only_true_and_false_are_truth_values() {
        let parsed = |pairs| parse_bool(&options(pairs), "on", true);
        assert!(parsed(&[]).unwrap());
        assert!(!parsed(&[("on", "false")]).unwrap());
        assert!(text(parsed(&[("on", "1")])).starts_with("unable to parse \"on\""));
    }
}
