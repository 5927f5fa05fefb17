//! What a bridge knows of its ports.

use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId};

/// How a bridge treats a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortState {
    /// Frames may leave through the port that they came in by
    /// (IFLA_BRPORT_MODE).
    pub hairpin: bool,
    /// Frames never pass to other isolated ports (IFLA_BRPORT_ISOLATED).
    pub isolated: bool,
    /// MAC addresses are learnt (IFLA_BRPORT_LEARNING).
    pub learning: bool,
}

/// A change of how a bridge treats a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChange {
    /// See [`PortState::hairpin`].
    Hairpin(bool),
    /// See [`PortState::isolated`].
    Isolated(bool),
    /// See [`PortState::learning`].
    Learning(bool),
}

/// Numbers of VLANs, 1 to 4094 (IEEE 802.1Q).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VlanNumbers {
    first: u16,
    last: u16,
}

impl VlanNumbers {
    /// All that there are.
    pub const ALL: Self = Self {
        first: 1,
        last: 4094,
    };

    /// From the first to the last, if there are such VLANs.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        let all = Self::ALL.first..=Self::ALL.last;
        if first > last || !all.contains(&first) || !all.contains(&last) {
            return None;
        }
        Some(Self { first, last })
    }

    /// Whether some VLAN is among both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The first.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The last.
    pub fn last(self) -> u16 {
        self.last
    }
}

/// VLANs that pass a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortVlans {
    /// Their numbers.
    pub numbers: VlanNumbers,
    /// What comes in without a tag is theirs; only for one.
    pub pvid: bool,
    /// Frames leave without a tag.
    pub untagged: bool,
}

/// Reading how a bridge treats its ports.
pub trait BridgePortsRead {
    /// Returns how a bridge treats a port.
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError>;
    /// Lists the VLANs of a bridge's port, or of the bridge itself. Equivalent to `bridge
    /// vlan show dev NAME`.
    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError>;
}

/// Changing how a bridge treats its ports.
pub trait BridgePorts {
    /// Changes one property of a port. Equivalent to `bridge link set`.
    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError>;
    /// Adds VLANs. Equivalent to `bridge vlan add`.
    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError>;
    /// Removes VLANs. Those that aren't there are passed over.
    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError>;
}
