//! Virtual functions (VFs) of network cards with SR-IOV. A VF acts as a card of
//! its own, but the card that it belongs to sets some of its properties.

use serde::{Deserialize, Serialize};
use types::{Mac, PciAddress, VfChange, VfLinkState, VfVlan};

use super::{KernelError, LinkId};

/// The state of a VF on its card (`linux/if_link.h`, IFLA_VF_INFO).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfState {
    /// The VF's number on the card, from 0.
    pub number: u32,
    /// The only MAC address that the VF may have. All zeros leave the choice to
    /// the VF.
    pub mac: Mac,
    /// The VLAN into which the card puts the VF's frames.
    #[serde(default)]
    pub vlan: VfVlan,
    /// Whether the card drops frames with other source addresses.
    pub spoof_check: bool,
    /// Whether the VF may change its MAC address and receive frames for others.
    pub trust: bool,
    /// The rule for the state of the VF's link.
    #[serde(default)]
    pub link_state: VfLinkState,
    /// The guaranteed rate in Mbit/s; 0 for none.
    pub min_rate: u32,
    /// The highest rate in Mbit/s; 0 for no limit.
    pub max_rate: u32,
}

impl VfState {
    /// Lists the changes that restore this state.
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
    /// Returns the PCI device of a card's VF.
    fn vf_device(&mut self, card: LinkId, number: u32) -> Result<PciAddress, KernelError>;
}

/// Changing virtual functions.
pub trait Vfs {
    /// Changes one property of a VF. Equivalent to `ip link set dev NAME vf NUMBER`.
    fn change_vf(&mut self, link: LinkId, number: u32, change: VfChange)
    -> Result<(), KernelError>;
}
