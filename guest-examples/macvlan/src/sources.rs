//! The MAC addresses whose frames a link of the mode `source` gets. The host lists them.

use wasmvark_guest::links::MacvlanMode;
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{find, not};

/// The option that names them (`macaddr` of `ip-link(8)`).
const MACADDR: &str = "macaddr";

/// Checks the option.
pub(crate) fn check(options: &[RequestOption], mode: MacvlanMode) -> Result<(), Error> {
    let Some(text) = find(options, MACADDR) else {
        return Ok(());
    };
    if mode != MacvlanMode::Source {
        return Err(Error::Invalid(format!(
            "{MACADDR} needs mode source: with others, frames of all senders come in"
        )));
    }
    match text.split(',').all(|word| is_sender(word.trim())) {
        true => Ok(()),
        false => Err(not(
            MACADDR,
            text,
            "a list of MAC addresses that frames can come from, with commas between them",
        )),
    }
}

/// Whether a text is a MAC address that a frame can come from: not that of a group, and
/// not zero.
fn is_sender(text: &str) -> bool {
    let bytes = text.split([':', '-']).map(|byte| match byte.len() {
        2 => u8::from_str_radix(byte, 16).ok(),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    match bytes.as_deref() {
        Some([first, rest @ ..]) if rest.len() == 5 => {
            first & 1 == 0 && (*first != 0 || rest.iter().any(|byte| *byte != 0))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, mode: MacvlanMode) -> Result<(), String> {
        let option = RequestOption {
            key: MACADDR.to_owned(),
            value: text.to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        check(&[option], mode).map_err(|error| match error {
            Error::Invalid(text) => text,
            error => format!("not invalid: {error}"),
        })
    }

    #[test]
    fn senders_are_listed_for_the_mode_source() {
        for list in ["02:00:00:00:00:01", "02-00-00-00-00-01, 00:00:5e:00:01:01"] {
            assert_eq!(checked(list, MacvlanMode::Source), Ok(()));
            let error = checked(list, MacvlanMode::Bridge).unwrap_err();
            assert!(error.contains("needs mode source"), "{error}");
        }
    }

    #[test]
    fn what_no_frame_comes_from_is_refused() {
        for list in [
            "",
            "02:00:00:00:00:01,",
            "02:00:00:00:00",
            "02:00:00:00:00:01:02",
            "2:0:0:0:0:1",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
        ] {
            let error = checked(list, MacvlanMode::Source).unwrap_err();
            assert!(error.contains("unable to parse \"macaddr\""), "{error}");
        }
    }
}
