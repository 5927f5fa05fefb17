//! Links as the kernel has them.

use serde::{Deserialize, Serialize};
use types::{LinkName, Mac, Namespace};

use super::{KernelError, NewLink, NewVeth, ParentUse, PlacedLink};

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
    /// Makes a link and returns its index. Its parent is in the host's namespace, or in
    /// the link's own.
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError>;
    /// Makes a pair of veth links. Returns the index of the container's end, then of the
    /// host's.
    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError>;
    /// Moves a link to the other namespace under a name, and with an index if that is
    /// free there (since Linux 5.13). Returns its index there.
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
    /// Gives a link these alternative names and no others. A name that another link
    /// has stays there.
    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError>;
}
