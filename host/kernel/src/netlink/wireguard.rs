//! WireGuard over generic netlink (`linux/wireguard.h`).

use ipnet::IpNet;
use netlink_packet_wireguard::{
    WireguardAddressFamily, WireguardAllowedIp, WireguardAllowedIpAttr as AllowedIp,
    WireguardAttribute as Attribute, WireguardCmd, WireguardMessage, WireguardPeer as PeerMessage,
    WireguardPeerAttribute as PeerAttribute, WireguardPeerFlags as PeerFlags,
};
use rtnetlink::packet_core::{NLM_F_ACK, NLM_F_DUMP};
use types::WireguardKey;

use super::Netlink;
use crate::{
    KernelError, LinkId, Wireguard, WireguardChange, WireguardPeer, WireguardPeerState,
    WireguardRead, WireguardState,
};

impl WireguardRead for Netlink {
    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        let question = WireguardMessage {
            cmd: WireguardCmd::GetDevice,
            attributes: vec![Attribute::IfIndex(link.index)],
        };
        let answers = self.generic(link.namespace, &question, NLM_F_DUMP)?;
        Ok(state(&answers))
    }
}

impl Wireguard for Netlink {
    fn change_wireguard(
        &mut self,
        link: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError> {
        let message = message(link.index, change);
        self.generic(link.namespace, &message, NLM_F_ACK)?;
        Ok(())
    }
}

fn message(index: u32, change: &WireguardChange) -> WireguardMessage {
    let change = match change {
        WireguardChange::PrivateKey(key) => Attribute::PrivateKey(secret_bytes(*key)),
        WireguardChange::ListenPort(port) => Attribute::ListenPort(*port),
        WireguardChange::SetPeer(peer) => Attribute::Peers(vec![peer_message(peer)]),
        WireguardChange::RemovePeer(key) => Attribute::Peers(vec![PeerMessage(vec![
            PeerAttribute::PublicKey(key.bytes()),
            PeerAttribute::Flags(PeerFlags::RemoveMe),
        ])]),
    };
    WireguardMessage {
        cmd: WireguardCmd::SetDevice,
        attributes: vec![Attribute::IfIndex(index), change],
    }
}

fn peer_message(peer: &WireguardPeer) -> PeerMessage {
    let mut attributes = vec![
        PeerAttribute::PublicKey(peer.public_key.bytes()),
        PeerAttribute::PresharedKey(secret_bytes(peer.preshared_key)),
        PeerAttribute::Flags(PeerFlags::ReplaceAllowedIps),
        PeerAttribute::PersistentKeepalive(peer.keepalive),
    ];
    attributes.extend(peer.endpoint.map(PeerAttribute::Endpoint));
    let allowed = peer.allowed_ips.iter().map(allowed_ip).collect();
    attributes.push(PeerAttribute::AllowedIps(allowed));
    PeerMessage(attributes)
}

/// Returns the bytes of a key. Zeros remove the existing key.
fn secret_bytes(key: Option<WireguardKey>) -> [u8; 32] {
    key.map_or([0; 32], |key| key.bytes())
}

fn allowed_ip(network: &IpNet) -> WireguardAllowedIp {
    let family = match network {
        IpNet::V4(_) => WireguardAddressFamily::Ipv4,
        IpNet::V6(_) => WireguardAddressFamily::Ipv6,
    };
    WireguardAllowedIp(vec![
        AllowedIp::Family(family),
        AllowedIp::IpAddr(network.addr()),
        AllowedIp::Cidr(network.prefix_len()),
    ])
}

/// Reads a link. One with many peers comes in several messages, and a peer with
/// many networks in several parts.
fn state(messages: &[WireguardMessage]) -> WireguardState {
    let mut state = WireguardState::default();
    for attribute in messages.iter().flat_map(|message| &message.attributes) {
        match attribute {
            Attribute::PublicKey(key) if *key != [0; 32] => {
                state.public_key = Some(WireguardKey::from(*key));
            }
            Attribute::ListenPort(port) => state.listen_port = *port,
            Attribute::Peers(peers) => {
                for peer in peers.iter().filter_map(peer_state) {
                    add_peer(&mut state.peers, peer);
                }
            }
            _ => {}
        }
    }
    state
}

fn add_peer(peers: &mut Vec<WireguardPeerState>, peer: WireguardPeerState) {
    match peers.last_mut() {
        Some(last) if last.public_key == peer.public_key => {
            last.allowed_ips.extend(peer.allowed_ips);
        }
        _ => peers.push(peer),
    }
}

fn peer_state(message: &PeerMessage) -> Option<WireguardPeerState> {
    let public_key = message.iter().find_map(|attribute| match attribute {
        PeerAttribute::PublicKey(key) => Some(WireguardKey::from(*key)),
        _ => None,
    })?;
    let mut peer = WireguardPeerState {
        public_key,
        endpoint: None,
        allowed_ips: Vec::new(),
        keepalive: 0,
        last_handshake: None,
        received: 0,
        sent: 0,
    };
    for attribute in message.iter() {
        match attribute {
            PeerAttribute::Endpoint(endpoint) => peer.endpoint = Some(*endpoint),
            PeerAttribute::PersistentKeepalive(seconds) => peer.keepalive = *seconds,
            PeerAttribute::LastHandshake(time) => {
                peer.last_handshake = u64::try_from(time.seconds).ok().filter(|time| *time > 0);
            }
            PeerAttribute::RxBytes(bytes) => peer.received = *bytes,
            PeerAttribute::TxBytes(bytes) => peer.sent = *bytes,
            PeerAttribute::AllowedIps(networks) => {
                peer.allowed_ips.extend(networks.iter().filter_map(network));
            }
            _ => {}
        }
    }
    Some(peer)
}

fn network(allowed: &WireguardAllowedIp) -> Option<IpNet> {
    let address = allowed.iter().find_map(|attribute| match attribute {
        AllowedIp::IpAddr(address) => Some(*address),
        _ => None,
    })?;
    let length = allowed.iter().find_map(|attribute| match attribute {
        AllowedIp::Cidr(length) => Some(*length),
        _ => None,
    })?;
    IpNet::new(address, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> WireguardPeer {
        WireguardPeer {
            public_key: WireguardKey::from([7; 32]),
            preshared_key: None,
            endpoint: Some("[fd00::1]:51820".parse().unwrap()),
            allowed_ips: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            keepalive: 25,
        }
    }

    #[test]
    fn what_is_sent_is_read_back() {
        let sent = message(3, &WireguardChange::SetPeer(peer()));
        let [read] = state(&[sent]).peers.try_into().unwrap();
        let peer = peer();
        assert_eq!(read.public_key, peer.public_key);
        assert_eq!(read.endpoint, peer.endpoint);
        assert_eq!(read.allowed_ips, peer.allowed_ips);
        assert_eq!(read.keepalive, peer.keepalive);
    }

    #[test]
    fn a_peer_in_parts_is_one() {
        let part = |network: &str| {
            let peer = WireguardPeer {
                allowed_ips: vec![network.parse().unwrap()],
                ..peer()
            };
            message(3, &WireguardChange::SetPeer(peer))
        };
        let state = state(&[part("10.0.0.0/8"), part("fd00::/8")]);
        assert_eq!(state.peers.len(), 1);
        assert_eq!(state.peers[0].allowed_ips, peer().allowed_ips);
    }
}
