//! Ipvlan links.

use netlink_packet_route::link::{IpVlanFlags, IpVlanMode};
use rtnetlink::{LinkIpVlan, LinkMessageBuilder};

use crate::kernel::{Ipvlan, IpvlanIsolation, IpvlanMode};
use crate::net::LinkName;

pub(super) fn build(name: &LinkName, ipvlan: &Ipvlan) -> LinkMessageBuilder<LinkIpVlan> {
    let mode = match ipvlan.mode {
        IpvlanMode::L2 => IpVlanMode::L2,
        IpvlanMode::L3 => IpVlanMode::L3,
        IpvlanMode::L3s => IpVlanMode::L3S,
    };
    let flags = match ipvlan.isolation {
        IpvlanIsolation::Bridge => IpVlanFlags::empty(),
        IpvlanIsolation::Private => IpVlanFlags::Private,
        IpvlanIsolation::Vepa => IpVlanFlags::Vepa,
    };
    LinkIpVlan::new(name.as_str(), ipvlan.parent.index, mode).flag(flags)
}
