//! Messages that make links (RTM_NEWLINK), a file for each kind.

mod bridge;
mod macvlan;
mod veth;

use std::os::fd::RawFd;

use netlink_packet_route::link::LinkMessage;
use rtnetlink::LinkMessageBuilder;

use crate::kernel::{LinkKind, NewLink};
use crate::net::LinkName;

pub(super) use veth::message as veth;

/// The message for a link under a name, which isn't always its final one.
/// `netns` is where it goes, if not to the namespace of the socket.
pub(super) fn message(link: &NewLink, name: &LinkName, netns: Option<RawFd>) -> LinkMessage {
    match &link.kind {
        LinkKind::Bridge => finish(bridge::build(name), link, netns),
        LinkKind::Macvlan(macvlan) => finish(macvlan::build(name, macvlan), link, netns),
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
