//! WireGuard links.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::{LinkMessageBuilder, LinkWireguard};
use types::{LinkName, Namespace};

use super::{DefaultMac, Encode, Kind, Rest};

/// The default MTU in bytes (`wg_setup`).
const MTU: u32 = 1420;

/// A WireGuard link. It has no properties until it's configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wireguard;

impl Kind for Wireguard {
    fn name(&self) -> &'static str {
        "wireguard"
    }

    fn birthplace(&self) -> Option<Namespace> {
        Some(Namespace::Host)
    }

    fn default_mtu(&self, _parent: Option<u32>) -> u32 {
        MTU
    }

    fn default_mac(&self) -> DefaultMac {
        DefaultMac::None
    }
}

impl Encode for Wireguard {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        Some(rest.finish(LinkMessageBuilder::<LinkWireguard>::new(name.as_str())))
    }
}
