//! Pairs of veth links. The message goes to the host's socket, and its peer
//! carries the container's namespace.

use std::os::fd::RawFd;

use netlink_packet_route::link::{InfoData, InfoVeth, LinkMessage};
use rtnetlink::{LinkMessageBuilder, LinkUnspec, LinkVeth};
use types::{LinkName, Mac};

/// A pair of veth links to be made: one end in the container, one on the host.
#[derive(Debug, Clone)]
pub struct NewVeth {
    /// The end in the container.
    pub container: VethEnd,
    /// The end on the host.
    pub host: VethEnd,
    /// The MTU of both in bytes; the kernel's where absent or 0.
    pub mtu: Option<u32>,
}

/// One end of a pair of veth links.
#[derive(Debug, Clone)]
pub struct VethEnd {
    /// Its name.
    pub name: LinkName,
    /// Its MAC address; the kernel chooses where absent.
    pub mac: Option<Mac>,
}

/// The message for both ends; `container` is the container's namespace.
pub(crate) fn message(veth: &NewVeth, container: RawFd) -> LinkMessage {
    let peer = LinkUnspec::new_with_name(veth.container.name.as_str()).setns_by_fd(container);
    let peer = dress(peer, &veth.container, veth.mtu).build();
    let (host, container) = (veth.host.name.as_str(), veth.container.name.as_str());
    dress(LinkVeth::new(host, container), &veth.host, veth.mtu)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .build()
}

fn dress<T>(
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
