//! Snapshots of links, for restoring them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId, SavedNeighbour};

/// The saved addresses, routes and neighbours of a link, as netlink messages,
/// and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSnapshot {
    /// The settings below `/proc/sys/net/FAMILY/conf/LINK`, by `FAMILY/KEY`.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    pub(super) addresses: Vec<Vec<u8>>,
    pub(super) routes: Vec<Vec<u8>>,
    /// The neighbours that were set, not learnt.
    #[serde(default)]
    pub(super) neighbours: Vec<SavedNeighbour>,
}

impl LinkSnapshot {
    /// Returns a snapshot of settings alone.
    pub fn of_settings(settings: BTreeMap<String, String>) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Returns the link's settings, by `FAMILY/KEY`.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// Returns the neighbours that were set, not learnt.
    pub fn neighbours(&self) -> &[SavedNeighbour] {
        &self.neighbours
    }

    /// Whether the snapshot has routes.
    pub fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }
}

/// Taking snapshots of links.
pub trait SnapshotsRead {
    /// Reads the addresses, routes, neighbours and settings of a link.
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
    /// Reads only the neighbours of a link.
    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
}

/// Restoring links from snapshots.
pub trait Snapshots {
    /// Restores the settings that differ from a snapshot's.
    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError>;
    /// Restores the addresses with their labels, the routes and the neighbours
    /// of a snapshot. `before` is the link's index at the time of the snapshot.
    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError>;
}
