//! What only some links have: bridge ports, queues, VFs, features, WireGuard.

use std::net::IpAddr;

use kernel::find_feature;
use kernel::{
    Feature, KernelError, LinkId, PortChange, PortState, PortVlans, QueueHook, Queues, RootQueue,
    VfChange, VfState, VlanNumbers, WireguardChange, WireguardPeer, WireguardPeerState,
    WireguardState, announce,
};
use nix::errno::Errno;
use types::Namespace;

use super::link::{Link, Number};
use super::machine::Machine;

/// What a new port is like (`new_nbp`).
const NEW_PORT: PortState = PortState {
    hairpin: false,
    isolated: false,
    learning: true,
};

impl Machine {
    pub(super) fn port(&mut self, at: LinkId) -> Result<PortState, KernelError> {
        let (_, link) = self.find(at)?;
        let master = link.master.and_then(|master| self.links.get(&master));
        if master.is_none_or(|master| master.kind() != "bridge") {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if let Some(port) = link.port {
            return Ok(port);
        }
        match self.unmoved_port(link) {
            Some(real) => self.reader.port(real),
            None => Ok(NEW_PORT),
        }
    }

    pub(super) fn change_port(
        &mut self,
        at: LinkId,
        change: PortChange,
    ) -> Result<(), KernelError> {
        let mut port = self.port(at)?;
        match change {
            PortChange::Hairpin(on) => port.hairpin = on,
            PortChange::Isolated(on) => port.isolated = on,
            PortChange::Learning(on) => port.learning = on,
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.port = Some(port));
        Ok(())
    }

    /// Where the real kernel has a port, if that is still on its bridge.
    fn unmoved_port(&self, link: &Link) -> Option<LinkId> {
        let real = super::settings::unmoved(link)?;
        let master = link.master.and_then(|master| self.links.get(&master));
        let index = master.map(|master| master.at.index);
        (index == link.state.master).then_some(real)
    }

    pub(super) fn vlans(&mut self, at: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        let (_, link) = self.find(at)?;
        if let Some(vlans) = &link.vlans {
            return Ok(vlans.clone());
        }
        match self.unmoved_port(link) {
            Some(real) => self.reader.vlans(real),
            None => Ok(new_vlans()),
        }
    }

    pub(super) fn add_vlans(&mut self, at: LinkId, vlans: PortVlans) -> Result<(), KernelError> {
        let mut all = without(self.vlans(at)?, vlans.numbers);
        if vlans.pvid {
            all.iter_mut().for_each(|other| other.pvid = false);
        }
        all.push(vlans);
        all.sort_by_key(|vlans| vlans.numbers.first());
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.vlans = Some(all));
        Ok(())
    }

