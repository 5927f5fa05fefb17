//! The driver's options.

use wasmvark_guest::links::VlanProtocol;
use wasmvark_guest::types::{Error, OptionValue};
use wasmvark_guest::{ANNOUNCE, Known, RATES, SOURCE_ROUTING, TUNING, choose, parse};

/// All options.
pub(crate) const KNOWN: Known = Known {
    kind: "vlan",
    network: &["parent", "protocol", "vlan"],
    container: &[],
    behaviours: &[TUNING, RATES, SOURCE_ROUTING, ANNOUNCE],
};

/// The first one is the default.
const PROTOCOLS: &[(&str, VlanProtocol)] = &[
    ("dot1q", VlanProtocol::Dot1q),
    ("dot1ad", VlanProtocol::Dot1ad),
];

const LAST_ID: u16 = 4094;

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) id: u16,
    pub(crate) protocol: VlanProtocol,
}

impl Options {
    pub(crate) fn parse(options: &[OptionValue]) -> Result<Self, Error> {
        Ok(Self {
            id: id(options)?,
            protocol: choose(options, "protocol", "vlan", PROTOCOLS)?,
        })
    }
}

fn id(options: &[OptionValue]) -> Result<u16, Error> {
    match parse(options, "vlan")? {
        None => Err(Error::Invalid(
            "no VLAN is specified: give -o vlan=ID".to_owned(),
        )),
        Some(id) if id > LAST_ID => Err(Error::Invalid(format!(
            "vlan {id} is not possible: ids go from 0 to {LAST_ID}"
        ))),
        Some(id) => Ok(id),
    }
}
