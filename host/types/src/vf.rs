//! The properties of virtual functions (VFs) that a network card with SR-IOV sets for
//! them, and a request's word about them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Mac;

/// A VLAN into which a card puts a VF's frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfVlan {
    /// The VLAN's number; 0 for none.
    pub id: u16,
    /// The priority of the frames, at most 7 (IEEE 802.1Q).
    pub qos: u8,
    /// Whether the tag is that of IEEE 802.1ad. Otherwise it's that of IEEE
    /// 802.1Q.
    pub provider: bool,
}

impl VfVlan {
    /// The highest priority of a VLAN's frames (IEEE 802.1Q, 3 bits).
    pub const QOS_MAX: u8 = 7;
}

/// The rule for the state of a VF's link (IFLA_VF_LINK_STATE_*).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VfLinkState {
    /// The link is up while the card's is.
    #[default]
    Auto,
    /// The link is always up.
    Enable,
    /// The link is always down.
    Disable,
}

/// A change of a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VfChange {
    /// The only MAC address that the VF may have. All zeros leave the choice to the VF.
    Mac(Mac),
    /// The VLAN into which the card puts the VF's frames.
    Vlan(VfVlan),
    /// Whether the card drops frames with other source addresses.
    SpoofCheck(bool),
    /// Whether the VF may change its MAC address and receive frames for others.
    Trust(bool),
    /// The rule for the state of the VF's link.
    LinkState(VfLinkState),
    /// The rates at which the VF sends, in Mbit/s; 0 for none.
    Rate {
        /// The guaranteed rate.
        min: u32,
        /// The highest rate.
        max: u32,
    },
}

impl fmt::Display for VfChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_off = |on| if on { "on" } else { "off" };
        match self {
            Self::Mac(Mac::NONE) => f.write_str("no MAC address"),
            Self::Mac(mac) => write!(f, "MAC address {mac}"),
            Self::Vlan(VfVlan { id: 0, .. }) => f.write_str("no VLAN"),
            Self::Vlan(VfVlan { id, qos, provider }) => {
                let protocol = if *provider { "802.1ad" } else { "802.1q" };
                write!(f, "VLAN {id} {protocol} priority {qos}")
            }
            Self::SpoofCheck(on) => write!(f, "spoof check {}", on_off(*on)),
            Self::Trust(on) => write!(f, "trust {}", on_off(*on)),
            Self::LinkState(VfLinkState::Auto) => f.write_str("link state auto"),
            Self::LinkState(VfLinkState::Enable) => f.write_str("link state enable"),
            Self::LinkState(VfLinkState::Disable) => f.write_str("link state disable"),
            Self::Rate { min, max } => write!(f, "rates {min} to {max} Mbit/s"),
        }
    }
}

/// A request's word about the container's VF.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VfWish {
    /// The VF. Without one, it's any VF that is free.
    pub number: WishedVf,
    /// The changes that the options and the container's MAC address come to. Others
    /// aren't wished.
    pub changes: Vec<VfChange>,
}

/// The VF that a request names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WishedVf {
    /// Any VF.
    Any,
    /// The VF with this number.
    Number(u32),
    /// None: the option has no number.
    #[default]
    None,
}

impl VfWish {
    /// Whether the request leaves a VF to the driver.
    pub fn allows(&self, number: u32) -> bool {
        match self.number {
            WishedVf::Any => true,
            WishedVf::Number(named) => named == number,
            WishedVf::None => false,
        }
    }
}
