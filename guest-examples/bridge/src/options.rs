//! The driver's options.

use wasmvark_guest::choose;
use wasmvark_guest::types::{Error, OptionValue};

/// All options; the host parses `metric`, `mtu` and `no_default_route`.
const NAMES: &[&str] = &["metric", "mode", "mtu", "no_default_route", "parent"];

/// Whose the bridge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The network's.
    Managed,
    /// Somebody else's, who takes care of it.
    Unmanaged,
}

/// The first one is the default.
const MODES: &[(&str, Mode)] = &[("managed", Mode::Managed), ("unmanaged", Mode::Unmanaged)];

/// What the host doesn't parse for us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
}

impl Options {
    pub(crate) fn parse(options: &[OptionValue]) -> Result<Self, Error> {
        Ok(Self {
            mode: choose(options, "mode", "bridge", MODES)?,
        })
    }
}

/// Refuses options that the driver doesn't know.
pub(crate) fn check_names(options: &[OptionValue]) -> Result<(), Error> {
    // netavark's word for its bridge driver, kept.
    wasmvark_guest::check_names(options, NAMES, "bridge")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Mode, Error> {
        let option = OptionValue {
            key: "mode".to_owned(),
            value: value.to_owned(),
        };
        Options::parse(&[option]).map(|options| options.mode)
    }

    #[test]
    fn the_mode_is_managed_unless_given() {
        assert_eq!(Options::parse(&[]).unwrap().mode, Mode::Managed);
        assert_eq!(parse("managed").unwrap(), Mode::Managed);
        assert_eq!(parse("unmanaged").unwrap(), Mode::Unmanaged);
        assert!(matches!(parse("x"), Err(Error::Invalid(_))));
    }
}
