//! VRFs: routing domains.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::LinkVrf;
use types::LinkName;

use super::{Encode, Kind, LinkNumber, Rest};

/// The default MTU in bytes (IP6_MAX_MTU, `vrf_setup`).
const MTU: u32 = 65_575;

/// The properties of a VRF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vrf {
    /// The routing table.
    pub table: u32,
}

impl Kind for Vrf {
    fn name(&self) -> &'static str {
        "vrf"
    }

    fn number(&self) -> Option<LinkNumber> {
        Some(LinkNumber::Table(self.table))
    }

    fn default_mtu(&self, _parent: Option<u32>) -> u32 {
        MTU
    }

    fn properties(&self) -> Vec<String> {
        vec![format!("table {}", self.table)]
    }
}

impl Encode for Vrf {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        Some(rest.finish(LinkVrf::new(name.as_str(), self.table)))
    }
}
