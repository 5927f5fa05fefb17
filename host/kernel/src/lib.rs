//! Operations on the kernel's network state, over netlink. This crate knows
//! nothing of grants, journals or the WIT.
//!
//! On a driver's behalf, only the gate calls it. The gate decides on every
//! change before it's made.

#![deny(unsafe_code)]

mod address;
pub mod announce;
mod bridge_port;
mod device;
mod enter_netns;
mod error;
mod find;
mod firewall;
mod identity;
mod inside_netns;
mod inventory;
pub mod kinds;
mod link;
mod liveness;
mod neighbour;
mod netlink;
mod netns;
mod offload;
mod operation;
mod route;
mod rule;
mod setting;
mod snapshot;
mod sysctl;
mod traffic;
mod vf;
mod wireguard;

pub use bridge_port::{
    BridgePorts, BridgePortsRead, PortChange, PortState, PortVlans, VlanNumbers,
};
pub use find::{PlacedLink, find};
pub use firewall::{
    Firewall, FirewallEntry, FirewallFamily, FirewallOwner, FirewallRead, FirewallRule, Isolation,
    LinkTraffic, MissingFirewall, Policy, Ports, Publication, Traffic, Translation,
};
pub use identity::{
    FarLink, IdentifiedLink, IdentitiesRead, LinkIdentity, ParentDevice, Proof, SavedPeer,
    Whereabouts,
};
pub use inventory::{InventoryRead, Survey, SurveyedLink, Tie};
pub use kinds::{IPV6_MIN_MTU, Kind, LinkKind, NewLink, NewVeth, ParentUse, VethEnd};
pub use liveness::{Life, Living, living_netns, look_elsewhere};
pub use neighbour::{
    FoundNeighbour, Neighbour, NeighbourTable, Neighbours, NeighboursRead, SavedNeighbour,
};
pub use netlink::{DroppingChain, Netlink, Saved, find_feature};
pub use netns::{Netns, NetnsError, NetnsId};
pub use route::{
    FoundRoute, KnownLink, MAIN_TABLE, NextHop, RESERVED_TABLES, RouteScope, Routes, RoutesRead,
    SavedRoutes, TableRoute, default_route_links,
};
pub use rule::{FoundRule, Rules, RulesRead, SavedRule};
pub use setting::{LinkSetting, Settings, SettingsRead};
pub use traffic::{
    ClassPackets, HtbClass, HtbFlow, QueueHook, Queues, RootQueue, Shape, Tbf, TrafficControl,
    TrafficControlRead,
};
pub use types::{VfChange, VfLinkState, VfVlan};
pub use vf::{VfState, Vfs, VfsRead};
pub use wireguard::{
    Wireguard, WireguardChange, WireguardPeer, WireguardPeerState, WireguardRead, WireguardState,
};

pub use address::{AddressState, Addresses, AddressesRead, NewAddress};
pub use announce::Announce;
pub use error::KernelError;
pub use link::{
    ETHERNET_MTU, LinkChange, LinkId, LinkInfo, LinkState, Links, LinksRead, TX_QUEUE_LENGTH,
};
pub use offload::{Feature, Offloads, OffloadsRead};
pub use operation::{Kernel, Reader, Timed};
pub use snapshot::{LinkSnapshot, Snapshots, SnapshotsRead};

/// Asks a question of the kernel, and has the messages in a fuzzer's input answer.
///
/// # Panics
///
/// The answer breaks a promise.
#[cfg(fuzzing)]
pub fn try_answers(input: &[u8]) {
    netlink::played::try_one(input);
}
