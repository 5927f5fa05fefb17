//! The operations on the kernel's network state that calls are made of. It
//! knows namespaces and netlink; it knows nothing of grants or of WIT.
//!
//! Only the gate calls it: every mutation stands behind a decision there.

#![deny(unsafe_code)]

pub mod announce;
mod bridge_port;
mod device;
mod enter_netns;
mod find;
mod firewall;
mod identity;
mod inventory;
mod liveness;
mod neighbour;
mod netlink;
mod netns;
mod new_link;
mod route;
mod rule;
mod setting;
mod sysctl;
mod tap;
mod traffic;
mod vf;
mod wireguard;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

pub use bridge_port::{PortChange, PortState, PortVlans, VlanNumbers};
pub use find::{PlacedLink, find};
pub use firewall::{
    FirewallEntry, FirewallFamily, FirewallOwner, FirewallRule, Isolation, MissingFirewall, Policy,
    Ports, Publication, Traffic, Translation,
};
pub use identity::{
    FarLink, IdentifiedLink, LinkIdentity, ParentDevice, Proof, SavedPeer, Whereabouts,
};
pub use inventory::{Survey, SurveyedLink, Tie};
pub use liveness::{Life, Living, living_netns};
pub use neighbour::{FoundNeighbour, Neighbour, NeighbourTable, SavedNeighbour};
pub use netlink::{Netlink, Saved, find_feature};
pub use netns::{Netns, NetnsError, NetnsId};
pub use new_link::{
    IPV6_MIN_MTU, Ipvlan, IpvlanIsolation, IpvlanMode, LinkKind, Macvlan, MacvlanMode, NewLink,
    NewVeth, ParentUse, Tap, VethEnd, Vlan, Vxlan,
};
pub use route::{
    FoundRoute, KnownLink, MAIN_TABLE, NextHop, RESERVED_TABLES, RouteScope, SavedRoutes,
    TableRoute,
};
pub use rule::{FoundRule, SavedRule};
pub use setting::LinkSetting;
pub use traffic::{ClassPackets, HtbClass, QueueHook, Queues, RootQueue, Shape, Tbf};
pub use vf::{VfChange, VfLinkState, VfState, VfVlan};
pub use wireguard::{WireguardChange, WireguardPeer, WireguardPeerState, WireguardState};

use types::{LinkName, Mac, Namespace, Rule, SettingKey};

/// Why the kernel didn't do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KernelError {
    /// The kernel answered with an error number.
    #[error("{} ({errno:?})", errno.desc())]
    Errno {
        /// The number.
        errno: Errno,
    },
    /// There is no such namespace in this run.
    #[error("the {0}'s network namespace doesn't exist in this run")]
    NoNamespace(Namespace),
    /// Nothing has the property that was looked for.
    #[error("{0}")]
    NotFound(String),
    /// The time of the run is over.
    #[error("the time of the run was over while the kernel worked on it")]
    Deadline,
    /// It can't be done as things are; the text says what to do about it.
    #[error("{text} ({errno:?})")]
    Refused {
        /// The number that the kernel has for it.
        errno: Errno,
        /// What is in the way.
        text: String,
    },
    /// The conversation with the kernel broke down.
    #[error("netlink failed: {0}")]
    Netlink(String),
    /// It failed halfway: something may have changed.
    #[error("{0}")]
    Unfinished(Box<KernelError>),
}

impl From<Errno> for KernelError {
    fn from(errno: Errno) -> Self {
        Self::Errno { errno }
    }
}

impl KernelError {
    /// The error number, where the kernel gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Errno { errno } | Self::Refused { errno, .. } => Some(*errno),
            Self::Unfinished(error) => error.errno(),
            _ => None,
        }
    }

    /// The object isn't there (any more).
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound(_) | Self::NoNamespace(_) => true,
            Self::Errno { errno } => matches!(
                errno,
                Errno::ENODEV | Errno::ENOENT | Errno::ESRCH | Errno::EADDRNOTAVAIL
            ),
            Self::Refused { .. } | Self::Deadline | Self::Netlink(_) | Self::Unfinished(_) => false,
        }
    }

    /// Whether somebody else has what is to be made.
    pub fn is_taken(&self) -> bool {
        self.errno() == Some(Errno::EEXIST)
    }

    /// Whether it's unknown what was changed.
    pub fn is_unclear(&self) -> bool {
        matches!(
            self,
            Self::Deadline | Self::Netlink(_) | Self::Unfinished(_)
        )
    }

    /// The same for one of several steps, of which so many were done.
    fn after(self, done: usize) -> Self {
        match done {
            0 => self,
            _ => self.unfinished(),
        }
    }

    /// The same for an operation of which a step before this one was done.
    fn unfinished(self) -> Self {
        if self.is_unclear() {
            return self;
        }
        Self::Unfinished(Box::new(self))
    }
}

