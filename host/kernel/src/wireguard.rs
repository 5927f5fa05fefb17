//! The configuration of WireGuard links.

use std::net::SocketAddr;

use ipnet::IpNet;
use types::WireguardKey;

use super::{KernelError, LinkId};

/// A change of a WireGuard link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireguardChange {
    /// The private key, or none.
    PrivateKey(Option<WireguardKey>),
    /// The UDP port.
    ListenPort(u16),
    /// A peer to be added or changed.
    SetPeer(WireguardPeer),
    /// The public key of a peer to be removed.
    RemovePeer(WireguardKey),
}

/// The configuration of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardPeer {
    /// The public key.
    pub public_key: WireguardKey,
    /// The preshared key.
    pub preshared_key: Option<WireguardKey>,
    /// The address and the port of the peer.
    pub endpoint: Option<SocketAddr>,
    /// The networks behind the peer.
    pub allowed_ips: Vec<IpNet>,
    /// The seconds between keepalive packets; 0 for none.
    pub keepalive: u16,
}

/// The state of a WireGuard link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireguardState {
    /// The public key, if the link has a private one.
    pub public_key: Option<WireguardKey>,
    /// The UDP port.
    pub listen_port: u16,
    /// The peers.
    pub peers: Vec<WireguardPeerState>,
}

/// The state of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardPeerState {
    /// The public key.
    pub public_key: WireguardKey,
    /// The last known address and port of the peer.
    pub endpoint: Option<SocketAddr>,
    /// The networks behind the peer.
    pub allowed_ips: Vec<IpNet>,
    /// The seconds between keepalive packets; 0 for none.
    pub keepalive: u16,
    /// The time of the last handshake, in seconds since 1970-01-01.
    pub last_handshake: Option<u64>,
    /// The bytes received from the peer.
    pub received: u64,
    /// The bytes sent to the peer.
    pub sent: u64,
}

/// Reading WireGuard links.
pub trait WireguardRead {
    /// Reads a WireGuard link. Equivalent to `wg show NAME`.
    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError>;
}

/// Changing WireGuard links.
pub trait Wireguard {
    /// Changes a WireGuard link. Equivalent to `wg set NAME`.
    fn change_wireguard(
        &mut self,
        link: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError>;
}
