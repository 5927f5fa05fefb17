//! Addresses over rtnetlink.

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressScope};

use crate::kernel::AddressState;

/// The message that adds an address, with the attributes that netavark sends.
pub(super) fn message(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = address.prefix_len();
    match address {
        IpNet::V4(v4) => {
            message.header.family = AddressFamily::Inet;
            let broadcast = AddressAttribute::Broadcast(v4.broadcast());
            message.attributes.push(broadcast);
        }
        IpNet::V6(_) => message.header.family = AddressFamily::Inet6,
    }
    let local = AddressAttribute::Local(address.addr());
    message.attributes.push(local);
    message
}

/// An address as the kernel describes it.
pub(super) fn state(message: &AddressMessage) -> Option<AddressState> {
    let mut local = None;
    let mut peer = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => peer = Some(*address),
            _ => {}
        }
    }
    Some(AddressState {
        address: IpNet::new(local.or(peer)?, message.header.prefix_len).ok()?,
        link_scope: message.header.scope == AddressScope::Link,
    })
}
