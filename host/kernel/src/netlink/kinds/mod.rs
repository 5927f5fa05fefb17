//! Messages that make links (RTM_NEWLINK), a file for each kind.

mod bridge;
mod ipvlan;
mod macvlan;
mod plain;
mod veth;
mod vlan;
mod vxlan;

use std::os::fd::RawFd;

use netlink_packet_route::link::{InfoData, LinkMessage};
use rtnetlink::LinkMessageBuilder;
use types::LinkName;

use crate::{LinkKind, NewLink, ParentUse};

pub(super) use veth::message as veth;

/// The message for a link under a name, which isn't always its final one.
/// `netns` is where it goes, if not to the namespace of the socket. `None` for
/// kinds that rtnetlink can't make.
pub(super) fn message(
    link: &NewLink,
    name: &LinkName,
    netns: Option<RawFd>,
) -> Option<LinkMessage> {
    Some(match &link.kind {
        LinkKind::Bridge { vlan_filtering } => {
            finish(bridge::build(name, *vlan_filtering), link, netns)
        }
        LinkKind::Dummy => finish(plain::dummy(name), link, netns),
        LinkKind::Ifb => finish(plain::ifb(name), link, netns),
        LinkKind::Ipvlan(ipvlan) => finish(ipvlan::build(name, ipvlan), link, netns),
        LinkKind::Macvlan(macvlan) => finish(macvlan::build(name, macvlan), link, netns),
        LinkKind::Macvtap(macvlan) => finish(macvlan::build_tap(name, macvlan), link, netns),
        LinkKind::Vlan(vlan) => finish(vlan::build(name, vlan), link, netns),
        LinkKind::Vrf { table } => finish(plain::vrf(name, *table), link, netns),
        LinkKind::Vxlan(vxlan) => finish(vxlan::build(name, vxlan), link, netns),
        LinkKind::Wireguard => finish(plain::wireguard(name), link, netns),
        LinkKind::Tap(_) => return None,
    })
}

/// What a link does to the one below it, by what only its kind has.
pub(super) fn parent_use(data: &InfoData) -> Option<ParentUse> {
    match data {
        InfoData::MacVlan(infos) => macvlan::parent_use(infos),
        InfoData::MacVtap(infos) => macvlan::parent_use_of_tap(infos),
        InfoData::IpVlan(infos) => ipvlan::parent_use(infos),
        _ => None,
    }
}

/// Adds what all kinds have.
fn finish<T>(
    mut message: LinkMessageBuilder<T>,
    link: &NewLink,
    netns: Option<RawFd>,
) -> LinkMessage {
    if let Some(mac) = link.mac {
        message = message.address(mac.bytes().to_vec());
    }
    if let Some(mtu) = link.mtu.filter(|mtu| *mtu > 0) {
        message = message.mtu(mtu);
    }
    if let Some(netns) = netns {
        message = message.setns_by_fd(netns);
    }
    message.build()
}
