//! Ipvlan links.

use netlink_packet_route::link::{InfoData, InfoIpVlan, IpVlanFlags, IpVlanMode, LinkMessage};
use rtnetlink::LinkIpVlan;
use types::LinkName;

use super::{DefaultMac, ETHERNET_MTU, Encode, Kind, ParentUse, Rest};
use crate::LinkId;

/// The properties of an ipvlan link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipvlan {
    /// The parent.
    pub parent: LinkId,
    /// The mode.
    pub mode: IpvlanMode,
    /// The isolation of the links on one parent.
    pub isolation: IpvlanIsolation,
}

/// The modes of ipvlan links (`if_link.h`, IPVLAN_MODE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanMode {
    /// Switched.
    L2,
    /// Routed.
    L3,
    /// Routed through the host's netfilter.
    L3s,
}

impl IpvlanMode {
    /// Returns the name in `ip link` and in the option `mode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::L3 => "l3",
            Self::L3s => "l3s",
        }
    }
}

/// The flags of ipvlan links (`if_link.h`, IPVLAN_F_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanIsolation {
    /// The links reach each other.
    Bridge,
    /// The links don't reach each other.
    Private,
    /// The links reach each other through an external switch.
    Vepa,
}

impl IpvlanIsolation {
    /// Returns the name in `ip link` and in the option `flag`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Private => "private",
            Self::Vepa => "vepa",
        }
    }
}

impl Kind for Ipvlan {
    fn name(&self) -> &'static str {
        "ipvlan"
    }

    fn parent(&self) -> Option<LinkId> {
        Some(self.parent)
    }

    fn parent_use(&self) -> Option<ParentUse> {
        Some(ParentUse::Ipvlan(self.mode, self.isolation))
    }

    fn default_mtu(&self, parent: Option<u32>) -> u32 {
        parent.unwrap_or(ETHERNET_MTU)
    }

    fn default_mac(&self) -> DefaultMac {
        DefaultMac::OfParent
    }

    fn properties(&self) -> Vec<String> {
        vec![format!("mode {} {}", self.mode.name(), self.isolation.name())]
    }
}

impl Encode for Ipvlan {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        let mode = match self.mode {
            IpvlanMode::L2 => IpVlanMode::L2,
            IpvlanMode::L3 => IpVlanMode::L3,
            IpvlanMode::L3s => IpVlanMode::L3S,
        };
        let flags = match self.isolation {
            IpvlanIsolation::Bridge => IpVlanFlags::empty(),
            IpvlanIsolation::Private => IpVlanFlags::Private,
            IpvlanIsolation::Vepa => IpVlanFlags::Vepa,
        };
        let message = LinkIpVlan::new(name.as_str(), self.parent.index, mode);
        Some(rest.finish(message.flag(flags)))
    }

    fn read_parent_use(data: &InfoData) -> Option<ParentUse> {
        let InfoData::IpVlan(infos) = data else {
            return None;
        };
        let mode = infos.iter().find_map(|info| match info {
            InfoIpVlan::Mode(IpVlanMode::L2) => Some(IpvlanMode::L2),
            InfoIpVlan::Mode(IpVlanMode::L3) => Some(IpvlanMode::L3),
            InfoIpVlan::Mode(IpVlanMode::L3S) => Some(IpvlanMode::L3s),
            _ => None,
        });
        let flags = infos.iter().find_map(|info| match info {
            InfoIpVlan::Flags(flags) => Some(*flags),
            _ => None,
        });
        let isolation = match flags.unwrap_or_default() {
            flags if flags.contains(IpVlanFlags::Private) => IpvlanIsolation::Private,
            flags if flags.contains(IpVlanFlags::Vepa) => IpvlanIsolation::Vepa,
            _ => IpvlanIsolation::Bridge,
        };
        Some(ParentUse::Ipvlan(mode?, isolation))
    }
}
