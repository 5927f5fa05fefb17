//! Neighbours of links as the kernel has them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::Mac;

use super::{KernelError, LinkId};

/// Which of a link's tables an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeighbourTable {
    /// Which MAC address an IP address belongs to.
    Entries,
    /// For which IP addresses the link answers in another's place (NTF_PROXY).
    Proxies,
}

/// What can be set about an IP address on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Neighbour {
    /// It belongs to this MAC address (NUD_PERMANENT).
    Permanent(Mac),
    /// The link answers for it.
    Proxy,
}

impl Neighbour {
    /// Where it stands.
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
    /// Its MAC address, as far as it's known.
    pub mac: Option<Mac>,
    /// It stays whatever is heard (NUD_PERMANENT).
    pub permanent: bool,
    /// Where it stands.
    pub table: NeighbourTable,
}

/// An entry that was there, as a message of the kernel's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedNeighbour(pub(super) Vec<u8>);

/// Reading neighbours.
pub trait NeighboursRead {
    /// Lists the neighbours of a link, and the addresses that it answers for.
    /// Equivalent to `ip neighbour show dev NAME`, with and without `proxy`.
    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError>;
    /// Whether an entry was set rather than learnt.
    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError>;
    /// Saves an entry, whoever set it, for restoring it.
    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError>;
}

/// Setting and removing neighbours.
pub trait Neighbours {
    /// Sets an entry, in the place of the one that is there. Equivalent to `ip neighbour
    /// replace`.
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
    /// Removes a saved entry.
    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
    /// Restores a saved entry unless one was set.
    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError>;
}
