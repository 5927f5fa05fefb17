//! Macvtap links: macvlan links that a program reads and writes.

use netlink_packet_route::link::{
    InfoData, InfoMacVtap, LinkMessage, MacVlanMacAddressMode, MacVlanMode,
};
use rtnetlink::LinkMacVtap;
use types::LinkName;

use super::{DefaultMac, Encode, Kind, Macvlan, ParentUse, Rest};
use crate::LinkId;

/// The length of the transmit queue, in packets (TUN_READQ_SIZE in `if_tun.h`).
const QUEUE_LENGTH: u32 = 500;

/// A macvtap link, with the properties of a macvlan link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macvtap(pub Macvlan);

impl Kind for Macvtap {
    fn name(&self) -> &'static str {
        "macvtap"
    }

    fn parent(&self) -> Option<LinkId> {
        self.0.parent()
    }

    fn parent_use(&self) -> Option<ParentUse> {
        self.0.parent_use()
    }

    fn default_mtu(&self, parent: Option<u32>) -> u32 {
        self.0.default_mtu(parent)
    }

    fn tx_queue_length(&self) -> u32 {
        QUEUE_LENGTH
    }

    fn default_mac(&self) -> DefaultMac {
        self.0.default_mac()
    }

    fn properties(&self) -> Vec<String> {
        self.0.properties()
    }
}

impl Encode for Macvtap {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        let Self(macvlan) = self;
        let mode = macvlan.mode.wire();
        let mut message = LinkMacVtap::new(name.as_str(), macvlan.parent.index, mode);
        if let Some(limit) = macvlan.broadcast_limit {
            message = message.append_info_data(InfoMacVtap::BcCutoff(limit));
        }
        if let Some(length) = macvlan.broadcast_queue_length {
            message = message.append_info_data(InfoMacVtap::BcQueueLen(length));
        }
        if !macvlan.sources.is_empty() {
            let sources = macvlan.sources.iter();
            let sources = sources.map(|mac| InfoMacVtap::MacAddr(mac.bytes()));
            message = message
                .append_info_data(InfoMacVtap::MacAddrMode(MacVlanMacAddressMode::Set))
                .append_info_data(InfoMacVtap::MacAddrData(sources.collect()));
        }
        Some(rest.finish(message))
    }

    fn read_parent_use(data: &InfoData) -> Option<ParentUse> {
        let InfoData::MacVtap(infos) = data else {
            return None;
        };
        let is_passthru = |info| matches!(info, &InfoMacVtap::Mode(MacVlanMode::Passthrough));
        infos.iter().any(is_passthru).then_some(ParentUse::Whole)
    }
}
