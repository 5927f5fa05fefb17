//! An imagined machine, for a simulated kernel to begin with. It consists of
//! plain values, and nothing of it exists on the present machine.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kernel::{
    AddressState, FarLink, Feature, FirewallEntry, FoundNeighbour, FoundRoute, IdentifiedLink,
    KernelError, LinkId, LinkIdentity, LinkInfo, LinkState, NeighbourTable, ParentDevice,
    PortState, PortVlans, Queues, SurveyedLink, VfState, Whereabouts, WireguardState,
};
use nix::errno::Errno;
use types::{LinkName, Namespace, PciAddress, Rule};

use super::neighbours::is_set;

/// The beginning of the paths of all settings.
const SETTINGS: &str = "/proc/sys/net/";

/// An imagined machine.
#[derive(Debug, Clone, Default)]
pub struct Imagined {
    /// The host's namespace.
    pub host: ImaginedNamespace,
    /// The container's namespace.
    pub container: ImaginedNamespace,
    /// The drivers' entries in the host's firewall.
    pub firewall: Vec<FirewallEntry>,
}

/// The settings of a new link (`ipv4_devconf_dflt` in `net/ipv4/devinet.c`,
/// `ipv6_devconf_dflt` in `net/ipv6/addrconf.c`).
const NEW_LINK_SETTINGS: [(&str, &str); 15] = [
    ("ipv4/arp_ignore", "0"),
    ("ipv4/arp_notify", "0"),
    ("ipv4/forwarding", "0"),
    ("ipv4/promote_secondaries", "0"),
    ("ipv4/proxy_arp", "0"),
    ("ipv4/route_localnet", "0"),
    ("ipv4/rp_filter", "0"),
    ("ipv6/accept_dad", "1"),
    ("ipv6/accept_ra", "1"),
    ("ipv6/autoconf", "1"),
    ("ipv6/disable_ipv6", "0"),
    ("ipv6/forwarding", "0"),
    ("ipv6/keep_addr_on_down", "0"),
    ("ipv6/ndisc_notify", "0"),
    ("ipv6/proxy_ndp", "0"),
];

impl Imagined {
    /// A machine that has nothing: in each namespace the loopback link, which is
    /// down, and the kernel's own settings.
    pub fn empty() -> Self {
        Self {
            host: ImaginedNamespace::empty(),
            container: ImaginedNamespace::empty(),
            firewall: Vec::new(),
        }
    }
}

/// A namespace.
#[derive(Debug, Clone, Default)]
pub struct ImaginedNamespace {
    /// The links.
    pub links: Vec<ImaginedLink>,
    /// The routes of all tables.
    pub routes: Vec<FoundRoute>,
    /// The rules, besides those of every namespace.
    pub rules: Vec<Rule>,
    /// The settings that aren't a link's, by their paths below `/proc/sys/net`.
    pub settings: BTreeMap<String, String>,
    /// The settings that each link has, by `FAMILY/KEY`.
    pub link_settings: BTreeMap<String, String>,
}

/// A link.
#[derive(Debug, Clone)]
pub struct ImaginedLink {
    /// The link with its parent or peer.
    pub link: SurveyedLink,
    /// The addresses.
    pub addresses: Vec<AddressState>,
    /// The neighbours.
    pub neighbours: Vec<FoundNeighbour>,
    /// The flags of a bridge's port.
    pub port: Option<PortState>,
    /// The VLANs of a bridge or of its port.
    pub vlans: Vec<PortVlans>,
    /// The queueing disciplines.
    pub queues: Queues,
    /// The classes of the root queueing discipline.
    pub classes: Vec<u16>,
    /// The VFs.
    pub vfs: Vec<VfState>,
    /// The PCI devices of the VFs, in the order of their numbers.
    pub vf_devices: Vec<PciAddress>,
    /// The features.
    pub features: Vec<Feature>,
    /// The configuration of WireGuard.
    pub wireguard: Option<WireguardState>,
}

