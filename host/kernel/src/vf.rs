//! Virtual functions (VFs): what a network card with SR-IOV lends out as cards
//! of their own. The card itself decides on some of what they are.

use serde::{Deserialize, Serialize};
use types::Mac;

use super::{KernelError, LinkId};

/// A VF as its card has it (`linux/if_link.h`, IFLA_VF_INFO).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfState {
    /// Its number on the card, from 0.
    pub number: u32,
    /// The MAC address that it's held to; all zeros leave it the choice.
    pub mac: Mac,
    /// The VLAN that its frames are put into.
    #[serde(default)]
    pub vlan: VfVlan,
    /// Whether frames with other source addresses are dropped.
    pub spoof_check: bool,
    /// Whether it may change its MAC address and listen to others' frames.
    pub trust: bool,
    /// Whether its link is up.
    #[serde(default)]
    pub link_state: VfLinkState,
    /// The rate that it's sure of, in Mbit/s; 0 for none.
    pub min_rate: u32,
    /// The rate that it's held to, in Mbit/s; 0 for none.
    pub max_rate: u32,
}

/// A VLAN that a card puts a VF's frames into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfVlan {
    /// The VLAN's number; 0 for none.
    pub id: u16,
    /// The priority of its frames, at most 7 (IEEE 802.1Q).
    pub qos: u8,
    /// Whether its frames have the tag of IEEE 802.1ad.
    pub provider: bool,
}

/// What decides whether a VF's link is up (IFLA_VF_LINK_STATE_*).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VfLinkState {
    /// It follows the card's.
    #[default]
    Auto,
    /// It's always up.
    Enable,
    /// It's always down.
    Disable,
}

/// A change of a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VfChange {
    /// See [`VfState::mac`].
    Mac(Mac),
    /// See [`VfState::vlan`].
    Vlan(VfVlan),
    /// See [`VfState::spoof_check`].
    SpoofCheck(bool),
    /// See [`VfState::trust`].
    Trust(bool),
    /// See [`VfState::link_state`].
    LinkState(VfLinkState),
    /// See [`VfState::min_rate`] and [`VfState::max_rate`].
    Rate {
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
    },
}

impl VfState {
    /// What makes a VF like this one again.
    pub fn differences_from(&self, now: &Self) -> impl Iterator<Item = VfChange> {
        let rate = VfChange::Rate {
            min: self.min_rate,
            max: self.max_rate,
        };
        let rates = (now.min_rate, now.max_rate);
        [
            (now.mac != self.mac).then_some(VfChange::Mac(self.mac)),
            (now.vlan != self.vlan).then_some(VfChange::Vlan(self.vlan)),
            (now.spoof_check != self.spoof_check).then_some(VfChange::SpoofCheck(self.spoof_check)),
            (now.trust != self.trust).then_some(VfChange::Trust(self.trust)),
            (now.link_state != self.link_state).then_some(VfChange::LinkState(self.link_state)),
            (rates != (self.min_rate, self.max_rate)).then_some(rate),
        ]
        .into_iter()
        .flatten()
    }
}

/// Reading virtual functions.
pub trait VfsRead {
    /// Lists the VFs of a card.
    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError>;
}

/// Changing virtual functions.
pub trait Vfs {
    /// Changes one property of a VF. Equivalent to `ip link set dev NAME vf NUMBER`.
    fn change_vf(&mut self, link: LinkId, number: u32, change: VfChange)
    -> Result<(), KernelError>;
}
