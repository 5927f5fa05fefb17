//! Bridges.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::{LinkBridge, LinkMessageBuilder};
use types::LinkName;

use super::{Encode, Kind, Rest, property};

/// The properties of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridge {
    /// Whether frames pass only the ports of their VLAN
    /// (IFLA_BR_VLAN_FILTERING).
    pub vlan_filtering: bool,
}

impl Kind for Bridge {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn vlan_filtering(&self) -> Option<bool> {
        Some(self.vlan_filtering)
    }

    fn properties(&self) -> Vec<String> {
        let filters = self.vlan_filtering.then_some(1);
        property("vlan_filtering", filters).into_iter().collect()
    }
}

impl Encode for Bridge {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        // `LinkBridge::new` would set the bridge up.
        let message = LinkMessageBuilder::<LinkBridge>::new(name.as_str());
        Some(rest.finish(match self.vlan_filtering {
            true => message.vlan_filtering(true),
            false => message,
        }))
    }
}
