//! A link of the machine in memory.

use std::collections::BTreeMap;

use kernel::{
    Feature, FoundNeighbour, LinkId, LinkKind, LinkState, NewAddress, ParentUse, PortState,
    PortVlans, Queues, VfState, WireguardState,
};
use types::{DevicePath, Mac, PciAddress};

/// Which link: it keeps its number wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u32);

/// Another link that this one is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    /// One of the machine's.
    Link(Number),
    /// One in a namespace that isn't looked at, with this index there.
    Elsewhere(u32),
}

/// How a link came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The real kernel has it, here.
    Real(LinkId),
    /// It was made in memory.
    Made,
}

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) new: NewAddress,
    /// It has no meaning beyond the link.
    pub(super) link_scope: bool,
    pub(super) tentative: bool,
    pub(super) dad_failed: bool,
}

/// A link.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) origin: Origin,
    pub(super) at: LinkId,
    /// Its master is told by `master`, not here.
    pub(super) state: LinkState,
    pub(super) kind: Option<String>,
    /// What the real kernel says, until something changes.
    pub(super) carrier: bool,
    pub(super) vlan_filtering: Option<bool>,
    pub(super) parent_use: Option<ParentUse>,
    pub(super) table: Option<u32>,
    /// What it was made as here.
    pub(super) made_as: Option<LinkKind>,
    /// The MAC address that its parent had, where it takes the parent's place.
    pub(super) mac_below: Option<Mac>,
    pub(super) pci: Option<PciAddress>,
    pub(super) device: Option<DevicePath>,
    /// What was set here; else it has those of the real one.
    pub(super) alternative_names: Option<Vec<String>>,
    pub(super) lower: Option<Other>,
    pub(super) pair: Option<Other>,
    pub(super) master: Option<Number>,
    /// Whether the kernel would have chosen its MAC address.
    pub(super) is_mac_assumed: bool,
    /// Whether its MAC address was set here, so that the kernel leaves it alone.
    pub(super) is_mac_set: bool,
    /// Whether a bridge has the MTU and the MAC address of its ports.
    pub(super) follows: (bool, bool),
    /// Whether anything of it was changed.
    pub(super) is_changed: bool,
    pub(super) addresses: Vec<Address>,
    /// What was written to its settings, by `FAMILY/KEY`.
    pub(super) settings: BTreeMap<String, String>,
    // What is read when it's asked for.
    pub(super) neighbours: Option<Vec<FoundNeighbour>>,
    pub(super) port: Option<PortState>,
    pub(super) vlans: Option<Vec<PortVlans>>,
    pub(super) queues: Option<Queues>,
    pub(super) classes: Option<Vec<u16>>,
    pub(super) redirect: Option<Number>,
    pub(super) vfs: Option<Vec<VfState>>,
    pub(super) features: Option<Vec<Feature>>,
    pub(super) wireguard: Option<WireguardState>,
}

impl Link {
    /// A link that has nothing yet but its state.
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
            follows: (false, false),
            is_changed: false,
            addresses: Vec::new(),
            settings: BTreeMap::new(),
            neighbours: None,
            port: None,
            vlans: None,
            queues: None,
            classes: None,
            redirect: None,
            vfs: None,
            features: None,
            wireguard: None,
        }
    }

    /// Its kind, where it says one.
    pub(super) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }

    /// Where the real kernel has it.
    pub(super) fn real(&self) -> Option<LinkId> {
        match self.origin {
            Origin::Real(id) => Some(id),
            Origin::Made => None,
        }
    }

    /// Whether it lies on another one.
    pub(super) fn lies_on(&self, number: Number) -> bool {
        self.lower == Some(Other::Link(number))
    }
}
