//! VXLAN links.

use std::net::IpAddr;

use netlink_packet_route::link::LinkMessage;
use rtnetlink::LinkVxlan;
use types::{LinkName, Namespace};

use super::{ETHERNET_MTU, Encode, Kind, LinkNumber, Rest};
use crate::LinkId;

/// VXLAN_HEADROOM and VXLAN6_HEADROOM, in bytes.
const HEADROOM: (u32, u32) = (50, 70);

/// ETH_MIN_MTU (`if_ether.h`).
const MIN_MTU: u32 = 68;

/// What only VXLAN links have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vxlan {
    /// The link below it.
    pub parent: Option<LinkId>,
    /// The network's number, at most 24 bits.
    pub id: u32,
    /// The other end, or a multicast group.
    pub remote: Option<IpAddr>,
    /// The address that packets leave from.
    pub local: Option<IpAddr>,
    /// The UDP port.
    pub port: u16,
    /// Whether it learns where MAC addresses are.
    pub learning: bool,
    /// The time to live of packets.
    pub ttl: Option<u8>,
}

impl Kind for Vxlan {
    fn name(&self) -> &'static str {
        "vxlan"
    }

    fn parent(&self) -> Option<LinkId> {
        self.parent
    }

    fn number(&self) -> Option<LinkNumber> {
        Some(LinkNumber::Vni(self.id))
    }

    fn birthplace(&self) -> Option<Namespace> {
        Some(Namespace::Host)
    }

    fn headroom(&self) -> u32 {
        let (v4, v6) = HEADROOM;
        let is_v6 = self.remote.or(self.local).is_some_and(|ip| ip.is_ipv6());
        if is_v6 { v6 } else { v4 }
    }

    /// `vxlan_config_apply`
    fn default_mtu(&self, parent: Option<u32>) -> u32 {
        parent.map_or(ETHERNET_MTU, |mtu| {
            mtu.saturating_sub(self.headroom()).max(MIN_MTU)
        })
    }
}

impl Encode for Vxlan {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        let mut message = LinkVxlan::new(name.as_str(), self.id)
            .port(self.port)
            .learning(self.learning);
        if let Some(parent) = self.parent {
            message = message.dev(parent.index);
        }
        // The kernel has one attribute for the other end and for groups.
        message = match self.remote {
            Some(IpAddr::V4(remote)) => message.remote(remote),
            Some(IpAddr::V6(remote)) => message.remote6(remote),
            None => message,
        };
        message = match self.local {
            Some(IpAddr::V4(local)) => message.local(local),
            Some(IpAddr::V6(local)) => message.local6(local),
            None => message,
        };
        if let Some(ttl) = self.ttl {
            message = message.ttl(ttl);
        }
        Some(rest.finish(message))
    }
}
