//! VLAN links.

use netlink_packet_route::link::VlanProtocol;
use rtnetlink::{LinkMessageBuilder, LinkVlan};
use types::LinkName;

use crate::Vlan;

pub(super) fn build(name: &LinkName, vlan: &Vlan) -> LinkMessageBuilder<LinkVlan> {
    let protocol = match vlan.provider {
        true => VlanProtocol::Ieee8021Ad,
        false => VlanProtocol::Ieee8021Q,
    };
    LinkVlan::new(name.as_str(), vlan.parent.index, vlan.id).protocol(protocol)
}
