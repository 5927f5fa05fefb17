//! A link of the machine in memory.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use kernel::{
    ClassPackets, Feature, FoundNeighbour, HtbFlow, IPV6_MIN_MTU, LinkId, LinkKind, LinkState,
    NewAddress, ParentUse, PortState, PortVlans, Queues, Shape, VfState, WireguardState,
};
use types::{DevicePath, Mac, Namespace, PciAddress};

/// The headers around frames of a vxlan link whose other end isn't known
/// (`vxlan_headroom`).
const VXLAN_HEADROOM: u32 = 50;

/// LOOPBACK_IFINDEX (`net/net_namespace.h`)
pub(super) const LOOPBACK_INDEX: u32 = 1;
/// IPV4_MIN_MTU (`net/ip.h`)
pub(super) const IPV4_MIN_MTU: u32 = 68;

/// The number of a link, which it keeps wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u32);

/// The parent or peer of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// A link of the machine.
    Link(Number),
    /// A link in a namespace that isn't looked at, with this index there.
    Elsewhere(u32),
}

/// The origin of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The real kernel has the link, under this id.
    Real(LinkId),
    /// The link was made in memory.
    Made,
}

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) new: NewAddress,
    /// Whether the address is valid only on its link.
    pub(super) link_scope: bool,
    pub(super) tentative: bool,
    pub(super) dad_failed: bool,
    /// Whether an IPv4 address before it is in the same network of the same
    /// length (IFA_F_SECONDARY).
    pub(super) is_secondary: bool,
    /// Whether it has no meaning beyond the namespace (RT_SCOPE_HOST): the
    /// kernel's own of the loopback link.
    pub(super) is_host: bool,
    /// Whether its whole network was taken for the namespace's own, as on the
    /// loopback link when it's up.
    pub(super) has_network: bool,
}

/// A link.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) origin: Origin,
    pub(super) at: LinkId,
    /// The state without the master, which is in `master`.
    pub(super) state: LinkState,
    pub(super) kind: Option<String>,
    /// The carrier that the real kernel reports, until something changes.
    pub(super) carrier: bool,
    pub(super) vlan_filtering: Option<bool>,
    pub(super) parent_use: Option<ParentUse>,
    pub(super) table: Option<u32>,
    /// The kind with its properties, if the link was made here.
    pub(super) made_as: Option<LinkKind>,
    /// The MAC address of the parent before the link took over the parent.
    pub(super) mac_below: Option<Mac>,
    pub(super) pci: Option<PciAddress>,
    pub(super) device: Option<DevicePath>,
    /// The alternative names, if they were set here. Otherwise they are those
    /// of the real link.
    pub(super) alternative_names: Option<Vec<String>>,
    pub(super) lower: Option<Other>,
    pub(super) pair: Option<Other>,
    pub(super) master: Option<Number>,
    /// Whether the kernel would have chosen the MAC address.
    pub(super) is_mac_assumed: bool,
    /// Whether the MAC address was set here, so that the kernel leaves it
    /// alone.
    pub(super) is_mac_set: bool,
    /// Whether the length of the transmit queue was set here.
    pub(super) is_queue_length_set: bool,
    /// Whether a bridge has looked at its ports yet, for telling whether it carries
    /// packets.
    pub(super) looks_at_ports: bool,
    /// Whether a bridge follows the MTU and the MAC address of its ports.
    pub(super) follows: (bool, bool),
    /// Whether any property was changed.
    pub(super) is_changed: bool,
    pub(super) addresses: Vec<Address>,
    /// The values written to the link's settings, by `FAMILY/KEY`.
    pub(super) settings: BTreeMap<String, String>,
    /// Which of its IPv4 settings somebody has set, by `ipv4/KEY`: those take no
    /// part in changes of what new links begin with.
    pub(super) set_settings: BTreeSet<String>,
    pub(super) has_ipv4: bool,
    /// Whether none of them does any more (`ipv4_devconf_setall`).
    pub(super) has_own_settings: bool,
    // The fields below are read from the real kernel when they are first
    // needed.
    pub(super) neighbours: Option<Vec<FoundNeighbour>>,
    pub(super) port: Option<PortState>,
    pub(super) vlans: Option<Vec<PortVlans>>,
    pub(super) queues: Option<Queues>,
    pub(super) classes: Option<Vec<u16>>,
    /// The rate of the queueing discipline that was set here, and the packets that
    /// filters lead past it or to it.
    pub(super) shape: Option<Shape>,
    pub(super) flows: Vec<(ClassPackets, HtbFlow)>,
    pub(super) redirect: Option<Number>,
    pub(super) vfs: Option<Vec<VfState>>,
    pub(super) features: Option<Vec<Feature>>,
    pub(super) wireguard: Option<WireguardState>,
}

