//! Messages for links, written and read.

use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo as LinkInfoAttribute,
    LinkMessage,
};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};
use types::{LinkName, Mac};

use crate::{KernelError, LinkChange, LinkInfo, LinkState, kinds};

/// Returns the message that changes the link with this index.
pub(super) fn message(index: u32, change: &LinkChange) -> LinkMessageBuilder<LinkUnspec> {
    let message = LinkUnspec::new_with_index(index);
    match change {
        LinkChange::Name(name) => message.name(name.as_str()),
        LinkChange::Mac(mac) => message.address(mac.bytes().to_vec()),
        LinkChange::Mtu(mtu) => message.mtu(*mtu),
        LinkChange::Master(master) => message.controller(master.unwrap_or(0)),
        LinkChange::Up(true) => message.up(),
        LinkChange::Up(false) => message.down(),
        LinkChange::TxQueueLength(packets) => message.txqueuelen(*packets),
        LinkChange::Promiscuous(on) => message.promiscuous(*on),
        LinkChange::AllMulticast(on) => message.allmulticast(*on),
        LinkChange::Alias(alias) => message.alias(alias.as_deref().unwrap_or_default()),
        LinkChange::VlanFiltering(on) => {
            let data = InfoData::Bridge(vec![InfoBridge::VlanFiltering(*on)]);
            message.append_extra_attribute(LinkAttribute::LinkInfo(vec![
                LinkInfoAttribute::Kind(InfoKind::Bridge),
                LinkInfoAttribute::Data(data),
            ]))
        }
    }
}

/// Reads the state of a link.
pub(super) fn state(message: &LinkMessage) -> Result<LinkState, KernelError> {
    let index = message.header.index;
    let name = name(message)
        .ok_or_else(|| KernelError::Netlink(format!("link {index} has a name that isn't plain")))?;
    Ok(state_with(message, name))
}

/// Reads the name of a link, if it's plain.
pub(super) fn name(message: &LinkMessage) -> Option<LinkName> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        LinkAttribute::IfName(text) => text.parse::<LinkName>().ok(),
        _ => None,
    })
}

/// Reads the state of a link under the caller's name for it.
pub(super) fn state_with(message: &LinkMessage, name: LinkName) -> LinkState {
    let index = message.header.index;
    let flags = message.header.flags;
    let mut state = LinkState {
        name,
        index,
        mac: None,
        mtu: 0,
        master: None,
        up: flags.contains(LinkFlags::Up),
        tx_queue_length: 0,
        promiscuous: flags.contains(LinkFlags::Promisc),
        all_multicast: flags.contains(LinkFlags::Allmulti),
        alias: None,
        permanent_mac: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => state.mac = Mac::try_from(bytes.as_slice()).ok(),
            LinkAttribute::Mtu(bytes) => state.mtu = *bytes,
            LinkAttribute::Controller(index) => state.master = Some(*index),
            LinkAttribute::TxQueueLen(packets) => state.tx_queue_length = *packets,
            LinkAttribute::PermAddress(bytes) => {
                state.permanent_mac = Mac::try_from(bytes.as_slice()).ok();
            }
            LinkAttribute::IfAlias(text) => state.alias = Some(text.clone()),
            _ => {}
        }
    }
    state
}

/// Returns the attributes of a link's kind (IFLA_LINKINFO).
pub(super) fn infos(message: &LinkMessage) -> impl Iterator<Item = &LinkInfoAttribute> {
    let attributes = message.attributes.iter();
    let infos = attributes.filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten()
}

/// Reads the state, the kind and the carrier of a link.
pub(super) fn info(message: &LinkMessage) -> Result<LinkInfo, KernelError> {
    Ok(info_with(message, state(message)?))
}

/// Adds the kind and the carrier to a state that was read before.
pub(super) fn info_with(message: &LinkMessage, state: LinkState) -> LinkInfo {
    let flags = message.header.flags;
    let mut link = LinkInfo {
        state,
        kind: None,
        carrier: flags.contains(LinkFlags::LowerUp | LinkFlags::Running),
        vlan_filtering: None,
        parent_use: None,
    };
    for info in infos(message) {
        match info {
            LinkInfoAttribute::Kind(kind) => link.kind = Some(kind.to_string()),
            LinkInfoAttribute::Data(InfoData::Bridge(data)) => {
                link.vlan_filtering = vlan_filtering(data);
            }
            LinkInfoAttribute::Data(data) => link.parent_use = kinds::parent_use(data),
            _ => {}
        }
    }
    link
}

fn vlan_filtering(bridge: &[InfoBridge]) -> Option<bool> {
    bridge.iter().find_map(|info| match info {
        InfoBridge::VlanFiltering(on) => Some(*on),
        _ => None,
    })
}
