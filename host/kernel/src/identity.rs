//! What tells a link from all others, whatever it's called and wherever it is.
//!
//! Who has CAP_NET_ADMIN over a namespace chooses the name, index, MAC address
//! and MTU of its links, and makes others that look the same. What counts here
//! is only what the kernel says of the device itself, and of what it's tied to
//! outside of that namespace.

use serde::{Deserialize, Serialize};
use types::{LinkName, Mac, Namespace};

use super::{KernelError, LinkId, LinkState};

/// Kinds whose IFLA_LINK is their other end.
pub(super) const PAIRS: [&str; 3] = ["veth", "netkit", "vxcan"];

/// Kinds that lie on another link (IFLA_LINK) for as long as they are there.
const ABOVE_OTHERS: [&str; 5] = ["macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"];

/// Where a link is that another one is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whereabouts {
    /// In the host's namespace.
    Host,
    /// In the container's.
    Container,
    /// In another one, by the number that the host's has for it
    /// (IFLA_LINK_NETNSID). A number below 0 is that of a namespace which is
    /// about to go.
    Elsewhere(i32),
    /// In another one, as a link of the container's says. That number is the
    /// container's own, and means nothing to the host.
    Unknown,
}

/// A link that another one is tied to (IFLA_LINK).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarLink {
    /// Where it is.
    pub place: Whereabouts,
    /// Its index there.
    pub index: u32,
}

/// The device that a link is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentDevice {
    /// Its bus (IFLA_PARENT_DEV_BUS_NAME).
    pub bus: Option<String>,
    /// Its name there (IFLA_PARENT_DEV_NAME).
    pub name: String,
}

/// What nobody can change about a link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkIdentity {
    /// Its kind (IFLA_INFO_KIND); hardware has none.
    pub kind: Option<String>,
    /// The MAC address that it keeps whatever it's set to
    /// (IFLA_PERM_ADDRESS). Some virtual kinds take it from the link that they
    /// were made on, so alone it proves nothing.
    pub permanent_mac: Option<Mac>,
    /// The device that it's on.
    pub device: Option<ParentDevice>,
    /// The link that it's tied to.
    pub tie: Option<FarLink>,
    /// The number of a VLAN (IFLA_VLAN_ID).
    pub vlan: Option<u16>,
}

/// A link with all that it's known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifiedLink {
    /// What can be changed.
    pub state: LinkState,
    /// Whether its name is one that links may have here. Else the state has
    /// another one in its place.
    pub has_plain_name: bool,
    /// What can't.
    pub identity: LinkIdentity,
    /// Its alternative names (IFLA_ALT_IFNAME).
    pub alternative_names: Vec<String>,
}

/// The other end of a pair, which stayed where the container can't reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPeer {
    /// Which link it is.
    pub at: FarLink,
    /// Its name.
    pub name: LinkName,
    /// Its MAC address.
    pub mac: Option<Mac>,
}

/// What proves which link it is, after a container has had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The device that it's on, with its kind and permanent MAC address.
    Device,
    /// Its other end, which says where it is.
    Peer(FarLink),
    /// The link of the host that it lies on.
    Lower,
    /// Nothing.
    Nothing,
}

impl LinkIdentity {
    /// What proves it.
    pub fn proof(&self) -> Proof {
        if self.device.is_some() || (self.kind.is_none() && self.permanent_mac.is_some()) {
            return Proof::Device;
        }
        let kind = self.kind.as_deref().unwrap_or_default();
        match self.tie {
            Some(tie) if PAIRS.contains(&kind) => match tie.place {
                Whereabouts::Host | Whereabouts::Elsewhere(0..) => Proof::Peer(tie),
                // Who has the other end makes another pair with the same ends.
                Whereabouts::Container | Whereabouts::Elsewhere(_) | Whereabouts::Unknown => {
                    Proof::Nothing
                }
            },
            Some(tie) if ABOVE_OTHERS.contains(&kind) && tie.place == Whereabouts::Host => {
                Proof::Lower
            }
            _ => Proof::Nothing,
        }
    }

    /// Whether both are on the same device, or lie on the same link in the same
    /// way.
    pub fn is_same(&self, other: &Self) -> bool {
        let facts = |identity: &Self| {
            (
                identity.kind.clone(),
                identity.permanent_mac,
                identity.device.clone(),
                identity.vlan,
            )
        };
        let same_tie = match self.proof() {
            Proof::Lower => self.tie == other.tie,
            Proof::Device | Proof::Peer(_) | Proof::Nothing => true,
        };
        facts(self) == facts(other) && same_tie
    }

