//! VFs over rtnetlink: IFLA_VFINFO_LIST of the card's link.

use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{
    LinkAttribute, LinkExtentMask, LinkMessage, LinkVfInfo, VfInfo, VfInfoLinkState, VfInfoMac,
    VfInfoRate, VfInfoSpoofCheck, VfInfoTrust, VfLinkState as LinkState, VfVlan as VlanInfo,
    VfVlanInfo, VlanProtocol,
};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};
use types::{Mac, PciAddress};

use super::{Netlink, place};
use crate::{KernelError, LinkId, VfChange, VfLinkState, VfState, VfVlan, Vfs, VfsRead};

impl VfsRead for Netlink {
    // A list with the counters of all VFs could be too long for a message.
    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        let mask = vec![LinkExtentMask::Vf, LinkExtentMask::SkipStats];
        let get = self.handle(link.namespace)?.link().get();
        let get = get.set_filter_mask(AddressFamily::Unspec, mask);
        Ok(states(&self.one_link(get.match_index(link.index))?))
    }

    fn vf_device(&mut self, card: LinkId, number: u32) -> Result<PciAddress, KernelError> {
        let get = self.ask_links(card.namespace)?;
        let message = self.one_link(get.match_index(card.index))?;
        place::device(&message).vf(number).ok_or_else(|| {
            let text = format!("sysfs shows no PCI device of VF {number}");
            KernelError::NotFound(text)
        })
    }
}

impl Vfs for Netlink {
    fn change_vf(
        &mut self,
        link: LinkId,
        number: u32,
        change: VfChange,
    ) -> Result<(), KernelError> {
        self.send_change(link, message(link.index, number, change))
    }
}

fn message(index: u32, number: u32, change: VfChange) -> LinkMessageBuilder<LinkUnspec> {
    let info = match change {
        VfChange::Mac(mac) => VfInfo::Mac(VfInfoMac::new(number, &mac.bytes())),
        // IFLA_VF_VLAN has no field for the protocol.
        VfChange::Vlan(vlan) => VfInfo::VlanList(vec![VlanInfo::Info(VfVlanInfo::new(
            number,
            vlan.id.into(),
            vlan.qos.into(),
            match vlan.provider {
                true => VlanProtocol::Ieee8021Ad,
                false => VlanProtocol::Ieee8021Q,
            },
        ))]),
        VfChange::SpoofCheck(on) => VfInfo::SpoofCheck(VfInfoSpoofCheck::new(number, on)),
        VfChange::Trust(on) => VfInfo::Trust(VfInfoTrust::new(number, on)),
        VfChange::LinkState(state) => {
            let state = match state {
                VfLinkState::Auto => LinkState::Auto,
                VfLinkState::Enable => LinkState::Enable,
                VfLinkState::Disable => LinkState::Disable,
            };
            VfInfo::LinkState(VfInfoLinkState::new(number, state))
        }
        VfChange::Rate { min, max } => VfInfo::Rate(VfInfoRate::new(number, min, max)),
    };
    let list = LinkAttribute::VfInfoList(vec![LinkVfInfo(vec![info])]);
    LinkUnspec::new_with_index(index).append_extra_attribute(list)
}

fn states(message: &LinkMessage) -> Vec<VfState> {
    let lists = message
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            LinkAttribute::VfInfoList(list) => Some(list),
            _ => None,
        });
    lists.flatten().filter_map(state).collect()
}

/// Reads one VF. Each of its attributes has the VF's number.
fn state(info: &LinkVfInfo) -> Option<VfState> {
    let number = info.0.iter().find_map(|info| match info {
        VfInfo::Mac(mac) => Some(mac.vf_id),
        _ => None,
    })?;
    let mut state = VfState {
        number,
        mac: Mac::NONE,
        vlan: VfVlan::default(),
        spoof_check: false,
        trust: false,
        link_state: VfLinkState::Auto,
        min_rate: 0,
        max_rate: 0,
    };
    for info in &info.0 {
        match info {
            VfInfo::Mac(mac) => state.mac = first_bytes(&mac.mac),
            VfInfo::VlanList(list) => state.vlan = list.iter().find_map(vlan).unwrap_or_default(),
            VfInfo::SpoofCheck(check) => state.spoof_check = check.enabled,
            VfInfo::Trust(trust) => state.trust = trust.enabled,
            VfInfo::LinkState(link) => {
                state.link_state = match link.state {
                    LinkState::Enable => VfLinkState::Enable,
                    LinkState::Disable => VfLinkState::Disable,
                    _ => VfLinkState::Auto,
                }
            }
            VfInfo::Rate(rate) => {
                (state.min_rate, state.max_rate) = (rate.min_tx_rate, rate.max_tx_rate);
            }
            _ => {}
        }
    }
    Some(state)
}

/// Reads a MAC address. The field has the length of the longest address of any
/// kind of link (MAX_ADDR_LEN in `linux/netdevice.h`).
fn first_bytes(field: &[u8]) -> Mac {
    let bytes = field.first_chunk::<6>().map(<[u8; 6]>::as_slice);
    let mac = bytes.and_then(|bytes| Mac::try_from(bytes).ok());
    mac.unwrap_or(Mac::NONE)
}

