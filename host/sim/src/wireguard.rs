//! WireGuard links.

use kernel::{
    KernelError, LinkId, Wireguard, WireguardChange, WireguardPeer, WireguardPeerState,
    WireguardRead, WireguardState,
};
use nix::errno::Errno;

use super::Simulation;
use super::machine::Machine;

impl WireguardRead for Simulation {
    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        self.in_time()?.wireguard(link)
    }
}

impl Wireguard for Simulation {
    fn change_wireguard(
        &mut self,
        at: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut state = machine.wireguard(at)?;
        match change {
            WireguardChange::PrivateKey(_) => {
                state.public_key = None;
                machine.assume(
                    "secrets that are there hold keys; they aren't read, so the public keys that \
                     belong to them aren't known"
                        .to_owned(),
                );
            }
            WireguardChange::ListenPort(port) => state.listen_port = *port,
            WireguardChange::SetPeer(peer) => set_peer(&mut state.peers, peer),
            WireguardChange::RemovePeer(key) => state.peers.retain(|it| it.public_key != *key),
        }
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.wireguard = Some(state));
        Ok(())
    }
}

impl Machine {
    pub(super) fn wireguard(&mut self, at: LinkId) -> Result<WireguardState, KernelError> {
        let (_, link) = self.find(at)?;
        if link.kind() != "wireguard" {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match (&link.wireguard, link.real()) {
            (Some(state), _) => Ok(state.clone()),
            (None, Some(real)) => self.reader.wireguard(real),
            (None, None) => Ok(WireguardState::default()),
        }
    }
}

fn set_peer(peers: &mut Vec<WireguardPeerState>, peer: &WireguardPeer) {
    let state = WireguardPeerState {
        public_key: peer.public_key,
        endpoint: peer.endpoint,
        allowed_ips: peer.allowed_ips.clone(),
        keepalive: peer.keepalive,
        last_handshake: None,
        received: 0,
        sent: 0,
    };
    peers.retain(|it| it.public_key != peer.public_key);
    peers.push(state);
}
