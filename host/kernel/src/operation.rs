//! The two views of the kernel: who holds a [`Reader`] can't change anything.

use std::time::Instant;

use super::{
    Addresses, AddressesRead, Announce, BridgePorts, BridgePortsRead, Firewall, FirewallRead,
    IdentitiesRead, InventoryRead, Links, LinksRead, Neighbours, NeighboursRead, Offloads,
    OffloadsRead, Routes, RoutesRead, Rules, RulesRead, Settings, SettingsRead, Snapshots,
    SnapshotsRead, TrafficControl, TrafficControlRead, Vfs, VfsRead, Wireguard, WireguardRead,
};

/// An end for every operation.
pub trait Timed {
    /// Moves the deadline. Clean-up has a time of its own, so that a slow driver can't use it up.
    fn set_deadline(&mut self, deadline: Instant);
}

/// All that can be read of the kernel's network state. Nothing in it changes that state.
/// Each operation ends at the deadline.
pub trait Reader:
    Timed
    + LinksRead
    + IdentitiesRead
    + InventoryRead
    + AddressesRead
    + SnapshotsRead
    + RoutesRead
    + RulesRead
    + NeighboursRead
    + BridgePortsRead
    + SettingsRead
    + TrafficControlRead
    + VfsRead
    + WireguardRead
    + OffloadsRead
    + FirewallRead
{
}

impl<T> Reader for T where
    T: Timed
        + LinksRead
        + IdentitiesRead
        + InventoryRead
        + AddressesRead
        + SnapshotsRead
        + RoutesRead
        + RulesRead
        + NeighboursRead
        + BridgePortsRead
        + SettingsRead
        + TrafficControlRead
        + VfsRead
        + WireguardRead
        + OffloadsRead
        + FirewallRead
{
}

/// All that the gate can have done.
pub trait Kernel:
    Reader
    + Links
    + Addresses
    + Snapshots
    + Routes
    + Rules
    + Neighbours
    + BridgePorts
    + Settings
    + TrafficControl
    + Vfs
    + Wireguard
    + Offloads
    + Firewall
    + Announce
{
}

impl<T> Kernel for T where
    T: Reader
        + Links
        + Addresses
        + Snapshots
        + Routes
        + Rules
        + Neighbours
        + BridgePorts
        + Settings
        + TrafficControl
        + Vfs
        + Wireguard
        + Offloads
        + Firewall
        + Announce
{
}
