//! The driver's options.

use wasmvark_guest::choose;
use wasmvark_guest::links::{IpvlanIsolation, IpvlanMode};
use wasmvark_guest::types::{Error, RequestOption};

/// The first one is the default.
const MODES: &[(&str, IpvlanMode)] = &[
    ("l2", IpvlanMode::L2),
    ("l3", IpvlanMode::L3),
    ("l3s", IpvlanMode::L3s),
];

/// The first one is the default.
const FLAGS: &[(&str, IpvlanIsolation)] = &[
    ("bridge", IpvlanIsolation::Bridge),
    ("private", IpvlanIsolation::Private),
    ("vepa", IpvlanIsolation::Vepa),
];

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) mode: IpvlanMode,
    pub(crate) isolation: IpvlanIsolation,
}

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            mode: choose(options, "mode", MODES)?,
            isolation: choose(options, "flag", FLAGS)?,
        })
    }
}
