//! Neighbours of links.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::Mac;

use super::{KernelError, LinkId};

/// A table of a link's neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeighbourTable {
    /// The MAC addresses of IP addresses.
    Entries,
    /// The IP addresses of others for which the link answers (NTF_PROXY).
    Proxies,
}

/// An entry for an IP address that can be set on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Neighbour {
    /// The MAC address of the IP address (NUD_PERMANENT).
    Permanent(Mac),
    /// The link answers for the IP address.
    Proxy,
}

impl Neighbour {
    /// Returns the entry's table.
    pub fn table(self) -> NeighbourTable {
        match self {
            Self::Permanent(_) => NeighbourTable::Entries,
            Self::Proxy => NeighbourTable::Proxies,
        }
    }
}

/// An entry that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundNeighbour {
    /// The IP address.
    pub address: IpAddr,
    /// The MAC address, if it's known.
    pub mac: Option<Mac>,
    /// Whether the entry is permanent (NUD_PERMANENT).
    pub permanent: bool,
    /// The entry's table.
    pub table: NeighbourTable,
}

/// A saved entry, as a netlink message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedNeighbour(pub(super) Vec<u8>);

/// Reading neighbours.
pub trait NeighboursRead {
    /// Lists the neighbours of a link, and the addresses that it answers for.
    /// Equivalent to `ip neighbour show dev NAME`, with and without `proxy`.
    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError>;
    /// Whether an entry exists and was set, not learnt.
    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError>;
    /// Saves an entry for restoring it, even if it's foreign.
    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError>;
}

/// Setting and removing neighbours.
pub trait Neighbours {
    /// Sets an entry, and replaces an existing one. Equivalent to `ip neighbour
    /// replace`.
    fn add_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError>;
    /// Removes an entry that this program set.
    fn remove_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError>;
    /// Removes a saved entry.
    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
    /// Restores a saved entry, unless somebody has set one meanwhile.
    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
}
