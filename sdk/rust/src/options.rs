//! The parsing of options. The host has checked that each value is one that the manifest
//! declares; here it gets its type.

use core::fmt::Display;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::links::MacvlanMode;
use crate::types::{Error, RequestOption};

/// The values of an option for the mode of macvlan links. The first one is the default.
pub const MACVLAN_MODES: &[(&str, MacvlanMode)] = &[
    ("bridge", MacvlanMode::Bridge),
    ("private", MacvlanMode::Private),
    ("vepa", MacvlanMode::Vepa),
    ("passthru", MacvlanMode::Passthru),
    ("source", MacvlanMode::Source),
];

/// Returns the value of an option.
pub fn find<'a>(options: &'a [RequestOption], key: &str) -> Option<&'a str> {
    let option = options.iter().find(|option| option.key == key)?;
    Some(&option.value)
}

/// A type of options' values.
pub trait Value: Sized {
    /// Parses a value.
    fn read(text: &str) -> Option<Self>;

    /// Returns the values that are possible, for errors: "VALUE is not …".
    fn expected() -> String;
}

/// Go's words for truth values (`strconv.ParseBool`), which Podman takes for its own
/// drivers.
impl Value for bool {
    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            _ => None,
        }
    }

    fn expected() -> String {
        "true or false".to_owned()
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Value for $number {
            fn read(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn expected() -> String {
                whole_number(Self::MIN, Self::MAX)
            }
        }
    )*};
}
numbers!(u8 u16 u32 u64 i32);

macro_rules! addresses {
    ($($address:ty: $name:literal,)*) => {$(
        impl Value for $address {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn expected() -> String {
                concat!("an ", $name, " address").to_owned()
            }
        }
    )*};
}
addresses!(IpAddr: "IP", Ipv4Addr: "IPv4", Ipv6Addr: "IPv6",);

fn whole_number(first: impl Display, last: impl Display) -> String {
    format!("a whole number from {first} to {last}")
}

/// Parses the value of an option.
pub fn read<T: Value>(key: &str, text: &str) -> Result<T, Error> {
    T::read(text).ok_or_else(|| not(key, text, &T::expected()))
}

/// Returns the error for a value that an option can't have.
pub fn not(key: &str, text: &str, expected: &str) -> Error {
    Error::Invalid(format!(
        "unable to parse \"{key}\": {text:?} is not {expected}"
    ))
}

/// Parses the value of an option, if it's given.
pub fn parse<T: Value>(options: &[RequestOption], key: &str) -> Result<Option<T>, Error> {
    let given = find(options, key);
    given.map(|text| read(key, text)).transpose()
}

/// Parses the value of an option that is a truth value. Returns `default` if it isn't
/// given.
pub fn parse_bool(options: &[RequestOption], key: &str, default: bool) -> Result<bool, Error> {
    Ok(parse(options, key)?.unwrap_or(default))
}

/// Returns the choice that an option names, or the first one if the option is missing
/// or empty.
pub fn choose<T: Copy>(
    options: &[RequestOption],
    key: &str,
    choices: &[(&str, T)],
) -> Result<T, Error> {
    let word = find(options, key).unwrap_or_default();
    let chosen = match word {
        "" => choices.first(),
        word => choices.iter().find(|(name, _)| *name == word),
    };
    match chosen {
        Some((_, value)) => Ok(*value),
        None => {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            Err(not(key, word, &format!("one of {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<RequestOption> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: crate::types::OptionOrigin::Network,
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
        let chosen = |pairs| choose(&options(pairs), "mode", CHOICES);
        assert_eq!(chosen(&[]).unwrap(), 1);
        assert_eq!(chosen(&[("mode", "")]).unwrap(), 1);
        assert_eq!(chosen(&[("mode", "two")]).unwrap(), 2);
        assert_eq!(
            text(chosen(&[("mode", "x")])),
            "unable to parse \"mode\": \"x\" is not one of one, two"
        );
    }

    #[test]
    fn truth_values_are_those_of_go() {
        let parsed = |text| parse_bool(&options(&[("on", text)]), "on", false);
        for yes in ["1", "t", "T", "TRUE", "true", "True"] {
            assert!(parsed(yes).unwrap(), "{yes}");
        }
        for no in ["0", "f", "F", "FALSE", "false", "False"] {
            assert!(!parsed(no).unwrap(), "{no}");
        }
        assert!(parse_bool(&[], "on", true).unwrap());
        for other in ["yes", "tRUE", "01", "", "on"] {
            let expected = format!("unable to parse \"on\": {other:?} is not true or false");
            assert_eq!(text(parsed(other)), expected);
        }
    }

    #[test]
    fn numbers_are_whole_and_may_have_spaces_around() {
        let parsed = |text| parse::<u8>(&options(&[("n", text)]), "n");
        assert_eq!(parsed(" 7 ").unwrap(), Some(7));
        assert_eq!(parsed("007").unwrap(), Some(7));
        for other in ["", " ", "0x7", "-1", "256", "7.0", "1 2", "1k"] {
            let expected =
                format!("unable to parse \"n\": {other:?} is not a whole number from 0 to 255");
            assert_eq!(text(parsed(other)), expected);
        }
    }

    #[test]
    fn addresses_are_of_one_family() {
        let given = options(&[("at", "fd00::1")]);
        assert!(parse::<Ipv6Addr>(&given, "at").unwrap().is_some());
        assert_eq!(
            text(parse::<Ipv4Addr>(&given, "at")),
            "unable to parse \"at\": \"fd00::1\" is not an IPv4 address"
        );
    }
}
