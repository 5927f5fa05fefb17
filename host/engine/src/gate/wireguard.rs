//! The interface `wireguard`.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use kernel::{KernelError, WireguardChange, WireguardPeer, WireguardPeerState};
use nix::errno::Errno;
use policy::{Call, Object};
use trust::{SecretError, Secrets};
use types::WireguardKey;
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid};
use super::links::others_have;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::wireguard::{Endpoint, Host, Peer, PeerInfo, WireguardInfo};

impl Gate {
    /// Changes an own link. A foreign link can't be changed, because the journal would
    /// have to hold its secret keys to undo that.
    fn change_wireguard(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        secret: Option<&str>,
        change: impl FnOnce(Option<WireguardKey>) -> WireguardChange,
    ) -> Result<(), CallError> {
        if let Some(name) = secret {
            bounds::SECRET.text(call, name)?;
        }
        let link = self.own_wireguard(call, link)?;
        let mut objects = vec![self.object(&link)];
        objects.extend(secret.map(Object::Secret));
        if let Some(name) = secret {
            Secrets::check_name(name).map_err(|error| invalid(call, &error))?;
        }
        // The secret is read after the decision, so that a denied driver can't find out
        // whether it exists.
        let permit = self.decide(call, &objects)?;
        let key = secret.map(|name| self.secret_key(name)).transpose();
        let change = match key {
            Ok(key) => change(key),
            Err(error) => return Err(self.record_failure(permit, &objects, error)),
        };
        let plan = |_: &mut dyn Kernel| Ok(Plan::nothing());
        let result = self.perform(&permit, plan, |kernel| {
            kernel.change_wireguard(link.id, &change)
        })?;
        self.record(permit, &objects, result)
    }

    fn own_wireguard(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<LinkHandle, CallError> {
        let link = self.link(link)?;
        if self.is_in_use_by_others(&link)? {
            return Err(invalid(call, &others_have(&link)));
        }
        if self.owns(&link) {
            return Ok(link);
        }
        let text = format!(
            "{} isn't a link that was made for this container",
            link.name
        );
        Err(invalid(call, &text))
    }

    fn secret_key(&self, name: &str) -> Result<WireguardKey, KernelError> {
        let refused = |text: String| KernelError::Refused {
            errno: Errno::EINVAL,
            text,
        };
        let text = self.secrets.read(name).map_err(|error| match error {
            SecretError::Missing(_) => KernelError::NotFound(error.to_string()),
            _ => refused(error.to_string()),
        })?;
        text.parse()
            .map_err(|error| refused(format!("the secret {name} can't be used: {error}")))
    }
}

impl Host for Gate {
    fn set_private_key(
        &mut self,
        link: Resource<LinkHandle>,
        secret: String,
    ) -> Result<(), CallError> {
        let call = Call::WireguardSetPrivateKey;
        self.change_wireguard(call, &link, Some(&secret), WireguardChange::PrivateKey)
    }

    fn set_listen_port(&mut self, link: Resource<LinkHandle>, port: u16) -> Result<(), CallError> {
        let call = Call::WireguardSetListenPort;
        self.change_wireguard(call, &link, None, |_| WireguardChange::ListenPort(port))
    }

    fn set_peer(&mut self, link: Resource<LinkHandle>, peer: Peer) -> Result<(), CallError> {
        let call = Call::WireguardSetPeer;
        bounds::allowed_ips(call, &peer.allowed_ips)?;
        let mut wanted = WireguardPeer {
            public_key: public_key(call, &peer.public_key)?,
            preshared_key: None,
            endpoint: peer.endpoint.map(|it| address(call, &it)).transpose()?,
            allowed_ips: networks(call, &peer.allowed_ips)?,
            keepalive: peer.keepalive.unwrap_or(0),
        };
        let shared = peer.preshared_key.as_deref();
        self.change_wireguard(call, &link, shared, |key| {
            wanted.preshared_key = key;
            WireguardChange::SetPeer(wanted)
        })
    }

    fn remove_peer(
        &mut self,
        link: Resource<LinkHandle>,
        public_key: String,
    ) -> Result<(), CallError> {
        let call = Call::WireguardRemovePeer;
        let key = self::public_key(call, &public_key)?;
        self.change_wireguard(call, &link, None, |_| WireguardChange::RemovePeer(key))
    }

    fn info(&mut self, link: Resource<LinkHandle>) -> Result<WireguardInfo, CallError> {
        let call = Call::WireguardInfo;
        let link = self.own_wireguard(call, &link)?;
        let objects = [self.object(&link)];
        let state = self.read(call, &objects, |kernel| kernel.wireguard(link.id))?;
        Ok(WireguardInfo {
            public_key: state.public_key.map(WireguardKey::to_public_text),
            listen_port: state.listen_port,
            peers: state.peers.iter().map(peer_info).collect(),
        })
    }
}

fn public_key(call: Call, text: &str) -> Result<WireguardKey, CallError> {
    bounds::PUBLIC_KEY.text(call, text)?;
    text.parse().map_err(|error| {
        let text = format!("the public key {text:?} can't be used: {error}");
        invalid(call, &text)
    })
}

fn address(call: Call, endpoint: &Endpoint) -> Result<SocketAddr, CallError> {
    bounds::address(call, &endpoint.address)?;
    let address: IpAddr = endpoint
        .address
        .parse()
        .map_err(|_| invalid(call, &format!("{:?} is no IP address", endpoint.address)))?;
    Ok(SocketAddr::new(address, endpoint.port))
}

fn networks(call: Call, texts: &[String]) -> Result<Vec<IpNet>, CallError> {
    let parse = |text: &String| {
        text.parse::<IpNet>()
            .map_err(|_| invalid(call, &format!("{text:?} is no network: ADDRESS/LENGTH")))
    };
    texts.iter().map(parse).collect()
}

fn peer_info(peer: &WireguardPeerState) -> PeerInfo {
    PeerInfo {
        public_key: peer.public_key.to_public_text(),
        endpoint: peer.endpoint.map(|endpoint| Endpoint {
            address: endpoint.ip().to_string(),
            port: endpoint.port(),
        }),
        allowed_ips: peer.allowed_ips.iter().map(IpNet::to_string).collect(),
        keepalive: peer.keepalive,
        last_handshake: peer.last_handshake,
        received: peer.received,
        sent: peer.sent,
    }
}
