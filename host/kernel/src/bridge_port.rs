//! Ports of bridges: their flags and their VLANs.

use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId};

/// The flags of a bridge's port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortState {
    /// Whether frames may leave through the port that they came in by
    /// (IFLA_BRPORT_MODE).
    pub hairpin: bool,
    /// Whether frames never pass to other isolated ports
    /// (IFLA_BRPORT_ISOLATED).
    pub isolated: bool,
    /// Whether the bridge learns MAC addresses from the port
    /// (IFLA_BRPORT_LEARNING).
    pub learning: bool,
}

/// A change of a port's flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChange {
    /// See [`PortState::hairpin`].
    Hairpin(bool),
    /// See [`PortState::isolated`].
    Isolated(bool),
    /// See [`PortState::learning`].
    Learning(bool),
}

/// A range of VLAN numbers, from 1 to 4094 (IEEE 802.1Q).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VlanNumbers {
    first: u16,
    last: u16,
}

impl VlanNumbers {
    /// All VLANs.
    pub const ALL: Self = Self {
        first: 1,
        last: 4094,
    };

    /// Returns the range from `first` to `last`, or `None` if there are no such
    /// VLANs.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        let all = Self::ALL.first..=Self::ALL.last;
        if first > last || !all.contains(&first) || !all.contains(&last) {
            return None;
        }
        Some(Self { first, last })
    }

    /// Whether a VLAN is in both ranges.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Returns the first number.
    pub fn first(self) -> u16 {
        self.first
    }

    /// Returns the last number.
    pub fn last(self) -> u16 {
        self.last
    }
}

/// A range of VLANs that pass a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortVlans {
    /// The numbers.
    pub numbers: VlanNumbers,
    /// Whether untagged frames that come in belong to this VLAN. Only one VLAN
    /// can have it.
    pub pvid: bool,
    /// Whether frames leave without a tag.
    pub untagged: bool,
}

/// Reading the flags and VLANs of bridges' ports.
pub trait BridgePortsRead {
    /// Returns the flags of a port.
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError>;
    /// Lists the VLANs of a bridge's port, or of the bridge itself. Equivalent to `bridge
    /// vlan show dev NAME`.
    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError>;
}

/// Changing the flags and VLANs of bridges' ports.
pub trait BridgePorts {
    /// Changes one flag of a port. Equivalent to `bridge link set`.
    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError>;
    /// Adds VLANs. Equivalent to `bridge vlan add`.
    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError>;
    /// Removes VLANs. Passes over VLANs that the port doesn't have.
    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError>;
}