/// Reads a VLAN. Returns `None` if a number is too large.
fn vlan(info: &VlanInfo) -> Option<VfVlan> {
    let VlanInfo::Info(info) = info else {
        return None;
    };
    Some(VfVlan {
        id: info.vlan_id.try_into().ok()?,
        qos: info.qos.try_into().ok()?,
        provider: info.protocol == VlanProtocol::Ieee8021Ad,
    })
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_core::Emitable;

    use super::*;
    use crate::netlink::snapshot::{bytes, parse};

    const NUMBER: u32 = 3;

    fn mac() -> Mac {
        "02:00:00:00:00:07".parse().unwrap()
    }

    /// Encodes a change and decodes it again.
    fn sent(change: VfChange) -> LinkVfInfo {
        let message = message(7, NUMBER, change).build();
        let parsed: LinkMessage = parse(&bytes(&message)).unwrap();
        assert_eq!(parsed, message);
        let list = parsed
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::VfInfoList(list) => list.first().cloned(),
                _ => None,
            });
        list.unwrap()
    }

    /// Returns a VF as the kernel reports it after these changes.
    fn reported(changes: &[VfChange]) -> VfState {
        let own = VfInfo::Mac(VfInfoMac::new(NUMBER, &Mac::NONE.bytes()));
        let sent = changes.iter().flat_map(|change| sent(*change).0);
        state(&LinkVfInfo([own].into_iter().chain(sent).collect())).unwrap()
    }

    #[test]
    fn what_is_sent_is_read_back() {
        let vlan = VfVlan {
            id: 77,
            qos: 5,
            provider: true,
        };
        let changes = [
            VfChange::Mac(mac()),
            VfChange::Vlan(vlan),
            VfChange::SpoofCheck(true),
            VfChange::Trust(true),
            VfChange::LinkState(VfLinkState::Disable),
            VfChange::Rate { min: 10, max: 200 },
        ];
        let state = reported(&changes);
        assert_eq!(
            state,
            VfState {
                number: NUMBER,
                mac: mac(),
                vlan,
                spoof_check: true,
                trust: true,
                link_state: VfLinkState::Disable,
                min_rate: 10,
                max_rate: 200,
            }
        );
        // The same changes turn a new VF into one like it.
        let fresh = reported(&[]);
        assert!(state.differences_from(&fresh).eq(changes));
        assert_eq!(
            reported(&fresh.differences_from(&state).collect::<Vec<_>>()),
            fresh
        );
        assert_eq!(state.differences_from(&state).count(), 0);
    }

    /// The structures of `linux/if_link.h`, byte for byte.
    #[test]
    fn the_kernel_reads_its_own_structures() {
        let bytes = |change| {
            let LinkVfInfo(infos) = sent(change);
            let mut bytes = vec![0; infos.as_slice().buffer_len()];
            infos.as_slice().emit(&mut bytes);
            bytes
        };
        let attribute = |kind: u16, payload: &[u8]| {
            let length = u16::try_from(payload.len() + 4).unwrap();
            [&length.to_ne_bytes(), &kind.to_ne_bytes(), payload].concat()
        };
        let number = NUMBER.to_ne_bytes();
        let mut address = vec![0; 32];
        address[..6].copy_from_slice(&mac().bytes());
        // struct ifla_vf_mac, IFLA_VF_MAC
        let expected = attribute(1, &[&number[..], &address].concat());
        assert_eq!(bytes(VfChange::Mac(mac())), expected);
        // struct ifla_vf_vlan_info, IFLA_VF_VLAN_LIST and IFLA_VF_VLAN_INFO
        let vlan = VfVlan {
            id: 77,
            qos: 5,
            provider: false,
        };
        let info = [
            &number[..],
            &77_u32.to_ne_bytes(),
            &5_u32.to_ne_bytes(),
            &0x8100_u16.to_be_bytes(),
            &[0, 0],
        ];
        let expected = attribute(12, &attribute(1, &info.concat()));
        assert_eq!(bytes(VfChange::Vlan(vlan)), expected);
        // struct ifla_vf_spoofchk, ifla_vf_trust and ifla_vf_link_state
        for (kind, change) in [
            (4, VfChange::SpoofCheck(true)),
            (9, VfChange::Trust(true)),
            (5, VfChange::LinkState(VfLinkState::Enable)),
        ] {
            let expected = attribute(kind, &[number, 1_u32.to_ne_bytes()].concat());
            assert_eq!(bytes(change), expected);
        }
        // struct ifla_vf_rate, IFLA_VF_RATE
        let rate = [number, 10_u32.to_ne_bytes(), 200_u32.to_ne_bytes()];
        let expected = attribute(6, &rate.concat());
        assert_eq!(bytes(VfChange::Rate { min: 10, max: 200 }), expected);
    }
}