impl ImaginedLink {
    /// Returns a link without addresses, neighbours and other properties.
    pub fn new(link: SurveyedLink) -> Self {
        Self {
            link,
            addresses: Vec::new(),
            neighbours: Vec::new(),
            port: None,
            vlans: Vec::new(),
            queues: Queues::default(),
            classes: Vec::new(),
            vfs: Vec::new(),
            vf_devices: Vec::new(),
            features: Vec::new(),
            wireguard: None,
        }
    }

    pub(super) fn state(&self) -> &LinkState {
        &self.link.info.state
    }

    /// Returns the link with its identity, in a namespace of this machine.
    pub(super) fn identified(&self, namespace: Namespace) -> IdentifiedLink {
        let device = self.link.pci.as_ref().map(|address| ParentDevice {
            bus: Some("pci".to_owned()),
            name: address.to_string(),
        });
        let tie = self.link.tie.map(|tie| FarLink {
            index: tie.index,
            place: match (namespace, tie.elsewhere) {
                (Namespace::Host, false) | (Namespace::Container, true) => Whereabouts::Host,
                (Namespace::Host, true) | (Namespace::Container, false) => Whereabouts::Container,
            },
        });
        IdentifiedLink {
            state: self.state().clone(),
            has_plain_name: true,
            identity: LinkIdentity {
                kind: self.link.info.kind.clone(),
                permanent_mac: self.state().permanent_mac,
                is_vf: false,
                device,
                tie,
                vlan: None,
            },
            alternative_names: Vec::new(),
        }
    }
}

impl ImaginedNamespace {
    /// What a new namespace has.
    fn empty() -> Self {
        let loopback = super::machine::loopback().map(|state| {
            ImaginedLink::new(SurveyedLink {
                info: LinkInfo {
                    state,
                    kind: None,
                    carrier: false,
                    vlan_filtering: None,
                    parent_use: None,
                },
                tie: None,
                table: None,
                pci: None,
                device: None,
            })
        });
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            links: loopback.into_iter().collect(),
            settings: [("ipv4/ip_forward", "0")].map(owned).into(),
            link_settings: NEW_LINK_SETTINGS.map(owned).into(),
            ..Self::default()
        }
    }

    pub(super) fn link(&self, index: u32) -> Result<&ImaginedLink, KernelError> {
        let mut links = self.links.iter();
        let found = links.find(|link| link.state().index == index);
        Ok(found.ok_or(Errno::ENODEV)?)
    }

    /// Returns a setting by its path.
    pub(super) fn setting(&self, path: &str) -> Result<String, KernelError> {
        let below = path.strip_prefix(SETTINGS).ok_or(Errno::ENOENT)?;
        if let Some(value) = self.settings.get(below) {
            return Ok(value.clone());
        }
        let (family, rest) = below.split_once("/conf/").ok_or(Errno::ENOENT)?;
        let (link, key) = rest.split_once('/').ok_or(Errno::ENOENT)?;
        let is_there = matches!(link, "all" | "default")
            || self.links.iter().any(|it| it.state().name.as_str() == link);
        let value = self.link_settings.get(&format!("{family}/{key}"));
        Ok(value.filter(|_| is_there).cloned().ok_or(Errno::ENOENT)?)
    }

    /// Returns the settings of a link, by `FAMILY/KEY`.
    pub(super) fn settings_of(&self, name: &LinkName) -> BTreeMap<String, String> {
        let mut settings = self.link_settings.clone();
        for (key, value) in &mut settings {
            let own = key.split_once('/').and_then(|(family, key)| {
                self.settings.get(&format!("{family}/conf/{name}/{key}"))
            });
            if let Some(own) = own {
                value.clone_from(own);
            }
        }
        settings
    }
}

impl Imagined {
    pub(super) fn of(&self, namespace: Namespace) -> &ImaginedNamespace {
        match namespace {
            Namespace::Host => &self.host,
            Namespace::Container => &self.container,
        }
    }

    pub(super) fn link(&self, at: LinkId) -> Result<&ImaginedLink, KernelError> {
        self.of(at.namespace).link(at.index)
    }

    pub(super) fn neighbour(
        &self,
        at: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<Option<&FoundNeighbour>, KernelError> {
        let mut neighbours = self.link(at)?.neighbours.iter();
        Ok(neighbours.find(|it| is_set(it) && it.address == address && it.table == table))
    }
}
