//! The driver's options.

use wasmvark_guest::links::VlanProtocol;
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{choose, parse};

/// The first one is the default.
const PROTOCOLS: &[(&str, VlanProtocol)] = &[
    ("dot1q", VlanProtocol::Dot1q),
    ("dot1ad", VlanProtocol::Dot1ad),
];

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// The VLAN ID. 0 is for frames that have only a priority (IEEE 802.1Q).
    pub(crate) id: u16,
    pub(crate) protocol: VlanProtocol,
}

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            id: id(options)?,
            protocol: choose(options, "protocol", PROTOCOLS)?,
        })
    }
}

fn id(options: &[RequestOption]) -> Result<u16, Error> {
    parse(options, "vlan")?
        .ok_or_else(|| Error::Invalid("no VLAN is specified: give -o vlan=ID".to_owned()))
}
