//! The driver's options.

use core::net::IpAddr;

use wasmvark_guest::links::MacvlanMode;
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{MACVLAN_MODES, choose, parse};

use crate::{host_link, sources};

/// The options that the host doesn't parse.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) mode: MacvlanMode,
    pub(crate) broadcast_limit: Option<i32>,
    pub(crate) broadcast_queue_length: Option<u32>,
    /// The addresses of the host's link beside the containers.
    pub(crate) host_addresses: Vec<IpAddr>,
}

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let mode = choose(options, "mode", MACVLAN_MODES)?;
        sources::check(options, mode)?;
        Ok(Self {
            mode,
            broadcast_limit: parse(options, "bclim")?,
            broadcast_queue_length: parse(options, "bcqueuelen")?,
            host_addresses: host_link::parse(options, mode)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<RequestOption> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        pairs.iter().map(option).collect()
    }

    fn text(error: Error) -> String {
        match error {
            Error::Invalid(text) => text,
            error => format!("not invalid: {error}"),
        }
    }

    #[test]
    fn without_options_the_mode_is_bridge() {
        for given in [options(&[]), options(&[("mode", "")])] {
            let parsed = Options::parse(&given).unwrap();
            assert_eq!(parsed.mode, MacvlanMode::Bridge);
            assert_eq!(parsed.broadcast_limit, None);
            assert_eq!(parsed.broadcast_queue_length, None);
        }
    }

    #[test]
    fn every_option_is_parsed() {
        let given = options(&[("mode", "source"), ("bclim", "-1"), ("bcqueuelen", "1000")]);
        let parsed = Options::parse(&given).unwrap();
        assert_eq!(parsed.mode, MacvlanMode::Source);
        assert_eq!(parsed.broadcast_limit, Some(-1));
        assert_eq!(parsed.broadcast_queue_length, Some(1000));
    }

    #[test]
    fn mistakes_say_what_is_expected() {
        let cases = [
            (
                "mode",
                "Bridge",
                "unable to parse \"mode\": \"Bridge\" is not one of bridge, private, vepa, passthru, source",
            ),
            (
                "bclim",
                "x",
                "unable to parse \"bclim\": \"x\" is not a whole number from -2147483648 to 2147483647",
            ),
            (
                "bclim",
                "",
                "unable to parse \"bclim\": \"\" is not a whole number from -2147483648 to 2147483647",
            ),
            (
                "bclim",
                "2147483648",
                "unable to parse \"bclim\": \"2147483648\" is not a whole number from -2147483648 to 2147483647",
            ),
            (
                "bcqueuelen",
                "-1",
                "unable to parse \"bcqueuelen\": \"-1\" is not a whole number from 0 to 4294967295",
            ),
        ];
        for (key, value, expected) in cases {
            assert_eq!(
                text(Options::parse(&options(&[(key, value)])).unwrap_err()),
                expected
            );
        }
    }
}
