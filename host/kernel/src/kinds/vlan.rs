//! VLAN links.

use netlink_packet_route::link::{LinkMessage, VlanProtocol as WireProtocol};
use rtnetlink::LinkVlan;
use types::LinkName;

use super::{DefaultMac, ETHERNET_MTU, Encode, Kind, LinkNumber, Rest};
use crate::LinkId;

/// The properties of a VLAN link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vlan {
    /// The parent.
    pub parent: LinkId,
    /// The VLAN's number, at most 4094.
    pub id: u16,
    /// The protocol of the tags.
    pub protocol: VlanProtocol,
}

/// The protocols of VLAN tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VlanProtocol {
    /// IEEE 802.1Q.
    Dot1q,
    /// IEEE 802.1ad, for the outer tags in providers' networks.
    Dot1ad,
}

impl Kind for Vlan {
    fn name(&self) -> &'static str {
        "vlan"
    }

    fn parent(&self) -> Option<LinkId> {
        Some(self.parent)
    }

    fn number(&self) -> Option<LinkNumber> {
        Some(LinkNumber::Vlan(self.id))
    }

    fn default_mtu(&self, parent: Option<u32>) -> u32 {
        parent.unwrap_or(ETHERNET_MTU)
    }

    fn default_mac(&self) -> DefaultMac {
        DefaultMac::OfParent
    }

    fn properties(&self) -> Vec<String> {
        let protocol = match self.protocol {
            VlanProtocol::Dot1q => "802.1Q",
            VlanProtocol::Dot1ad => "802.1ad",
        };
        vec![format!("protocol {protocol}"), format!("id {}", self.id)]
    }
}

impl Encode for Vlan {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        let protocol = match self.protocol {
            VlanProtocol::Dot1q => WireProtocol::Ieee8021Q,
            VlanProtocol::Dot1ad => WireProtocol::Ieee8021Ad,
        };
        let message = LinkVlan::new(name.as_str(), self.parent.index, self.id);
        Some(rest.finish(message.protocol(protocol)))
    }
}
