//! How a new link should be: what all kinds have, and a record for each kind.

use std::net::IpAddr;

use types::{LinkName, Mac, Namespace};

use super::LinkId;

/// The smallest MTU with which a link has IPv6, in bytes (IPV6_MIN_MTU).
pub const IPV6_MIN_MTU: u32 = 1280;

/// A link to be made. It starts down.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Where.
    pub namespace: Namespace,
    /// Under which name.
    pub name: LinkName,
    /// The MAC address; the kernel chooses where absent.
    pub mac: Option<Mac>,
    /// The MTU in bytes; the kind's own where absent or 0.
    pub mtu: Option<u32>,
    /// The kind, and what only that has.
    pub kind: LinkKind,
}

/// The kinds of links that can be made by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkKind {
    /// A bridge.
    Bridge {
        /// Whether frames pass only the ports of their VLAN.
        vlan_filtering: bool,
    },
    /// A link that leads nowhere.
    Dummy,
    /// A link that incoming packets are sent through to be shaped.
    Ifb,
    /// An IP address of its own on another link.
    Ipvlan(Ipvlan),
    /// A macvlan link that a program reads and writes.
    Macvtap(Macvlan),
    /// A MAC address of its own on another link.
    Macvlan(Macvlan),
    /// A link that a program reads and writes.
    Tap(Tap),
    /// Tagged frames on another link.
    Vlan(Vlan),
    /// A routing domain.
    Vrf {
        /// Its routing table.
        table: u32,
    },
    /// Frames in UDP packets.
    Vxlan(Vxlan),
    /// Encrypted packets in UDP packets.
    Wireguard,
}

impl LinkKind {
    /// The link below it.
    pub fn parent(&self) -> Option<LinkId> {
        match self {
            Self::Ipvlan(ipvlan) => Some(ipvlan.parent),
            Self::Macvlan(macvlan) | Self::Macvtap(macvlan) => Some(macvlan.parent),
            Self::Vlan(vlan) => Some(vlan.parent),
            Self::Vxlan(vxlan) => vxlan.parent,
            Self::Bridge { .. }
            | Self::Dummy
            | Self::Ifb
            | Self::Tap(_)
            | Self::Vrf { .. }
            | Self::Wireguard => None,
        }
    }

    /// What it does to the link below it.
    pub fn parent_use(&self) -> Option<ParentUse> {
        match self {
            Self::Macvlan(macvlan) | Self::Macvtap(macvlan) => {
                (macvlan.mode == MacvlanMode::Passthru).then_some(ParentUse::Whole)
            }
            Self::Ipvlan(ipvlan) => Some(ParentUse::Ipvlan(ipvlan.mode, ipvlan.isolation)),
            _ => None,
        }
    }

    /// What the kernel calls it (IFLA_INFO_KIND).
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bridge { .. } => "bridge",
            Self::Dummy => "dummy",
            Self::Ifb => "ifb",
            Self::Ipvlan(_) => "ipvlan",
            Self::Macvtap(_) => "macvtap",
            Self::Macvlan(_) => "macvlan",
            Self::Tap(_) => "tun",
            Self::Vlan(_) => "vlan",
            Self::Vrf { .. } => "vrf",
            Self::Vxlan(_) => "vxlan",
            Self::Wireguard => "wireguard",
        }
    }

    /// The routing table that it has for itself.
    pub fn table(&self) -> Option<u32> {
        match self {
            Self::Vrf { table } => Some(*table),
            _ => None,
        }
    }

    /// The namespace that it's made through, if that matters: its parent's, or
    /// the one in which its own packets travel.
    pub(crate) fn birthplace(&self) -> Option<Namespace> {
        match self {
            Self::Vxlan(_) | Self::Wireguard => Some(Namespace::Host),
            kind => kind.parent().map(|parent| parent.namespace),
        }
    }
}

/// What a link does to the one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentUse {
    /// It has all of it: as a macvlan or macvtap link in passthru mode, whose MAC
    /// address and flags are the parent's.
    Whole,
    /// It has it in a mode that all ipvlan links of one parent share: the kernel
    /// gives the others that of the newest (`ipvlan_set_port_mode`).
    Ipvlan(IpvlanMode, IpvlanIsolation),
}

/// What only ipvlan links have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipvlan {
    /// The link below it.
    pub parent: LinkId,
    /// The mode.
    pub mode: IpvlanMode,
    /// How those of one parent see each other.
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
    /// The name that `ip link` and the option `mode` have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::L3 => "l3",
            Self::L3s => "l3s",
        }
    }
}

impl IpvlanIsolation {
    /// The name that `ip link` and the option `flag` have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Private => "private",
            Self::Vepa => "vepa",
        }
    }
}

/// The flags of ipvlan links (`if_link.h`, IPVLAN_F_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanIsolation {
    /// They see each other.
    Bridge,
    /// They don't.
    Private,
    /// They do through the switch outside.
    Vepa,
}

/// What only VLAN links have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vlan {
    /// The link below it.
    pub parent: LinkId,
    /// The VLAN's number, at most 4094.
    pub id: u16,
    /// Whether its frames have the tag of IEEE 802.1ad.
    pub provider: bool,
}

/// What only VXLAN links have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vxlan {
    /// The link below it.
    pub parent: Option<LinkId>,
    /// The network's number, at most 24 bits.
    pub id: u32,
    /// The other end, or a multicast group.
    pub remote: Option<IpAddr>,
    /// The address that packets leave from.
    pub local: Option<IpAddr>,
    /// The UDP port.
    pub port: u16,
    /// Whether it learns where MAC addresses are.
    pub learning: bool,
    /// The time to live of packets.
    pub ttl: Option<u8>,
}

/// What only taps have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// The user who may use it.
    pub owner: Option<u32>,
    /// The group that may use it.
    pub group: Option<u32>,
    /// Whether it has several queues.
    pub multi_queue: bool,
}

/// The modes of macvlan links (`if_link.h`, MACVLAN_MODE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    /// No link sees another.
    Private,
    /// They see each other through the switch outside.
    Vepa,
    /// They see each other.
    Bridge,
    /// One link takes over the parent.
    Passthru,
    /// Only listed sources come in.
    Source,
}

/// What only macvlan links have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macvlan {
    /// The link below it.
    pub parent: LinkId,
    /// The mode.
    pub mode: MacvlanMode,
    /// IFLA_MACVLAN_BC_CUTOFF.
    pub broadcast_limit: Option<i32>,
    /// IFLA_MACVLAN_BC_QUEUE_LEN.
    pub broadcast_queue_length: Option<u32>,
}

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
