//! The two views of the kernel. A holder of a [`Reader`] can't change anything.
//! A holder of a [`Kernel`] can.

use std::time::Instant;

use super::{
    Addresses, AddressesRead, Announce, BridgePorts, BridgePortsRead, Firewall, FirewallRead,
    IdentitiesRead, InventoryRead, Links, LinksRead, Neighbours, NeighboursRead, Offloads,
    OffloadsRead, Routes, RoutesRead, Rules, RulesRead, Settings, SettingsRead, Snapshots,
    SnapshotsRead, TrafficControl, TrafficControlRead, Vfs, VfsRead, Wireguard, WireguardRead,
};

/// A deadline for operations.
pub trait Timed {
    /// Moves the deadline. A rollback has a deadline of its own, so that a slow
    /// driver can't use up its time.
    fn set_deadline(&mut self, deadline: Instant);
}

/// Declares a view: a trait that each type with all of its parts has.
macro_rules! view {
    ($(#[$doc:meta])* $view:ident: $first:ident $(+ $part:ident)*) => {
        $(#[$doc])*
        pub trait $view: $first $(+ $part)* {}

        impl<T: $first $(+ $part)*> $view for T {}
    };
}

view! {
    /// The read-only view of the kernel's network state. Each operation ends at the
    /// deadline.
    Reader: Timed
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
}

view! {
    /// The view of the kernel that can change its network state, for the gate.
    Kernel: Reader
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
}
