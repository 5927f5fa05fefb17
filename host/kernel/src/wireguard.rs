//! What WireGuard knows of a link.

use std::net::SocketAddr;

use ipnet::IpNet;
use types::WireguardKey;

use super::{KernelError, LinkId};

/// A change of a WireGuard link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireguardChange {
    /// Its private key, or none.
    PrivateKey(Option<WireguardKey>),
    /// Its UDP port.
    ListenPort(u16),
    /// A peer to be added, or to be made like this.
    SetPeer(WireguardPeer),
    /// The peer with this public key is removed.
    RemovePeer(WireguardKey),
}

/// How a peer is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardPeer {
    /// Its public key.
    pub public_key: WireguardKey,
    /// A secret that both share.
    pub preshared_key: Option<WireguardKey>,
    /// Where it is.
    pub endpoint: Option<SocketAddr>,
    /// The networks behind it.
    pub allowed_ips: Vec<IpNet>,
    /// Seconds between empty packets; 0 for none.
    pub keepalive: u16,
}

/// A WireGuard link as the kernel has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireguardState {
    /// Its public key, if it has a private one.
    pub public_key: Option<WireguardKey>,
    /// Its UDP port.
    pub listen_port: u16,
    /// Its peers.
    pub peers: Vec<WireguardPeerState>,
}

/// A peer as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardPeerState {
    /// Its public key.
    pub public_key: WireguardKey,
    /// Where it was last.
    pub endpoint: Option<SocketAddr>,
    /// The networks behind it.
    pub allowed_ips: Vec<IpNet>,
    /// Seconds between empty packets; 0 for none.
    pub keepalive: u16,
    /// When keys were last agreed on, in seconds since 1970-01-01.
    pub last_handshake: Option<u64>,
    /// Bytes received from it.
    pub received: u64,
    /// Bytes sent to it.
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
