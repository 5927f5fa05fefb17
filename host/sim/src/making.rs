//! Making links. The defaults of each kind are in its file (`kernel::kinds`).

use std::net::IpAddr;

use kernel::kinds::{DefaultMac, Vlan, Vxlan};
use kernel::{
    ETHERNET_MTU, KernelError, LinkChange, LinkId, LinkKind, LinkState, NewLink, NewVeth,
    ParentUse, VethEnd,
};
use nix::errno::Errno;
use types::{LinkName, Mac, Namespace};

use super::limits::{is_one_link, mtus};
use super::link::{Link, Number, Origin, Other};
use super::machine::Machine;

impl Machine {
    /// Makes a link.
    pub(super) fn create_link(&mut self, new: &NewLink) -> Result<u32, KernelError> {
        self.check_new(new)?;
        let parent = match new.kind.parent() {
            Some(at) => Some(self.parent_of_new(&new.kind, at)?),
            None => None,
        };
        self.check_parent(new, parent)?;
        self.assume_kind(new.kind.name());
        let parent_state = parent
            .and_then(|parent| self.links.get(&parent))
            .map(|parent| parent.state.clone());
        let at = self.place(new.namespace, None);
        let mut state = LinkState::new(new.name.clone(), at.index);
        let below = parent_state.as_ref().map(|parent| parent.mtu);
        let own = new.kind.default_mtu(below);
        let is_tap = matches!(new.kind, LinkKind::Tap(_));
        state.mtu = match (new.mtu.filter(|mtu| *mtu > 0 && !is_tap), &new.kind) {
            // `vxlan_config_apply`
            (Some(mtu), LinkKind::Vxlan(vxlan)) if vxlan.parent.is_some() => mtu.min(own),
            (mtu, _) => mtu.unwrap_or(own),
        };
        state.tx_queue_length = new.kind.tx_queue_length();
        let (mac, is_assumed) = self.mac_of_new(new, parent_state.as_ref());
        state.mac = mac;
        // `register_netdevice`: an address that isn't marked as chosen or taken over is
        // the permanent one.
        if matches!(new.kind, LinkKind::Ipvlan(_)) {
            state.permanent_mac = mac;
        }
        let mut link = Link::new(Origin::Made, at, state);
        link.is_mac_assumed = is_assumed;
        link.is_mac_set = new.mac.is_some();
        link.follows = (new.small_mtu_of_bridge().is_none(), new.mac.is_none());
        // `br_stp_change_bridge_id`
        link.looks_at_ports = new.mac.is_some();
        link.kind = Some(new.kind.name().to_owned());
        link.lower = parent.map(Other::Link);
        link.parent_use = new.kind.parent_use();
        link.vlan_filtering = new.kind.vlan_filtering();
        link.table = new.kind.table();
        if is_passthru(&new.kind) {
            link.mac_below = parent_state.and_then(|parent| parent.mac);
        }
        link.made_as = Some(new.kind.clone());
        let number = self.add(link);
        self.begin_settings(number, &["ipv4/", "ipv6/"]);
        if let LinkKind::Tap(_) = new.kind
            && let Err(error) = self.dress_tap(at, new)
        {
            self.drop_link(number);
            return Err(error);
        }
        self.ignore_advertisements(number)?;
        if let (Some(wanted @ ParentUse::Ipvlan(..)), Some(parent)) =
            (new.kind.parent_use(), parent)
        {
            self.share_ipvlan_mode(parent, wanted);
        }
        Ok(at.index)
    }

    /// Gives a tap, which has been made, what was asked for.
    fn dress_tap(&mut self, at: LinkId, new: &NewLink) -> Result<(), KernelError> {
        let mac = new.mac.map(LinkChange::Mac);
        let mtu = new.mtu.filter(|mtu| *mtu > 0).map(LinkChange::Mtu);
        let mut changes = [mac, mtu].into_iter().flatten();
        changes.try_for_each(|change| self.change_link(at, &change))
    }