/// A link's place in one namespace. Within a run it can't come to mean another
/// link; what outlives a run also compares names or MAC addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkId {
    /// Where the link is.
    pub namespace: Namespace,
    /// Its index there.
    pub index: u32,
}

/// ETH_DATA_LEN
pub const ETHERNET_MTU: u32 = 1500;
/// DEFAULT_TX_QUEUE_LEN
pub const TX_QUEUE_LENGTH: u32 = 1000;

/// A link as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// Its name.
    pub name: LinkName,
    /// Its index.
    pub index: u32,
    /// Its MAC address, for the kinds that have one.
    pub mac: Option<Mac>,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// The index of the link that it's a port of.
    #[serde(default)]
    pub master: Option<u32>,
    /// Whether it's set up.
    pub up: bool,
    /// How many packets may wait to be sent.
    #[serde(default)]
    pub tx_queue_length: u32,
    /// Whether it takes frames for others (IFF_PROMISC).
    #[serde(default)]
    pub promiscuous: bool,
    /// Whether it takes all multicast frames (IFF_ALLMULTI).
    #[serde(default)]
    pub all_multicast: bool,
    /// A text for people (IFLA_IFALIAS).
    #[serde(default)]
    pub alias: Option<String>,
    /// The MAC address that hardware keeps whatever it's set to
    /// (IFLA_PERM_ADDRESS).
    #[serde(default)]
    pub permanent_mac: Option<Mac>,
}

impl LinkState {
    /// A link as the kernel makes it where nobody wants it otherwise: down, with
    /// the MTU and the queue of Ethernet (`ether_setup`).
    pub fn new(name: LinkName, index: u32) -> Self {
        Self {
            name,
            index,
            mac: None,
            mtu: ETHERNET_MTU,
            master: None,
            up: false,
            tx_queue_length: TX_QUEUE_LENGTH,
            promiscuous: false,
            all_multicast: false,
            alias: None,
            permanent_mac: None,
        }
    }
}

/// What else there is to know of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// What can be changed.
    pub state: LinkState,
    /// Its kind (IFLA_INFO_KIND).
    pub kind: Option<String>,
    /// Whether it can carry packets now (IFF_LOWER_UP), and what lies on it or
    /// has it as a port knows that (IFF_RUNNING).
    pub carrier: bool,
    /// Of a bridge, whether frames pass only the ports of their VLAN
    /// (IFLA_BR_VLAN_FILTERING).
    pub vlan_filtering: Option<bool>,
    /// What it does to the link below it.
    pub parent_use: Option<ParentUse>,
}

/// A change of a link's property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkChange {
    /// Another name; the link must be down on kernels before 6.2.
    Name(LinkName),
    /// Another MAC address.
    Mac(Mac),
    /// Another MTU in bytes.
    Mtu(u32),
    /// A port of the link with this index, or of none.
    Master(Option<u32>),
    /// Up or down.
    Up(bool),
    /// How many packets may wait to be sent.
    TxQueueLength(u32),
    /// Whether it takes frames for others.
    Promiscuous(bool),
    /// Whether it takes all multicast frames.
    AllMulticast(bool),
    /// A text for people.
    Alias(Option<String>),
}

/// A feature of a link as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The kernel's name for it.
    pub name: String,
    /// Whether it's on.
    pub on: bool,
    /// Whether it was asked for: it's on as soon as nothing stands against it.
    pub wanted: bool,
    /// Whether the link lets it be changed.
    pub changeable: bool,
}

