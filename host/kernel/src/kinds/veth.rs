//! Veth links, of which two are made as peers. The message goes to the host's
//! socket. The peer in it carries the container's namespace.

use std::os::fd::RawFd;

use netlink_packet_route::link::{InfoData, InfoVeth, LinkMessage};
use rtnetlink::{LinkMessageBuilder, LinkUnspec, LinkVeth};
use types::{LinkName, Mac};

/// Two veth links to be made: one in the container, and its peer on the host.
#[derive(Debug, Clone)]
pub struct NewVeth {
    /// The link in the container.
    pub container: VethEnd,
    /// The link on the host.
    pub host: VethEnd,
    /// The MTU of both in bytes. Without one, or with 0, they have the kernel's
    /// default.
    pub mtu: Option<u32>,
}

/// One of two veth links.
#[derive(Debug, Clone)]
pub struct VethEnd {
    /// The name.
    pub name: LinkName,
    /// The MAC address. Without one, the kernel chooses.
    pub mac: Option<Mac>,
}

/// Returns the message that makes both links. `container` is the container's
/// namespace.
pub(crate) fn message(veth: &NewVeth, container: RawFd) -> LinkMessage {
    let peer = LinkUnspec::new_with_name(veth.container.name.as_str()).setns_by_fd(container);
    let peer = set_properties(peer, &veth.container, veth.mtu).build();
    let (host, container) = (veth.host.name.as_str(), veth.container.name.as_str());
    set_properties(LinkVeth::new(host, container), &veth.host, veth.mtu)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .build()
}

fn set_properties<T>(
    mut message: LinkMessageBuilder<T>,
    end: &VethEnd,
    mtu: Option<u32>,
) -> LinkMessageBuilder<T> {
    if let Some(mac) = end.mac {
        message = message.address(mac.bytes().to_vec());
    }
    if let Some(mtu) = mtu.filter(|mtu| *mtu > 0) {
        message = message.mtu(mtu);
    }
    message
}