    /// What is looked at before the parent (`rtnl_newlink`, `vxlan_validate`,
    /// `vxlan_config_validate`).
    fn check_new(&self, new: &NewLink) -> Result<(), KernelError> {
        if let LinkKind::Tap(_) = new.kind {
            return match self.by_name(new.namespace, &new.name) {
                // `tun_set_iff`
                Some(_) => Err(Errno::EBUSY.into()),
                None => Ok(()),
            };
        }
        // Ipvlan links have their parent's, whatever is asked for.
        let validates = !matches!(new.kind, LinkKind::Wireguard(_) | LinkKind::Ipvlan(_));
        if validates && new.mac.is_some_and(|mac| !is_one_link(mac)) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        if let LinkKind::Vxlan(_) = new.kind {
            check_new_mtu(new.kind.name(), new.mtu)?;
        }
        self.check_free(new.namespace, &new.name)?;
        check_new_mtu(new.kind.name(), new.mtu)?;
        match &new.kind {
            LinkKind::Vxlan(vxlan) => check_remote(vxlan),
            _ => Ok(()),
        }
    }

    /// The link below a new one: what lies on a macvlan link lies on that one's
    /// parent (`macvlan_common_newlink`, `ipvlan_link_new`).
    fn parent_of_new(&self, kind: &LinkKind, at: LinkId) -> Result<Number, KernelError> {
        let (number, link) = self.find(at)?;
        let is_alike = match kind.name() {
            "macvlan" | "macvtap" => matches!(link.kind(), "macvlan" | "macvtap"),
            "ipvlan" => link.kind() == "ipvlan",
            _ => false,
        };
        match link.lower {
            Some(Other::Link(lower)) if is_alike => Ok(lower),
            _ => Ok(number),
        }
    }

    /// Makes two veth links that are peers.
    pub(super) fn create_veth(&mut self, new: &NewVeth) -> Result<(u32, u32), KernelError> {
        let check_mac = |end: &VethEnd| match end.mac.is_none_or(is_one_link) {
            true => Ok(()),
            false => Err(Errno::EADDRNOTAVAIL),
        };
        // `veth_validate`, of the message and of the other end's in it
        check_mac(&new.host)?;
        check_new_mtu("veth", new.mtu)?;
        self.check_free(Namespace::Host, &new.host.name)?;
        check_mac(&new.container)?;
        self.check_free(Namespace::Container, &new.container.name)?;
        let mtu = new.mtu.filter(|mtu| *mtu > 0).unwrap_or(ETHERNET_MTU);
        let inside = self.add_end(Namespace::Container, &new.container, mtu);
        let outside = self.add_end(Namespace::Host, &new.host, mtu);
        self.ignore_advertisements(outside.0)?;
        for (end, other) in [(inside.0, outside.0), (outside.0, inside.0)] {
            if let Some(link) = self.links.get_mut(&end) {
                link.pair = Some(Other::Link(other));
            }
        }
        Ok((inside.1, outside.1))
    }

    fn add_end(&mut self, namespace: Namespace, end: &VethEnd, mtu: u32) -> (Number, u32) {
        let at = self.place(namespace, None);
        let mut state = LinkState::new(end.name.clone(), at.index);
        state.mtu = mtu;
        state.mac = Some(match end.mac {
            Some(mac) => mac,
            None => self.choose_mac(namespace, &end.name),
        });
        let mut link = Link::new(Origin::Made, at, state);
        link.is_mac_assumed = end.mac.is_none();
        link.kind = Some("veth".to_owned());
        let number = self.add(link);
        self.begin_settings(number, &["ipv4/", "ipv6/"]);
        (number, at.index)
    }