    /// Whether it goes with its namespace; hardware is given back by the
    /// kernel.
    pub fn goes_with_its_namespace(&self) -> bool {
        self.kind.is_some() && self.device.is_none()
    }

    /// Its kind, for people.
    pub fn kind_in_words(&self) -> String {
        match &self.kind {
            Some(kind) => format!("{kind} link"),
            None => "link without a kind".to_owned(),
        }
    }
}

/// Reading what identifies a link.
pub trait IdentitiesRead {
    /// Returns a link with all that identifies it.
    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError>;
    /// Lists the links of a namespace with all that identifies them.
    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError>;
    /// Returns the link that another one is tied to, as the host sees it.
    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "02:00:00:00:00:01";

    fn of_kind(kind: &str) -> LinkIdentity {
        LinkIdentity {
            kind: Some(kind.to_owned()),
            ..LinkIdentity::default()
        }
    }

    fn tied(kind: &str, place: Whereabouts) -> LinkIdentity {
        LinkIdentity {
            tie: Some(FarLink { place, index: 7 }),
            ..of_kind(kind)
        }
    }

    fn card(name: &str, mac: &str) -> LinkIdentity {
        LinkIdentity {
            permanent_mac: Some(mac.parse().unwrap()),
            device: Some(ParentDevice {
                bus: Some("pci".to_owned()),
                name: name.to_owned(),
            }),
            ..LinkIdentity::default()
        }
    }

    #[test]
    fn what_stays_outside_proves_a_link() {
        let far = |place| Proof::Peer(FarLink { place, index: 7 });
        for place in [Whereabouts::Host, Whereabouts::Elsewhere(3)] {
            assert_eq!(tied("veth", place).proof(), far(place));
        }
        for place in [
            Whereabouts::Container,
            Whereabouts::Elsewhere(-1),
            Whereabouts::Unknown,
        ] {
            assert_eq!(tied("veth", place).proof(), Proof::Nothing, "{place:?}");
            assert_eq!(tied("macvlan", place).proof(), Proof::Nothing, "{place:?}");
        }
        for kind in ABOVE_OTHERS {
            assert_eq!(tied(kind, Whereabouts::Host).proof(), Proof::Lower);
        }
        for kind in ["dummy", "bridge", "tun", "vxlan", "ifb"] {
            assert_eq!(of_kind(kind).proof(), Proof::Nothing, "{kind}");
        }
        assert_eq!(LinkIdentity::default().proof(), Proof::Nothing);
        assert_eq!(card("0000:00:1f.6", MAC).proof(), Proof::Device);
    }

    /// An ipvlan takes its permanent address from what it's made on, whatever
    /// that was set to.
    #[test]
    fn a_permanent_address_alone_proves_nothing() {
        let mut ipvlan = tied("ipvlan", Whereabouts::Container);
        ipvlan.permanent_mac = Some(MAC.parse().unwrap());
        assert_eq!(ipvlan.proof(), Proof::Nothing);
        let card = card("0000:00:1f.6", MAC);
        assert!(!card.is_same(&ipvlan));
        // Before Linux 5.14 no device is told.
        let old = LinkIdentity {
            device: None,
            ..card.clone()
        };
        assert_eq!(old.proof(), Proof::Device);
        assert!(!old.is_same(&ipvlan) && !old.is_same(&card));
    }

    #[test]
    fn two_ports_of_a_device_differ() {
        let one = card("0000:00:1f.6", MAC);
        assert!(one.is_same(&one.clone()));
        assert!(!one.is_same(&card("0000:00:1f.6", "02:00:00:00:00:02")));
        assert!(!one.is_same(&card("0000:00:1f.5", MAC)));
    }

    #[test]
    fn what_it_lies_on_counts_and_the_vlan_too() {
        let one = tied("vlan", Whereabouts::Host);
        let other = |change: fn(&mut LinkIdentity)| {
            let mut other = one.clone();
            change(&mut other);
            one.is_same(&other)
        };
        assert!(other(|_| {}));
        assert!(!other(|it| it.vlan = Some(5)));
        assert!(!other(|it| it.kind = Some("macvlan".to_owned())));
        assert!(!other(|it| {
            it.tie = Some(FarLink {
                place: Whereabouts::Container,
                index: 7,
            });
        }));
    }

    #[test]
    fn hardware_outlives_its_namespace() {
        assert!(!card("0000:00:1f.6", MAC).goes_with_its_namespace());
        assert!(!LinkIdentity::default().goes_with_its_namespace());
        assert!(of_kind("veth").goes_with_its_namespace());
    }
}
