//! Links of a namespace, and the operations on them.

use serde::{Deserialize, Serialize};
use types::{LinkName, Mac, Namespace};

use super::{KernelError, NewLink, NewVeth, ParentUse, PlacedLink};

/// The namespace and the index of a link. Within a run they never come to mean
/// another link. Data that outlives a run also has names or MAC addresses to
/// compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkId {
    /// The link's namespace.
    pub namespace: Namespace,
    /// The link's index in the namespace.
    pub index: u32,
}

/// The MTU of Ethernet in bytes (ETH_DATA_LEN).
pub const ETHERNET_MTU: u32 = 1500;
/// The default length of the transmit queue, in packets (DEFAULT_TX_QUEUE_LEN).
pub const TX_QUEUE_LENGTH: u32 = 1000;

/// The properties of a link that can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// The name.
    pub name: LinkName,
    /// The index.
    pub index: u32,
    /// The MAC address, for kinds that have one.
    pub mac: Option<Mac>,
    /// The MTU in bytes.
    pub mtu: u32,
    /// The index of the master.
    #[serde(default)]
    pub master: Option<u32>,
    /// Whether the link is set up.
    pub up: bool,
    /// The length of the transmit queue, in packets.
    #[serde(default)]
    pub tx_queue_length: u32,
    /// Whether the link receives frames for others (IFF_PROMISC).
    #[serde(default)]
    pub promiscuous: bool,
    /// Whether the link receives all multicast frames (IFF_ALLMULTI).
    #[serde(default)]
    pub all_multicast: bool,
    /// The description for people (IFLA_IFALIAS).
    #[serde(default)]
    pub alias: Option<String>,
    /// The permanent MAC address of hardware (IFLA_PERM_ADDRESS).
    #[serde(default)]
    pub permanent_mac: Option<Mac>,
}

impl LinkState {
    /// Returns the state of a link that the kernel has made with its defaults:
    /// down, with the MTU and the transmit queue of Ethernet (`ether_setup`).
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

/// The state, the kind and the carrier of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// The properties that can be changed.
    pub state: LinkState,
    /// The kind (IFLA_INFO_KIND).
    pub kind: Option<String>,
    /// Whether the link can carry packets (IFF_LOWER_UP), and its children and
    /// its master know of it (IFF_RUNNING).
    pub carrier: bool,
    /// Whether frames pass only the ports of their VLAN, for bridges
    /// (IFLA_BR_VLAN_FILTERING).
    pub vlan_filtering: Option<bool>,
    /// The effect of the link on its parent.
    pub parent_use: Option<ParentUse>,
}

/// A change of a link's property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkChange {
    /// The name. Kernels before 6.2 change it only while the link is down.
    Name(LinkName),
    /// The MAC address.
    Mac(Mac),
    /// The MTU in bytes.
    Mtu(u32),
    /// The index of the master, or none.
    Master(Option<u32>),
    /// Whether the link is set up.
    Up(bool),
    /// The length of the transmit queue, in packets.
    TxQueueLength(u32),
    /// Whether the link receives frames for others.
    Promiscuous(bool),
    /// Whether the link receives all multicast frames.
    AllMulticast(bool),
    /// The description for people, or none.
    Alias(Option<String>),
    /// Whether frames pass only the ports of their VLAN, for bridges.
    VlanFiltering(bool),
}

/// Reading links.
pub trait LinksRead {
    /// Returns the link with this name. Equivalent to `ip link show dev NAME`.
    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError>;
    /// Returns the link with this index.
    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError>;
    /// Returns a link's kind, carrier and, for a bridge, VLAN filtering.
    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError>;
    /// Lists the links of a namespace, or only the ports of one of them. Equivalent to `ip link show
    /// [master NAME]`.
    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError>;
    /// Lists the links of a namespace with their parents and devices.
    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError>;
}

/// Making, moving, changing and deleting links.
pub trait Links {
    /// Makes a link and returns its index. The parent is in the host's
    /// namespace or in that of the new link.
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError>;
    /// Makes a veth link in the container and its peer on the host. Returns the
    /// container's index, then the host's.
    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError>;
    /// Moves a link to the other namespace under a name. The link gets the
    /// given index if that is free there (since Linux 5.13). Returns the link's
    /// index there.
    fn move_link(
        &mut self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError>;
    /// Deletes a link. Equivalent to `ip link delete`.
    fn delete_link(&mut self, link: LinkId) -> Result<(), KernelError>;
    /// Changes one property of a link. Equivalent to `ip link set`.
    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError>;
    /// Replaces the alternative names of a link. A name that another link has
    /// stays there.
    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError>;
}
