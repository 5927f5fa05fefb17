//! Options that the host knows, for every driver.

use std::collections::BTreeMap;

use types::LinkName;

use super::{Given, RequestError, link_name};

/// The options whose values are numbers.
const NUMBERS: [&str; 2] = ["metric", "mtu"];
/// The option that turns default routes off.
const NO_DEFAULT_ROUTE: &str = "no_default_route";

/// Parses the option `mtu`, in bytes.
pub(super) fn mtu(options: &BTreeMap<String, String>) -> Result<Option<u32>, RequestError> {
    number(options, "mtu")
}

/// Parses the option `metric`.
pub(super) fn metric(options: &BTreeMap<String, String>) -> Result<Option<u32>, RequestError> {
    number(options, "metric")
}

/// Parses the option `no_default_route`.
pub(super) fn no_default_route(
    options: &BTreeMap<String, String>,
) -> Result<Option<bool>, RequestError> {
    let Some(text) = options.get(NO_DEFAULT_ROUTE) else {
        return Ok(None);
    };
    let on = truth(text).ok_or_else(|| not(NO_DEFAULT_ROUTE, text, "true or false"))?;
    Ok(Some(on))
}

/// The option that names the link of the host through which packets to published ports
/// must come in.
pub(super) const PUBLISH_INTERFACE: &str = "publish_interface";

/// Parses the option `publish_interface`.
pub(super) fn publish_interface(
    options: &BTreeMap<String, String>,
) -> Result<Option<LinkName>, RequestError> {
    link(options, PUBLISH_INTERFACE, "the option publish_interface")
}

/// Returns the options that the host knows and whose values aren't in their normal form,
/// with the normal form. Podman stores that of its own drivers' options, too.
///
/// # Errors
///
/// An option can't have its value.
pub fn normal_forms(
    options: &BTreeMap<String, String>,
) -> Result<Vec<(&'static str, String)>, RequestError> {
    let mut forms = Vec::new();
    for key in NUMBERS {
        forms.extend(number(options, key)?.map(|number| (key, number.to_string())));
    }
    forms.extend(no_default_route(options)?.map(|on| (NO_DEFAULT_ROUTE, on.to_string())));
    forms.retain(|(key, value)| options.get(*key) != Some(value));
    Ok(forms)
}

/// Whether two values of an option mean the same. Drivers store the normal forms of
/// numbers and truth values.
pub(super) fn mean_the_same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let both_are = |one: Option<i64>, other: Option<i64>| one.is_some() && one == other;
    one == other
        || both_are(number(one), number(other))
        || both_are(truth(one).map(i64::from), truth(other).map(i64::from))
}

fn number(
    options: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<u32>, RequestError> {
    let Some(text) = options.get(key) else {
        return Ok(None);
    };
    let number = text.trim().parse();
    let number = number.map_err(|_| not(key, text, "a whole number from 0 to 4294967295"))?;
    Ok(Some(number))
}

/// Parses Go's words for truth values (`strconv.ParseBool`), which Podman takes for its
/// own drivers.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Returns the error for a value that an option can't have. Those for the options that a
/// driver declares have the same words.
fn not(key: &'static str, text: &str, expected: &str) -> RequestError {
    RequestError::Option {
        key,
        error: format!("{text:?} is not {expected}"),
        given: Given::Network,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        pairs.collect()
    }

    #[test]
    fn truth_values_are_those_of_go() {
        for (words, on) in [
            (["1", "t", "T", "TRUE", "true", "True"], true),
            (["0", "f", "F", "FALSE", "false", "False"], false),
        ] {
            for word in words {
                let parsed = no_default_route(&options(&[(NO_DEFAULT_ROUTE, word)]));
                assert_eq!(parsed.unwrap(), Some(on), "{word}");
            }
        }
        assert_eq!(no_default_route(&options(&[])).unwrap(), None);
        let error = no_default_route(&options(&[(NO_DEFAULT_ROUTE, "yes")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unable to parse \"no_default_route\": \"yes\" is not true or false (given for the network)"
        );
    }

    #[test]
    fn numbers_are_whole_and_may_have_spaces_around() {
        assert_eq!(mtu(&options(&[("mtu", " 1400 ")])).unwrap(), Some(1400));
        for text in ["", " ", "0x7d0", "-1", "4294967296", "1500.0", "9k"] {
            let error = mtu(&options(&[("mtu", text)])).unwrap_err().to_string();
            let expected = format!(
                "unable to parse \"mtu\": {text:?} is not a whole number from 0 to 4294967295 (given \
                 for the network)"
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn only_what_has_another_form_is_stored_anew() {
        let given = [
            ("mtu", " 1400"),
            ("metric", "7"),
            ("no_default_route", "F"),
            ("mode", " T "),
        ];
        let forms = normal_forms(&options(&given)).unwrap();
        let expected = [
            ("mtu", "1400".to_owned()),
            ("no_default_route", "false".to_owned()),
        ];
        assert_eq!(forms, expected);
        assert!(normal_forms(&options(&[("metric", "x")])).is_err());
    }

    #[test]
    fn a_normal_form_means_the_same() {
        for (one, other) in [("a", "a"), (" 7", "7"), ("T", "true"), ("0", "false")] {
            assert!(mean_the_same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("a", "b"),
            ("7", "8"),
            ("1", "false"),
            ("", "0"),
            (" a", "a"),
        ] {
            assert!(!mean_the_same(one, other), "{one} {other}");
        }
    }
}
