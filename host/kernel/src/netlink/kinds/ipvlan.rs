//! Ipvlan links.

use netlink_packet_route::link::{InfoIpVlan, IpVlanFlags, IpVlanMode};
use rtnetlink::{LinkIpVlan, LinkMessageBuilder};
use types::LinkName;

use crate::{Ipvlan, IpvlanIsolation, IpvlanMode, ParentUse};

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

/// What an ipvlan link does to its parent.
pub(super) fn parent_use(infos: &[InfoIpVlan]) -> Option<ParentUse> {
    let mode = infos.iter().find_map(|info| match info {
        InfoIpVlan::Mode(IpVlanMode::L2) => Some(IpvlanMode::L2),
        InfoIpVlan::Mode(IpVlanMode::L3) => Some(IpvlanMode::L3),
        InfoIpVlan::Mode(IpVlanMode::L3S) => Some(IpvlanMode::L3s),
        _ => None,
    });
    let flags = infos.iter().find_map(|info| match info {
        InfoIpVlan::Flags(flags) => Some(*flags),
        _ => None,
    });
    let isolation = match flags.unwrap_or_default() {
        flags if flags.contains(IpVlanFlags::Private) => IpvlanIsolation::Private,
        flags if flags.contains(IpVlanFlags::Vepa) => IpvlanIsolation::Vepa,
        _ => IpvlanIsolation::Bridge,
    };
    Some(ParentUse::Ipvlan(mode?, isolation))
}
