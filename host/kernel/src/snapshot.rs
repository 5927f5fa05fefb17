//! All that is to be restored on a link.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId, SavedNeighbour};

/// The addresses, routes and neighbours of a link, as messages of the kernel's
/// own, and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSnapshot {
    /// Below `/proc/sys/net/FAMILY/conf/LINK`, by `FAMILY/KEY`.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    pub(super) addresses: Vec<Vec<u8>>,
    pub(super) routes: Vec<Vec<u8>>,
    /// Those that somebody has set.
    #[serde(default)]
    pub(super) neighbours: Vec<SavedNeighbour>,
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

/// Reading all that is to be restored on a link.
pub trait SnapshotsRead {
    /// Reads the addresses, routes, neighbours and settings of a link.
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
    /// Reads the neighbours of a link, and nothing else.
    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError>;
}

/// Restoring a link.
pub trait Snapshots {
    /// Restores the settings of a snapshot that differ.
    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError>;
    /// Restores the addresses with their labels, the routes and the neighbours of a
    /// snapshot. `before` is the link's index when it was taken.
    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError>;
}
