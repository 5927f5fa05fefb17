//! The identity of a link, whatever its name and namespace are.
//!
//! A process with CAP_NET_ADMIN over a namespace chooses the name, index, MAC
//! address and MTU of its links, and can make others that look the same. So
//! only two things count here: the facts that the kernel reports about the
//! device itself, and the link's parent or peer outside of that namespace.

use serde::{Deserialize, Serialize};
use types::{LinkName, Mac, Namespace};

use super::{KernelError, LinkId, LinkState};

/// The kinds whose IFLA_LINK is the peer.
pub(super) const PEER_KINDS: [&str; 3] = ["veth", "netkit", "vxcan"];

/// The kinds that have a parent (IFLA_LINK) for as long as they exist.
const CHILD_KINDS: [&str; 5] = ["macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"];

/// The namespace of a parent or peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whereabouts {
    /// The host's namespace.
    Host,
    /// The container's namespace.
    Container,
    /// Another namespace, by its number in the host's (IFLA_LINK_NETNSID). A
    /// number below 0 belongs to a namespace that is about to end.
    Elsewhere(i32),
    /// Another namespace, reported by a link of the container's. Its number is
    /// valid in the container only, and means nothing to the host.
    Unknown,
}

/// The parent or peer of a link (IFLA_LINK).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarLink {
    /// Its namespace.
    pub place: Whereabouts,
    /// Its index there.
    pub index: u32,
}

/// The device of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentDevice {
    /// The bus (IFLA_PARENT_DEV_BUS_NAME).
    pub bus: Option<String>,
    /// The device's name on the bus (IFLA_PARENT_DEV_NAME).
    pub name: String,
}

/// The properties of a link that nobody can change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkIdentity {
    /// The kind (IFLA_INFO_KIND). Hardware has none.
    pub kind: Option<String>,
    /// The permanent MAC address (IFLA_PERM_ADDRESS). Some virtual kinds take
    /// it from their parent, so alone it proves nothing.
    pub permanent_mac: Option<Mac>,
    /// The device.
    pub device: Option<ParentDevice>,
    /// Whether the device is a VF. Its driver may take a new address for the permanent
    /// one, and a VF has only one link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_vf: bool,
    /// The parent or peer.
    pub tie: Option<FarLink>,
    /// The number of a VLAN (IFLA_VLAN_ID).
    pub vlan: Option<u16>,
}

/// A link with its state and its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifiedLink {
    /// The properties that can be changed.
    pub state: LinkState,
    /// Whether the link's name is plain. Otherwise the state has another name
    /// in its place.
    pub has_plain_name: bool,
    /// The properties that can't be changed.
    pub identity: LinkIdentity,
    /// The alternative names (IFLA_ALT_IFNAME).
    pub alternative_names: Vec<String>,
}

/// The peer of a link, in a namespace that the container can't reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPeer {
    /// Its namespace and index.
    pub at: FarLink,
    /// Its name.
    pub name: LinkName,
    /// Its MAC address.
    pub mac: Option<Mac>,
}

/// The proof that a link is the same as before a container had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The device, with the kind and the permanent MAC address.
    Device,
    /// The peer, which reports where the link is.
    Peer(FarLink),
    /// The parent on the host.
    Lower,
    /// None.
    Nothing,
}

impl LinkIdentity {
    /// Returns the proof of this identity.
    pub fn proof(&self) -> Proof {
        if self.device.is_some() || (self.kind.is_none() && self.permanent_mac.is_some()) {
            return Proof::Device;
        }
        let kind = self.kind.as_deref().unwrap_or_default();
        match self.tie {
            Some(tie) if PEER_KINDS.contains(&kind) => match tie.place {
                Whereabouts::Host | Whereabouts::Elsewhere(0..) => Proof::Peer(tie),
                // A process that controls the peer can make two new links with
                // the same indexes.
                Whereabouts::Container | Whereabouts::Elsewhere(_) | Whereabouts::Unknown => {
                    Proof::Nothing
                }
            },
            Some(tie) if CHILD_KINDS.contains(&kind) && tie.place == Whereabouts::Host => {
                Proof::Lower
            }
            _ => Proof::Nothing,
        }
    }

    /// Whether both links are on the same device, or are of the same kind on
    /// the same parent.
    pub fn is_same(&self, other: &Self) -> bool {
        let are_vfs = self.is_vf && other.is_vf;
        let facts = |identity: &Self| {
            (
                identity.kind.clone(),
                identity.permanent_mac.filter(|_| !are_vfs),
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

    /// Whether the link ends with its namespace. Hardware doesn't: the kernel
    /// gives it back.
    pub fn goes_with_its_namespace(&self) -> bool {
        self.kind.is_some() && self.device.is_none()
    }

    /// Describes the kind for people.
    pub fn kind_in_words(&self) -> String {
        match &self.kind {
            Some(kind) => format!("{kind} link"),
            None => "link without a kind".to_owned(),
        }
    }
}

/// Reading the identities of links.
pub trait IdentitiesRead {
    /// Returns a link with its identity.
    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError>;
    /// Lists the links of a namespace with their identities.
    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError>;
    /// Returns a parent or peer, as the host sees it.
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
        for kind in CHILD_KINDS {
            assert_eq!(tied(kind, Whereabouts::Host).proof(), Proof::Lower);
        }
        for kind in ["dummy", "bridge", "tun", "vxlan", "ifb"] {
            assert_eq!(of_kind(kind).proof(), Proof::Nothing, "{kind}");
        }
        assert_eq!(LinkIdentity::default().proof(), Proof::Nothing);
        assert_eq!(card("0000:00:1f.6", MAC).proof(), Proof::Device);
    }

    /// An ipvlan link takes its permanent address from its parent's current
    /// one.
    #[test]
    fn a_permanent_address_alone_proves_nothing() {
        let mut ipvlan = tied("ipvlan", Whereabouts::Container);
        ipvlan.permanent_mac = Some(MAC.parse().unwrap());
        assert_eq!(ipvlan.proof(), Proof::Nothing);
        let card = card("0000:00:1f.6", MAC);
        assert!(!card.is_same(&ipvlan));
        // Kernels before 5.14 report no device.
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
    fn a_vf_is_known_by_its_device_alone() {
        let vf = |name: &str, mac: &str| LinkIdentity {
            is_vf: true,
            ..card(name, mac)
        };
        let one = vf("0000:01:10.0", MAC);
        assert!(one.is_same(&vf("0000:01:10.0", "02:00:00:00:00:02")));
        assert!(!one.is_same(&vf("0000:01:10.2", MAC)));
        assert!(!one.is_same(&card("0000:01:10.0", "02:00:00:00:00:02")));
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
