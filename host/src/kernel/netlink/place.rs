//! What links can be found by, over rtnetlink.

use netlink_packet_route::link::{LinkAttribute, LinkMessage};

use super::link;
use crate::kernel::PlacedLink;
use crate::kernel::device::Device;

/// Kinds whose IFLA_LINK is their other end.
const PAIRS: [&str; 3] = ["veth", "netkit", "vxcan"];

/// A link with its place; `None` for one whose name isn't plain.
pub(super) fn of(message: &LinkMessage) -> Option<PlacedLink> {
    let info = link::info(message).ok()?;
    let is_end = info.kind.is_some_and(|kind| PAIRS.contains(&&*kind));
    let device = device(message);
    Some(PlacedLink {
        state: info.state,
        lower: lower(message).filter(|_| !is_end),
        pci: device.pci(),
        device: device.path(),
    })
}

/// The index in IFLA_LINK, unless it's one of another namespace.
fn lower(message: &LinkMessage) -> Option<u32> {
    let attributes = || message.attributes.iter();
    let is_elsewhere =
        attributes().any(|attribute| matches!(attribute, LinkAttribute::LinkNetNsId(_)));
    let lower = attributes().find_map(|attribute| match attribute {
        LinkAttribute::Link(index) => Some(*index),
        _ => None,
    });
    lower.filter(|_| !is_elsewhere)
}

fn device(message: &LinkMessage) -> Device {
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