    pub(super) fn remove_vlans(
        &mut self,
        at: LinkId,
        numbers: VlanNumbers,
    ) -> Result<(), KernelError> {
        let left = without(self.vlans(at)?, numbers);
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.vlans = Some(left));
        Ok(())
    }

    pub(super) fn queues(&mut self, at: LinkId) -> Result<Queues, KernelError> {
        let (_, link) = self.find(at)?;
        match (link.queues, link.real()) {
            (Some(queues), _) => Ok(queues),
            (None, Some(real)) => self.reader.queues(real),
            (None, None) => Ok(Queues::default()),
        }
    }

    /// Sets a queueing discipline at the root.
    pub(super) fn set_root(&mut self, at: LinkId) -> Result<(), KernelError> {
        let queues = self.queues(at)?;
        if queues.root.is_some() {
            return Err(Errno::EEXIST.into());
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| {
            link.queues = Some(Queues {
                root: Some(RootQueue::Ours),
                ..queues
            });
            link.classes = Some(Vec::new());
        });
        Ok(())
    }

    pub(super) fn htb_classes(&mut self, at: LinkId) -> Result<Vec<u16>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.classes, link.real()) {
            (Some(classes), _) => Ok(classes.clone()),
            (None, Some(real)) => self.reader.htb_classes(real),
            (None, None) => Ok(Vec::new()),
        }
    }

    pub(super) fn add_htb_class(&mut self, at: LinkId, class: u16) -> Result<(), KernelError> {
        let mut classes = self.htb_classes(at)?;
        if classes.contains(&class) {
            return Err(Errno::EEXIST.into());
        }
        classes.push(class);
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.classes = Some(classes));
        Ok(())
    }

    pub(super) fn remove_htb_class(&mut self, at: LinkId, class: u16) -> Result<(), KernelError> {
        let mut classes = self.htb_classes(at)?;
        let place = classes.iter().position(|it| *it == class);
        classes.remove(place.ok_or(Errno::ENOENT)?);
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.classes = Some(classes));
        Ok(())
    }

    pub(super) fn redirect_ingress(&mut self, at: LinkId, to: u32) -> Result<(), KernelError> {
        let queues = self.queues(at)?;
        if queues.ingress {
            return Err(Errno::EEXIST.into());
        }
        let (target, _) = self.find(LinkId { index: to, ..at })?;
        let (number, _) = self.find(at)?;
        self.edit(number, |link| {
            link.queues = Some(Queues {
                ingress: true,
                ..queues
            });
            link.redirect = Some(target);
        });
        Ok(())
    }

    pub(super) fn remove_queue(&mut self, at: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        let mut queues = self.queues(at)?;
        if !queues.has(hook) {
            return Err(Errno::ENOENT.into());
        }
        let (number, _) = self.find(at)?;
        match hook {
            QueueHook::Root => queues.root = None,
            QueueHook::Ingress => queues.ingress = false,
        }
        self.edit(number, |link| {
            link.queues = Some(queues);
            match hook {
                QueueHook::Root => link.classes = Some(Vec::new()),
                QueueHook::Ingress => link.redirect = None,
            }
        });
        Ok(())
    }

    pub(super) fn vfs(&mut self, at: LinkId) -> Result<Vec<VfState>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.vfs, link.real()) {
            (Some(vfs), _) => Ok(vfs.clone()),
            (None, Some(real)) => self.reader.vfs(real),
            (None, None) => Ok(Vec::new()),
        }
    }

    pub(super) fn change_vf(
        &mut self,
        at: LinkId,
        wanted: u32,
        change: VfChange,
    ) -> Result<(), KernelError> {
        let mut vfs = self.vfs(at)?;
        let mut all = vfs.iter_mut();
        let vf = all.find(|vf| vf.number == wanted).ok_or(Errno::EINVAL)?;
        match change {
            VfChange::Mac(mac) => vf.mac = mac,
            VfChange::Vlan(vlan) => vf.vlan = vlan,
            VfChange::SpoofCheck(on) => vf.spoof_check = on,
            VfChange::Trust(on) => vf.trust = on,
            VfChange::LinkState(state) => vf.link_state = state,
            VfChange::Rate { min, max } => (vf.min_rate, vf.max_rate) = (min, max),
        }
        self.assume("cards take what is set for their VFs".to_owned());
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.vfs = Some(vfs));
        Ok(())
    }

    pub(super) fn features(&mut self, at: LinkId) -> Result<Vec<Feature>, KernelError> {
        let (number, link) = self.find(at)?;
        if let Some(features) = &link.features {
            return Ok(features.clone());
        }
        if let Some(real) = link.real() {
            return self.reader.features(real);
        }
        let kind = link.kind().to_owned();
        let alike = self.links.values().filter(|other| other.kind() == kind);
        let alike = alike.filter_map(Link::real).next();
        let (like, any) = match alike {
            Some(real) => (Some(real), "others of its kind"),
            None => (self.loopback(), "the loopback link"),
        };
        let name = self.name_of(number);
        self.assume(format!("{name} has the features of {any}"));
        match like {
            Some(real) => self.reader.features(real),
            None => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn loopback(&self) -> Option<LinkId> {
        let links = self.links_of(Namespace::Host).into_iter();
        links
            .filter(|link| link.state.name.as_str() == "lo")
            .find_map(Link::real)
    }

    fn name_of(&self, number: Number) -> String {
        let link = self.links.get(&number);
        let name = link.map(|link| format!("{}:{}", link.at.namespace, link.state.name));
        name.unwrap_or_default()
    }

    pub(super) fn feature(&mut self, at: LinkId, name: &str) -> Result<Feature, KernelError> {
        find_feature(self.features(at)?, name)
    }

    pub(super) fn set_feature(
        &mut self,
        at: LinkId,
        name: &str,
        on: bool,
    ) -> Result<(), KernelError> {
        let before = self.feature(at, name)?;
        if before.on == on && (before.wanted == on || !before.changeable) {
            return Ok(());
        }
        if !before.changeable {
            return Err(KernelError::Refused {
                errno: Errno::EOPNOTSUPP,
                text: format!("{name}: this link doesn't let it be changed"),
            });
        }
        self.assume("nothing stands against the features that are set".to_owned());
        self.want_feature(at, name, on)
    }

    pub(super) fn want_feature(
        &mut self,
        at: LinkId,
        name: &str,
        on: bool,
    ) -> Result<(), KernelError> {
        let mut features = self.features(at)?;
        let mut all = features.iter_mut();
        if let Some(feature) = all.find(|feature| feature.name == name && feature.changeable) {
            (feature.on, feature.wanted) = (on, on);
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.features = Some(features));
        Ok(())
    }

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

    pub(super) fn change_wireguard(
        &mut self,
        at: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError> {
        let mut state = self.wireguard(at)?;
        match change {
            WireguardChange::PrivateKey(_) => {
                state.public_key = None;
                self.assume(
                    "secrets that are there hold keys; they aren't read, so the public keys that \
                     belong to them aren't known"
                        .to_owned(),
                );
            }
            WireguardChange::ListenPort(port) => state.listen_port = *port,
            WireguardChange::SetPeer(peer) => set_peer(&mut state.peers, peer),
            WireguardChange::RemovePeer(key) => state.peers.retain(|it| it.public_key != *key),
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.wireguard = Some(state));
        Ok(())
    }

    /// Nobody is told anything; what the real kernel would need is looked for.
    pub(super) fn announce(&mut self, at: LinkId, address: IpAddr) -> Result<(), KernelError> {
        let (_, link) = self.find(at)?;
        announce::sender(&self.state(link))?;
        let mut addresses = link.addresses.iter();
        if !addresses.any(|own| own.new.address.addr() == address) {
            let text = format!(
                "{address} is no address of {}: add it first",
                link.state.name
            );
            return Err(KernelError::NotFound(text));
        }
        Ok(())
    }
}

/// What a new port of a bridge has (`nbp_vlan_init`).
fn new_vlans() -> Vec<PortVlans> {
    let first = VlanNumbers::new(1, 1).into_iter();
    let vlans = first.map(|numbers| PortVlans {
        numbers,
        pvid: true,
        untagged: true,
    });
    vlans.collect()
}

/// What is left of VLANs without some.
fn without(vlans: Vec<PortVlans>, gone: VlanNumbers) -> Vec<PortVlans> {
    let parts = vlans.into_iter().flat_map(|vlans| {
        let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
        let below = VlanNumbers::new(first, last.min(gone.first().saturating_sub(1)));
        let above = VlanNumbers::new(first.max(gone.last().saturating_add(1)), last);
        let parts = [below, above].into_iter().flatten();
        parts.map(move |numbers| PortVlans { numbers, ..vlans })
    });
    parts.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn vlans(first: u16, last: u16) -> PortVlans {
        PortVlans {
            numbers: VlanNumbers::new(first, last).unwrap(),
            pvid: false,
            untagged: false,
        }
    }

    #[test]
    fn some_vlans_are_taken_out_of_a_range() {
        let gone = |first, last| VlanNumbers::new(first, last).unwrap();
        let left = without(vec![vlans(2, 9)], gone(4, 5));
        assert_eq!(left, [vlans(2, 3), vlans(6, 9)]);
        assert_eq!(without(vec![vlans(2, 9)], gone(1, 4094)), []);
        assert_eq!(without(vec![vlans(2, 9)], gone(10, 11)), [vlans(2, 9)]);
        assert_eq!(without(vec![vlans(2, 2)], gone(1, 1)), [vlans(2, 2)]);
    }
}