impl Link {
    /// Returns a link with a state and nothing else.
    pub(super) fn new(origin: Origin, at: LinkId, state: LinkState) -> Self {
        Self {
            origin,
            at,
            state,
            kind: None,
            carrier: false,
            vlan_filtering: None,
            parent_use: None,
            table: None,
            made_as: None,
            mac_below: None,
            pci: None,
            device: None,
            alternative_names: None,
            lower: None,
            pair: None,
            master: None,
            is_mac_assumed: false,
            is_mac_set: false,
            is_queue_length_set: false,
            looks_at_ports: false,
            follows: (false, false),
            is_changed: false,
            addresses: Vec::new(),
            settings: BTreeMap::new(),
            set_settings: BTreeSet::new(),
            has_ipv4: true,
            has_own_settings: false,
            neighbours: None,
            port: None,
            vlans: None,
            queues: None,
            classes: None,
            shape: None,
            flows: Vec::new(),
            redirect: None,
            vfs: None,
            features: None,
            wireguard: None,
        }
    }

    /// Returns the kind, or an empty text for hardware.
    pub(super) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }

    /// Whether it says what it lies on (IFLA_LINK): vxlan links have no
    /// `ndo_get_iflink`.
    pub(super) fn tells_lower(&self) -> bool {
        self.kind() != "vxlan"
    }

    /// The link that it says it lies on. A vxlan link in another namespace than
    /// that of its packets tells its own index (`rtnl_fill_link_netnsid`).
    pub(super) fn told_lower(&self) -> Option<Other> {
        let is_made_vxlan = matches!(self.made_as, Some(LinkKind::Vxlan(_)));
        match is_made_vxlan && self.at.namespace == Namespace::Container {
            true => Some(Other::Elsewhere(self.at.index)),
            false => self.lower.filter(|_| self.tells_lower()),
        }
    }

    /// Whether it's the namespace's loopback link, whatever it's called.
    pub(super) fn is_loopback(&self) -> bool {
        self.kind.is_none() && self.at.index == LOOPBACK_INDEX
    }

    /// How much longer the packets of a vxlan link are than its frames
    /// (`vxlan_headroom`).
    pub(super) fn headroom(&self) -> u32 {
        let known = self.made_as.as_ref().map(|kind| kind.headroom());
        known.unwrap_or(VXLAN_HEADROOM)
    }

    /// Whether it has IPv4, which it loses when it gets too small
    /// (`inetdev_event`).
    pub(super) fn has_ipv4(&self) -> bool {
        self.has_ipv4
    }

    /// Whether it's large enough for IPv6; the loopback link always is
    /// (`addrconf_notify`).
    pub(super) fn has_ipv6(&self) -> bool {
        self.state.mtu >= IPV6_MIN_MTU || self.is_loopback()
    }

    /// Whether it has an IPv4 address in the network of another one, of the same
    /// length.
    pub(super) fn has_in_network(&self, address: IpNet) -> bool {
        let mut own = self.addresses.iter().map(|own| own.new.address);
        address.addr().is_ipv4() && own.any(|own| own.trunc() == address.trunc())
    }

    /// Returns the id of the link in the real kernel.
    pub(super) fn real(&self) -> Option<LinkId> {
        match self.origin {
            Origin::Real(id) => Some(id),
            Origin::Made => None,
        }
    }

    /// Whether it has a name, or an alternative name that was given here.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let mut others = self.alternative_names.iter().flatten();
        self.state.name.as_str() == name || others.any(|other| other == name)
    }

    /// Whether another link is the parent.
    pub(super) fn lies_on(&self, number: Number) -> bool {
        self.lower == Some(Other::Link(number))
    }
}
