//! VXLAN links.

use std::net::IpAddr;

use netlink_packet_route::link::LinkMessage;
use rtnetlink::LinkVxlan;
use types::{LinkName, Namespace};

use super::{ETHERNET_MTU, Encode, Kind, LinkNumber, Rest, property};
use crate::LinkId;

/// The length of the headers over IPv4 and over IPv6, in bytes (VXLAN_HEADROOM,
/// VXLAN6_HEADROOM).
const HEADROOM: (u32, u32) = (50, 70);

/// ETH_MIN_MTU (`if_ether.h`).
const MIN_MTU: u32 = 68;

/// The properties of a VXLAN link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vxlan {
    /// The parent.
    pub parent: Option<LinkId>,
    /// The number of the VXLAN (VNI), at most 24 bits.
    pub id: u32,
    /// The address of the remote endpoint or of a multicast group.
    pub remote: Option<IpAddr>,
    /// The source address of the tunnel's packets.
    pub local: Option<IpAddr>,
    /// The UDP port.
    pub port: u16,
    /// Whether the link learns the endpoints of MAC addresses.
    pub learning: bool,
    /// The time to live of the tunnel's packets.
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

    fn properties(&self) -> Vec<String> {
        let remote = match self.remote.is_some_and(|remote| remote.is_multicast()) {
            true => "group",
            false => "remote",
        };
        let all = [
            property("id", Some(self.id)),
            property(remote, self.remote),
            property("local", self.local),
            property("dstport", Some(self.port)),
            (!self.learning).then(|| "nolearning".to_owned()),
            property("ttl", self.ttl),
        ];
        all.into_iter().flatten().collect()
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
        // The kernel has one attribute for endpoints and groups.
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
