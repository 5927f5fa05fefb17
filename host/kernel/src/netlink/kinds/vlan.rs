//! VLAN links.

use netlink_packet_route::link::VlanProtocol;
use rtnetlink::{LinkMessageBuilder, LinkVlan};

use crate::Vlan;
use types::LinkName;

pub(super) fn build(name: &LinkName, vlan: &Vlan) -> LinkMessageBuilder<LinkVlan> {
    let protocol = match vlan.provider {
        true => VlanProtocol::Ieee8021Ad,
        false => VlanProtocol::Ieee8021Q,
    };
    LinkVlan::new(name.as_str(), vlan.parent.index, vlan.id).protocol(protocol)
}
