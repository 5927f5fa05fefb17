//! The parents, peers and devices of links, read from rtnetlink messages.

use netlink_packet_route::link::{InfoData, InfoVrf, LinkAttribute, LinkInfo, LinkMessage};

use super::link;
use crate::device::Device;
use crate::identity::PEER_KINDS;
use crate::{PlacedLink, SurveyedLink, Tie};

/// Reads a link with its parent and device. Returns `None` if its name isn't
/// plain.
pub(super) fn of(message: &LinkMessage) -> Option<PlacedLink> {
    let info = link::info(message).ok()?;
    let is_end = info.kind.is_some_and(|kind| PEER_KINDS.contains(&&*kind));
    let device = device(message);
    Some(PlacedLink {
        state: info.state,
        lower: lower(message).filter(|_| !is_end),
        pci: device.pci(),
        device: device.path(),
    })
}

/// Reads a link with its parent or peer, and its device. Returns `None` if its
/// name isn't plain.
pub(super) fn survey(message: &LinkMessage) -> Option<SurveyedLink> {
    let info = link::info(message).ok()?;
    let is_pair = info
        .kind
        .as_deref()
        .is_some_and(|kind| PEER_KINDS.contains(&kind));
    let device = device(message);
    Some(SurveyedLink {
        info,
        tie: tie(message, is_pair),
        table: table(message),
        pci: device.pci(),
        device: device.path(),
    })
}

/// Returns the routing table of a VRF (IFLA_VRF_TABLE).
fn table(message: &LinkMessage) -> Option<u32> {
    link::infos(message).find_map(|info| match info {
        LinkInfo::Data(InfoData::Vrf(data)) => data.iter().find_map(|vrf| match vrf {
            InfoVrf::TableId(table) => Some(*table),
            _ => None,
        }),
        _ => None,
    })
}

/// Returns the index in IFLA_LINK, unless it's one of another namespace.
fn lower(message: &LinkMessage) -> Option<u32> {
    tie(message, false)
        .filter(|tie| !tie.elsewhere)
        .map(|tie| tie.index)
}

fn tie(message: &LinkMessage, is_pair: bool) -> Option<Tie> {
    let mut attributes = message.attributes.iter();
    let is_elsewhere =
        attributes.any(|attribute| matches!(attribute, LinkAttribute::LinkNetNsId(_)));
    tie_index(message).map(|index| Tie {
        is_pair,
        index,
        elsewhere: is_elsewhere,
    })
}

/// Returns the index in IFLA_LINK.
pub(super) fn tie_index(message: &LinkMessage) -> Option<u32> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        LinkAttribute::Link(index) => Some(*index),
        _ => None,
    })
}

/// Returns the device of a link.
pub(super) fn device(message: &LinkMessage) -> Device {
    let mut device = Device::default();
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::ParentDevName(name) => device.name = Some(name.clone()),
            LinkAttribute::ParentDevBusName(bus) => device.bus = Some(bus.clone()),
            _ => {}
        }
    }
    device
}
