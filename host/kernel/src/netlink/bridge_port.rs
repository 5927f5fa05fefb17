//! Ports of bridges and their VLANs over rtnetlink.

use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{
    AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags as Flags, InfoBridgePort, InfoPortData,
    LinkAttribute, LinkExtentMask, LinkInfo, LinkMessage,
};
use nix::errno::Errno;
use rtnetlink::{LinkBridgePort, LinkBridgeVlan, LinkMessageBuilder};

use super::{Netlink, link};
use crate::{
    BridgePorts, BridgePortsRead, KernelError, LinkId, PortChange, PortState, PortVlans,
    VlanNumbers,
};

impl BridgePortsRead for Netlink {
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        let get = self.ask_links(link.namespace)?;
        let message = self.one_link(get.match_index(link.index))?;
        Ok(port_state(&message).ok_or(Errno::EOPNOTSUPP)?)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        let mask = vec![LinkExtentMask::BrvlanCompressed];
        let get = self.handle(link.namespace)?.link().get();
        let answers = get.set_filter_mask(AddressFamily::Bridge, mask).execute();
        let answers = self.collect(answers)?;
        // A bridge is described twice: as a link and as its own port.
        let mut infos: Vec<BridgeVlanInfo> = Vec::new();
        for answer in answers.iter().filter(|it| it.header.index == link.index) {
            for info in vlan_infos(answer) {
                if !infos.contains(&info) {
                    infos.push(info);
                }
            }
        }
        Ok(ranges(&infos))
    }
}

impl BridgePorts for Netlink {
    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError> {
        let port = LinkBridgePort::new(link.index);
        let message = match change {
            PortChange::Hairpin(on) => port.hairpin(on),
            PortChange::Isolated(on) => port.isolated(on),
            PortChange::Learning(on) => port.learning(on),
        };
        let links = self.handle(link.namespace)?.link();
        self.wait(links.change(message.build()).execute())
    }

    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError> {
        let message = self.vlan_message(link, vlans)?;
        let links = self.handle(link.namespace)?.link();
        self.wait(links.set(message).execute())
    }

    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError> {
        let vlans = PortVlans {
            numbers,
            pvid: false,
            untagged: false,
        };
        let message = self.vlan_message(link, vlans)?;
        let links = self.handle(link.namespace)?.link();
        self.wait(links.del_with_message(message).execute())
    }
}

impl Netlink {
    fn vlan_message(&self, link: LinkId, vlans: PortVlans) -> Result<LinkMessage, KernelError> {
        let get = self.ask_links(link.namespace)?;
        let state = link::info(&self.one_link(get.match_index(link.index))?)?;
        let message = message(link.index, vlans);
        // A bridge's VLANs are its own (BRIDGE_FLAGS_SELF), a port's its
        // master's.
        Ok(match state.kind.as_deref() {
            Some("bridge") => message.bridge_self().build(),
            _ => message.build(),
        })
    }
}

fn message(index: u32, vlans: PortVlans) -> LinkMessageBuilder<LinkBridgeVlan> {
    let mut flags = Flags::empty();
    flags.set(Flags::Pvid, vlans.pvid);
    flags.set(Flags::Untagged, vlans.untagged);
    let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
    let message = LinkBridgeVlan::new(index);
    if first == last {
        return message.vlan(first, flags);
    }
    message
        .vlan_range_start(first, flags)
        .vlan_range_end(last, flags)
}

fn port_state(message: &LinkMessage) -> Option<PortState> {
    let data = link::infos(message).find_map(|info| match info {
        LinkInfo::PortData(InfoPortData::BridgePort(data)) => Some(data),
        _ => None,
    })?;
    let mut state = PortState::default();
    for info in data {
        match info {
            InfoBridgePort::HairpinMode(on) => state.hairpin = *on,
            InfoBridgePort::Isolated(on) => state.isolated = *on,
            InfoBridgePort::Learning(on) => state.learning = *on,
            _ => {}
        }
    }
    Some(state)
}

fn vlan_infos(message: &LinkMessage) -> impl Iterator<Item = BridgeVlanInfo> + '_ {
    let specs = message
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            LinkAttribute::AfSpecBridge(specs) => Some(specs),
            _ => None,
        });
    specs.flatten().filter_map(|spec| match spec {
        AfSpecBridge::VlanInfo(info) => Some(*info),
        _ => None,
    })
}

/// Reads ranges of VLANs. The kernel reports a range as two entries, its first
/// number and its last.
fn ranges(infos: &[BridgeVlanInfo]) -> Vec<PortVlans> {
    let mut ranges = Vec::new();
    let mut first = None;
    for info in infos {
        if info.flags.contains(Flags::RangeBegin) {
            first = Some(info.vid);
            continue;
        }
        let begun = first.take().unwrap_or(info.vid);
        let Some(numbers) = VlanNumbers::new(begun, info.vid) else {
            continue;
        };
        ranges.push(PortVlans {
            numbers,
            pvid: info.flags.contains(Flags::Pvid),
            untagged: info.flags.contains(Flags::Untagged),
        });
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vlans(first: u16, last: u16, alone: bool) -> PortVlans {
        PortVlans {
            numbers: VlanNumbers::new(first, last).unwrap(),
            pvid: alone,
            untagged: alone,
        }
    }

    #[test]
    fn what_is_sent_is_read_back() {
        let sent = [vlans(7, 7, true), vlans(100, 200, false)];
        let mut infos = Vec::new();
        for range in sent {
            infos.extend(vlan_infos(&message(3, range).build()));
        }
        assert_eq!(ranges(&infos), sent);
    }

    #[test]
    fn there_are_4094_vlans() {
        for (first, last) in [(0, 1), (4095, 4095), (1, 4095), (8, 7)] {
            assert!(VlanNumbers::new(first, last).is_none(), "{first}-{last}");
        }
        assert!(VlanNumbers::new(1, 4094).is_some());
    }
}