/// An address as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressState {
    /// The address with its prefix length.
    pub address: IpNet,
    /// It has no meaning beyond the link (RT_SCOPE_LINK).
    pub link_scope: bool,
    /// It can't be used yet (IFA_F_TENTATIVE).
    pub tentative: bool,
    /// Somebody else has it (IFA_F_DADFAILED).
    pub dad_failed: bool,
}

/// An address to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress {
    /// The address with its prefix length.
    pub address: IpNet,
    /// It's used at once (IFA_F_NODAD).
    pub no_dad: bool,
    /// Its network gets no route (IFA_F_NOPREFIXROUTE).
    pub no_prefix_route: bool,
}

/// The addresses, routes and neighbours of a link, as messages of the kernel's
/// own, and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSnapshot {
    /// Below `/proc/sys/net/FAMILY/conf/LINK`, by `FAMILY/KEY`.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    addresses: Vec<Vec<u8>>,
    routes: Vec<Vec<u8>>,
    /// Those that somebody has set.
    #[serde(default)]
    neighbours: Vec<SavedNeighbour>,
}

impl LinkSnapshot {
    /// One of settings alone.
    pub fn of_settings(settings: BTreeMap<String, String>) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// The link's settings, by `FAMILY/KEY`.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The neighbours that somebody has set.
    pub fn neighbours(&self) -> &[SavedNeighbour] {
        &self.neighbours
    }

    /// Whether there are routes in it.
    pub fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }
}

