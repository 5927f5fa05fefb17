//! The driver's options.

use wasmvark_guest::links::{IpvlanIsolation, IpvlanMode};
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{Known, ON_A_WIRE, choose, word};

/// All options.
pub(crate) const KNOWN: Known = Known {
    // netavark's errors call its macvlan and ipvlan driver so.
    kind: "vlan",
    network: &[word("flag"), word("mode"), word("parent")],
    container: &[],
    behaviours: ON_A_WIRE,
};

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
            mode: choose(options, "mode", "ipvlan", MODES)?,
            isolation: choose(options, "flag", "ipvlan", FLAGS)?,
        })
    }
}
