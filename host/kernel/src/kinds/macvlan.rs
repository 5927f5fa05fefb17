//! Macvlan links.

use netlink_packet_route::link::{
    InfoData, InfoMacVlan, LinkMessage, MacVlanMacAddressMode, MacVlanMode,
};
use rtnetlink::LinkMacVlan;
use types::{LinkName, Mac};

use super::{DefaultMac, ETHERNET_MTU, Encode, Kind, ParentUse, Rest, property};
use crate::LinkId;

/// The properties of a macvlan or macvtap link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macvlan {
    /// The parent.
    pub parent: LinkId,
    /// The mode.
    pub mode: MacvlanMode,
    /// The broadcast cutoff (IFLA_MACVLAN_BC_CUTOFF).
    pub broadcast_limit: Option<i32>,
    /// The length of the broadcast queue (IFLA_MACVLAN_BC_QUEUE_LEN).
    pub broadcast_queue_length: Option<u32>,
    /// The MAC addresses whose frames come in, with the mode `source` only
    /// (IFLA_MACVLAN_MACADDR_DATA).
    pub sources: Vec<Mac>,
}

/// The modes of macvlan links (`if_link.h`, MACVLAN_MODE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    /// The links don't reach each other.
    Private,
    /// The links reach each other through an external switch.
    Vepa,
    /// The links reach each other.
    Bridge,
    /// A single link takes over the parent.
    Passthru,
    /// The link receives frames of listed sources only.
    Source,
}

impl MacvlanMode {
    /// Returns the name in `ip link` and in the option `mode`.
    fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Vepa => "vepa",
            Self::Bridge => "bridge",
            Self::Passthru => "passthru",
            Self::Source => "source",
        }
    }

    /// Returns the mode as messages encode it.
    pub(super) fn wire(self) -> MacVlanMode {
        match self {
            Self::Private => MacVlanMode::Private,
            Self::Vepa => MacVlanMode::Vepa,
            Self::Bridge => MacVlanMode::Bridge,
            Self::Passthru => MacVlanMode::Passthrough,
            Self::Source => MacVlanMode::Source,
        }
    }
}

impl Kind for Macvlan {
    fn name(&self) -> &'static str {
        "macvlan"
    }

    fn parent(&self) -> Option<LinkId> {
        Some(self.parent)
    }

    fn parent_use(&self) -> Option<ParentUse> {
        (self.mode == MacvlanMode::Passthru).then_some(ParentUse::Whole)
    }

    fn default_mtu(&self, parent: Option<u32>) -> u32 {
        parent.unwrap_or(ETHERNET_MTU)
    }

    fn default_mac(&self) -> DefaultMac {
        match self.mode {
            MacvlanMode::Passthru => DefaultMac::OfParent,
            _ => DefaultMac::Random,
        }
    }

    fn properties(&self) -> Vec<String> {
        let sources = self.sources.iter().map(Mac::to_string);
        let sources: Vec<_> = sources.collect();
        let sources = (!sources.is_empty()).then(|| sources.join(","));
        let all = [
            property("mode", Some(self.mode.name())),
            property("bclim", self.broadcast_limit),
            property("bcqueuelen", self.broadcast_queue_length),
            property("macaddr", sources),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Encode for Macvlan {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        let mut message = LinkMacVlan::new(name.as_str(), self.parent.index, self.mode.wire());
        if let Some(limit) = self.broadcast_limit {
            message = message.append_info_data(InfoMacVlan::BcCutoff(limit));
        }
        if let Some(length) = self.broadcast_queue_length {
            message = message.append_info_data(InfoMacVlan::BcQueueLen(length));
        }
        if !self.sources.is_empty() {
            let sources = self.sources.iter();
            let sources = sources.map(|mac| InfoMacVlan::MacAddr(mac.bytes()));
            message = message
                .append_info_data(InfoMacVlan::MacAddrMode(MacVlanMacAddressMode::Set))
                .append_info_data(InfoMacVlan::MacAddrData(sources.collect()));
        }
        Some(rest.finish(message))
    }

    fn read_parent_use(data: &InfoData) -> Option<ParentUse> {
        let InfoData::MacVlan(infos) = data else {
            return None;
        };
        let is_passthru = |info| matches!(info, &InfoMacVlan::Mode(MacVlanMode::Passthrough));
        infos.iter().any(is_passthru).then_some(ParentUse::Whole)
    }
}
