//! The driver's options.

use wasmvark_guest::links::{IpvlanIsolation, IpvlanMode};
use wasmvark_guest::types::{Error, OptionValue};
use wasmvark_guest::{choose, parse_bool};

/// All options; the host parses `metric`, `mtu` and `no_default_route`.
const NAMES: &[&str] = &[
    "announce",
    "flag",
    "metric",
    "mode",
    "mtu",
    "no_default_route",
    "parent",
];

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

/// What the host doesn't parse for us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) mode: IpvlanMode,
    pub(crate) isolation: IpvlanIsolation,
    /// The container's addresses are announced.
    pub(crate) announce: bool,
}

impl Options {
    pub(crate) fn parse(options: &[OptionValue]) -> Result<Self, Error> {
        Ok(Self {
            mode: choose(options, "mode", "ipvlan", MODES)?,
            isolation: choose(options, "flag", "ipvlan", FLAGS)?,
            announce: parse_bool(options, "announce", false)?,
        })
    }
}

/// Refuses options that the driver doesn't know.
pub(crate) fn check_names(options: &[OptionValue]) -> Result<(), Error> {
    // netavark's word for its macvlan and ipvlan driver, kept.
    wasmvark_guest::check_names(options, NAMES, "vlan")
}