/// What can be read of the kernel's network state. Nothing here changes it, so
/// whoever has only this can't. Each operation ends at the deadline of the run.
pub trait Reader {
    /// Moves the deadline: clean-up must not fail because the driver used up
    /// the time.
    fn set_deadline(&mut self, deadline: Instant);
    /// A link by its name.
    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError>;
    /// A link by its index.
    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError>;
    /// The index of the link that the host's first default route leaves
    /// through.
    fn default_route_link(&mut self) -> Result<u32, KernelError>;
    /// What else there is to know of a link.
    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError>;
    /// The links of a namespace, or only the ports of one of them.
    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError>;
    /// The links of a namespace with all that they can be found by.
    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError>;
    /// A link with all that it's known by.
    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError>;
    /// The links of a namespace with all that they're known by.
    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError>;
    /// The link that another one is tied to, as the host sees it.
    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError>;
    /// All links and routes of a namespace.
    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError>;
    /// The links of a namespace with what ties them to others.
    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError>;
    /// All addresses of a namespace, each with the index of its link.
    fn all_addresses(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError>;
    /// The addresses of a link.
    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError>;
    /// Reads the addresses, routes, neighbours and settings of a link.
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
    /// Reads the neighbours of a link, and nothing else.
    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
    /// The routes of a table.
    fn routes(&mut self, namespace: Namespace, table: u32) -> Result<Vec<FoundRoute>, KernelError>;
    /// Whether this very route, or a way of it, is there.
    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError>;
    /// Notes this very route for putting it back.
    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError>;
    /// Notes the routes in whose place this one would go.
    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError>;
    /// The policy routing rules that can be told, IPv4 before IPv6, in their
    /// order.
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError>;
    /// Whether a rule is there, or one that the kernel would remove in its
    /// place.
    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError>;
    /// Notes a rule, whoever made it, for putting it back.
    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError>;
    /// The neighbours of a link, and those that it answers for.
    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError>;
    /// Whether somebody has set an entry, rather than that it was learnt.
    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError>;
    /// Notes an entry, whoever set it, for putting it back.
    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError>;
    /// How a bridge treats a port.
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError>;
    /// The VLANs of a bridge's port, or of the bridge itself.
    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError>;
    /// Reads a setting of a link.
    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError>;
    /// Reads a setting by its key.
    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError>;
    /// Which queueing disciplines somebody has set on a link.
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError>;
    /// The numbers of its classes.
    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError>;
    /// The VFs of a card.
    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError>;
    /// Reads a WireGuard link.
    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError>;
    /// The features of a link.
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError>;
    /// One of them, by its name.
    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError>;
    /// Whether nobody else has what entries would take; else whose it is.
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Whether all that an entry consists of is there.
    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError>;
    /// What of entries isn't there, or not in this order.
    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError>;
}

/// What the gate can have done. Each operation ends at the deadline of the
/// run.
pub trait Kernel: Reader {
    /// Makes a link; returns its index. A parent is in the host's namespace,
    /// or in the same one as the new link.
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError>;
    /// Makes both ends of a pair of veth links; returns the container's index
    /// and the host's.
    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError>;
    /// Moves a link to the other namespace and gives it a name there, and an
    /// index if that one is free (since Linux 5.13); returns its index there.
    fn move_link(
        &mut self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError>;
    /// Removes a link.
    fn delete_link(&mut self, link: LinkId) -> Result<(), KernelError>;
    /// Changes a link.
    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError>;
    /// Gives a link these alternative names and no others. One that another
    /// link has is left to that.
    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError>;
    /// Adds an address.
    fn add_address(&mut self, link: LinkId, address: &NewAddress) -> Result<(), KernelError>;
    /// Removes an address.
    fn remove_address(&mut self, link: LinkId, address: IpNet) -> Result<(), KernelError>;
    /// Puts the settings of a snapshot back, where they differ.
    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError>;
    /// Puts the addresses, with their labels, the routes and the neighbours of a
    /// snapshot back; `before` is the index that the link had then.
    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError>;
    /// Adds a route.
    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError>;
    /// Puts a route in the place of the one with the same destination, metric
    /// and table.
    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError>;
    /// Removes a route that was added here.
    fn remove_route(&mut self, namespace: Namespace, route: &TableRoute)
    -> Result<(), KernelError>;
    /// Removes routes that were noted.
    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError>;
    /// Adds routes that were noted, where they aren't there.
    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError>;
    /// Adds a rule.
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a rule that was added here.
    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a rule that was noted.
    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError>;
    /// Adds a rule that was noted, unless it's there.
    fn put_back_rule(&mut self, namespace: Namespace, saved: &SavedRule)
    -> Result<(), KernelError>;
    /// Sets an entry. What was there makes place.
    fn add_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError>;
    /// Removes an entry that was set here.
    fn remove_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError>;
    /// Removes an entry that was noted.
    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
    /// Sets an entry that was noted, unless somebody has set one.
    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
    /// Changes how a bridge treats a port.
    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError>;
    /// Adds VLANs to them.
    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError>;
    /// Removes VLANs from them; those that aren't there are passed over.
    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError>;
    /// Sets a setting of a link.
    fn set_link_setting(
        &mut self,
        link: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError>;
    /// Sets a setting by its key.
    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError>;
    /// Sets a token bucket filter at the root, where nobody has set anything.
    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError>;
    /// Sets a hierarchical token bucket there.
    fn set_htb(&mut self, link: LinkId, whole: Shape) -> Result<(), KernelError>;
    /// Adds a class to it.
    fn add_htb_class(&mut self, link: LinkId, class: &HtbClass) -> Result<(), KernelError>;
    /// Removes a class from it.
    fn remove_htb_class(
        &mut self,
        link: LinkId,
        number: u16,
        packets: ClassPackets,
    ) -> Result<(), KernelError>;
    /// Has what a link receives go through the link with this index first.
    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError>;
    /// Removes what was set here.
    fn remove_queue(&mut self, link: LinkId, hook: QueueHook) -> Result<(), KernelError>;
    /// Changes a VF of a card, by its number.
    fn change_vf(&mut self, link: LinkId, number: u32, change: VfChange)
    -> Result<(), KernelError>;
    /// Changes a WireGuard link.
    fn change_wireguard(
        &mut self,
        link: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError>;
    /// Tells the neighbours of a link that it has an address.
    fn announce(&mut self, link: LinkId, address: IpAddr) -> Result<(), KernelError>;
    /// Turns a feature on or off.
    fn set_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError>;
    /// Asks for a feature, whether or not the kernel can turn it on now.
    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError>;
    /// Adds entries of one driver to the host's firewall, all or none.
    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Puts back what of entries isn't there, or not in this order.
    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Removes what is there of an entry.
    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
    /// Removes the table that an entry was in, if nothing else is in it.
    fn remove_empty_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
}
