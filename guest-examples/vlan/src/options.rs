//! The driver's options.

use wasmvark_guest::links::VlanProtocol;
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{Known, ON_A_WIRE, Within, choose, parse, typed, word};

/// All options.
pub(crate) const KNOWN: Known = Known {
    kind: "vlan",
    network: &[word("parent"), word("protocol"), typed::<VlanId>("vlan")],
    container: &[],
    behaviours: ON_A_WIRE,
};

/// The first one is the default.
const PROTOCOLS: &[(&str, VlanProtocol)] = &[
    ("dot1q", VlanProtocol::Dot1q),
    ("dot1ad", VlanProtocol::Dot1ad),
];

/// A VLAN ID. 0 is for frames that have only a priority (IEEE 802.1Q).
type VlanId = Within<u16, 0, 4094>;

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) id: u16,
    pub(crate) protocol: VlanProtocol,
}

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            id: id(options)?,
            protocol: choose(options, "protocol", "vlan", PROTOCOLS)?,
        })
    }
}

fn id(options: &[RequestOption]) -> Result<u16, Error> {
    let id = parse::<VlanId>(options, "vlan")?;
    id.map(VlanId::number)
        .ok_or_else(|| Error::Invalid("no VLAN is specified: give -o vlan=ID".to_owned()))
}