    /// Checks that no link has a name.
    pub(super) fn check_free(
        &self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<(), KernelError> {
        match self.by_name(namespace, name) {
            Some(_) => Err(Errno::EEXIST.into()),
            None => Ok(()),
        }
    }

    /// Returns the id for a new link: with the wished index if it's free, or
    /// else with the one after the last.
    pub(super) fn place(&mut self, namespace: Namespace, wished: Option<u32>) -> LinkId {
        let taken = |machine: &Self, index| machine.number(LinkId { namespace, index }).is_some();
        if let Some(index) = wished.filter(|index| !taken(self, *index)) {
            return LinkId { namespace, index };
        }
        let mut index = self.room(namespace).last_index.saturating_add(1);
        while taken(self, index) {
            index = index.saturating_add(1);
        }
        self.room(namespace).last_index = index;
        LinkId { namespace, index }
    }

    /// Checks that a link can have a parent. Only one kind of link can receive
    /// the parent's packets (`netdev_rx_handler_register`).
    fn check_parent(&self, new: &NewLink, parent: Option<Number>) -> Result<(), KernelError> {
        if let LinkKind::Vxlan(vxlan) = &new.kind {
            return self.check_vxlan(vxlan);
        }
        let Some(parent) = parent else { return Ok(()) };
        let kind = &new.kind;
        if let LinkKind::Vlan(vlan) = kind {
            return self.check_vlan(new, vlan, parent);
        }
        let group = |kind: &str| match kind {
            "macvlan" | "macvtap" => Some("macvlan"),
            "ipvlan" | "ipvtap" => Some("ipvlan"),
            _ => None,
        };
        let Some(own) = group(kind.name()) else {
            return Ok(());
        };
        let link = self.links.get(&parent).ok_or(Errno::ENODEV)?;
        let is_macvlan = own == "macvlan";
        let mtu = new.mtu.filter(|mtu| is_macvlan && *mtu > 0);
        // `macvlan_common_newlink`, `macvlan_port_create`, `ipvlan_port_create`
        let is_no_ethernet = link.is_loopback() || link.kind() == "wireguard";
        // They let nobody have what they receive (IFF_NO_RX_HANDLER).
        let is_alone = matches!(link.kind(), "ipvlan" | "vrf");
        if mtu.is_some_and(|mtu| mtu > link.state.mtu) || is_no_ethernet || is_alone {
            return Err(Errno::EINVAL.into());
        }
        let is_port = link
            .master
            .and_then(|master| self.links.get(&master))
            .is_some_and(|master| matches!(master.kind(), "bridge" | "bond" | "team"));
        let children = self.links.values().filter(|link| link.lies_on(parent));
        let is_others = children
            .clone()
            .any(|child| group(child.kind()).is_some_and(|other| other != own));
        if is_port || is_others {
            return Err(Errno::EBUSY.into());
        }
        // `macvlan_common_newlink`: a passthru link is the only one on its
        // parent.
        let takes_all = |child: &Link| child.parent_use == Some(ParentUse::Whole);
        let is_alone = is_passthru(kind);
        let mut rivals = children.filter(|child| group(child.kind()) == Some(own));
        if rivals.any(|rival| is_alone || takes_all(rival)) {
            return Err(Errno::EINVAL.into());
        }
        Ok(())
    }

    /// `vlan_newlink`
    fn check_vlan(&self, new: &NewLink, wanted: &Vlan, parent: Number) -> Result<(), KernelError> {
        let link = self.links.get(&parent).ok_or(Errno::ENODEV)?;
        if link.is_loopback() || matches!(link.kind(), "wireguard" | "vrf") {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let above = self.links.values().filter(|link| link.lies_on(parent));
        let mut vlans = above.filter_map(|link| match &link.made_as {
            Some(LinkKind::Vlan(vlan)) => Some(vlan),
            _ => None,
        });
        if vlans.any(|vlan| (vlan.id, vlan.protocol) == (wanted.id, wanted.protocol)) {
            return Err(Errno::EEXIST.into());
        }
        match new.mtu.is_some_and(|mtu| mtu > link.state.mtu) {
            true => Err(Errno::EINVAL.into()),
            false => Ok(()),
        }
    }

    /// `vxlan_config_validate`
    fn check_vxlan(&self, wanted: &Vxlan) -> Result<(), KernelError> {
        let is_v6 = |vxlan: &Vxlan| vxlan.remote.or(vxlan.local).is_some_and(|ip| ip.is_ipv6());
        let mut others = self.links.values().filter_map(|link| match &link.made_as {
            Some(LinkKind::Vxlan(vxlan)) => Some(vxlan),
            _ => None,
        });
        let is_same = |vxlan: &Vxlan| {
            (vxlan.id, vxlan.port, is_v6(vxlan)) == (wanted.id, wanted.port, is_v6(wanted))
        };
        match others.any(is_same) {
            true => Err(Errno::EEXIST.into()),
            false => Ok(()),
        }
    }

    /// Gives all ipvlan links on a parent the same mode
    /// (`ipvlan_set_port_mode`).
    fn share_ipvlan_mode(&mut self, parent: Number, wanted: ParentUse) {
        let links = self.links.values_mut();
        let links = links.filter(|link| link.lies_on(parent) && link.kind() == "ipvlan");
        for link in links.filter(|link| link.parent_use != Some(wanted)) {
            link.parent_use = Some(wanted);
            link.is_changed = true;
        }
    }

    fn assume_kind(&mut self, kind: &str) {
        if !self.links.values().any(|link| link.kind() == kind) {
            self.assume(format!("the kernel can make links of the kind {kind}"));
        }
    }

    /// Returns the MAC address of a new link, and whether it's assumed.
    fn mac_of_new(&mut self, new: &NewLink, parent: Option<&LinkState>) -> (Option<Mac>, bool) {
        let default = new.kind.default_mac();
        if default == DefaultMac::None {
            return (None, false);
        }
        // `macvlan_common_newlink`: a passthru link has its parent's address,
        // whatever the request is.
        let is_given = !is_passthru(&new.kind) && !matches!(new.kind, LinkKind::Tap(_));
        if let Some(mac) = new.mac.filter(|_| is_given) {
            return (Some(mac), false);
        }
        match parent.filter(|_| default == DefaultMac::OfParent) {
            Some(parent) => (parent.mac, false),
            None => (Some(self.choose_mac(new.namespace, &new.name)), true),
        }
    }

    /// Returns an address that stands for the one that the kernel would choose.
    fn choose_mac(&mut self, namespace: Namespace, name: &LinkName) -> Mac {
        self.macs = self.macs.wrapping_add(1);
        let mac = Mac::stand_in(self.macs);
        self.assume(format!(
            "{namespace}:{name} has the MAC address {mac}, which stands for the one that the \
             kernel would choose"
        ));
        mac
    }
}

/// Whether the other end of a tunnel can be one (`vxlan_config_validate`).
fn check_remote(vxlan: &Vxlan) -> Result<(), KernelError> {
    let is_link_local =
        matches!(vxlan.remote, Some(IpAddr::V6(remote)) if remote.is_unicast_link_local());
    let is_multicast = vxlan.remote.is_some_and(|remote| remote.is_multicast());
    match is_link_local || (is_multicast && vxlan.parent.is_none()) {
        true => Err(Errno::EINVAL.into()),
        false => Ok(()),
    }
}

/// What a link can have while it's being made (`rtnl_create_link`).
fn check_new_mtu(kind: &str, mtu: Option<u32>) -> Result<(), KernelError> {
    let (least, most) = mtus(kind);
    let is_within = |mtu: u32| {
        i32::try_from(mtu).is_ok() && mtu >= least && most.is_none_or(|most| mtu <= most)
    };
    match mtu.filter(|mtu| *mtu > 0).is_none_or(is_within) {
        true => Ok(()),
        false => Err(Errno::EINVAL.into()),
    }
}

/// Whether a kind takes over its parent, as a macvlan link in passthru mode
/// does.
fn is_passthru(kind: &LinkKind) -> bool {
    kind.parent_use() == Some(ParentUse::Whole)
}
