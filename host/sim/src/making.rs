//! Making links. What a kind has by itself is in its file (`kernel::kinds`).

use kernel::kinds::DefaultMac;
use kernel::{
    ETHERNET_MTU, KernelError, LinkId, LinkKind, LinkState, NewLink, NewVeth, ParentUse, VethEnd,
};
use nix::errno::Errno;
use types::{LinkName, Mac, Namespace};

use super::link::{Link, Number, Origin, Other};
use super::machine::Machine;

impl Machine {
    /// Makes a link.
    pub(super) fn create_link(&mut self, new: &NewLink) -> Result<u32, KernelError> {
        self.check_free(new.namespace, &new.name)?;
        let parent = match new.kind.parent() {
            Some(at) => Some(self.find(at)?.0),
            None => None,
        };
        self.check_parent(&new.kind, parent)?;
        self.assume_kind(new.kind.name());
        let parent_state = parent
            .and_then(|parent| self.links.get(&parent))
            .map(|parent| parent.state.clone());
        let at = self.place(new.namespace, None);
        let mut state = LinkState::new(new.name.clone(), at.index);
        state.mtu = match new.mtu {
            Some(mtu) if mtu > 0 => mtu,
            _ => {
                let below = parent_state.as_ref().map(|parent| parent.mtu);
                new.kind.default_mtu(below)
            }
        };
        state.tx_queue_length = new.kind.tx_queue_length();
        let (mac, is_assumed) = self.mac_of_new(new, parent_state.as_ref());
        state.mac = mac;
        let mut link = Link::new(Origin::Made, at, state);
        link.is_mac_assumed = is_assumed;
        link.is_mac_set = new.mac.is_some();
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
        self.ignore_advertisements(number)?;
        if let (Some(wanted @ ParentUse::Ipvlan(..)), Some(parent)) =
            (new.kind.parent_use(), parent)
        {
            self.share_ipvlan_mode(parent, wanted);
        }
        Ok(at.index)
    }

    /// Makes a pair.
    pub(super) fn create_veth(&mut self, new: &NewVeth) -> Result<(u32, u32), KernelError> {
        self.check_free(Namespace::Container, &new.container.name)?;
        self.check_free(Namespace::Host, &new.host.name)?;
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
        (self.add(link), at.index)
    }

    /// A name that nobody has.
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

    /// A place for one more link: with this index if it's free, or else after the
    /// last.
    pub(super) fn place(&self, namespace: Namespace, wished: Option<u32>) -> LinkId {
        let taken: Vec<u32> = self
            .links_of(namespace)
            .iter()
            .map(|link| link.at.index)
            .collect();
        let last = taken.last().copied().unwrap_or_default();
        let free = wished.filter(|index| !taken.contains(index));
        LinkId {
            namespace,
            index: free.unwrap_or(last.saturating_add(1)),
        }
    }

    /// Some links take what others have taken already (`netdev_rx_handler_register`).
    fn check_parent(&self, kind: &LinkKind, parent: Option<Number>) -> Result<(), KernelError> {
        let Some(parent) = parent else { return Ok(()) };
        let group = |kind: &str| match kind {
            "macvlan" | "macvtap" => Some("macvlan"),
            "ipvlan" | "ipvtap" => Some("ipvlan"),
            _ => None,
        };
        let Some(own) = group(kind.name()) else {
            return Ok(());
        };
        let is_port = self
            .links
            .get(&parent)
            .and_then(|parent| self.links.get(&parent.master?))
            .is_some_and(|master| matches!(master.kind(), "bridge" | "bond" | "team"));
        let children = self.links.values().filter(|link| link.lies_on(parent));
        let is_others = children
            .clone()
            .any(|child| group(child.kind()).is_some_and(|other| other != own));
        if is_port || is_others {
            return Err(Errno::EBUSY.into());
        }
        // `macvlan_common_newlink`: it's the only one.
        let takes_all = |child: &Link| child.parent_use == Some(ParentUse::Whole);
        let is_alone = is_passthru(kind);
        let mut rivals = children.filter(|child| group(child.kind()) == Some(own));
        if rivals.any(|rival| is_alone || takes_all(rival)) {
            return Err(Errno::EINVAL.into());
        }
        Ok(())
    }

    /// All ipvlan links on a parent have one mode (`ipvlan_set_port_mode`).
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

    /// The MAC address of a new link, and whether it's assumed.
    fn mac_of_new(&mut self, new: &NewLink, parent: Option<&LinkState>) -> (Option<Mac>, bool) {
        let default = new.kind.default_mac();
        if default == DefaultMac::None {
            return (None, false);
        }
        // `macvlan_common_newlink`: a passthru link has its parent's, whatever is
        // asked for.
        if let Some(mac) = new.mac.filter(|_| !is_passthru(&new.kind)) {
            return (Some(mac), false);
        }
        match parent.filter(|_| default == DefaultMac::OfParent) {
            Some(parent) => (parent.mac, false),
            None => (Some(self.choose_mac(new.namespace, &new.name)), true),
        }
    }

    /// An address that stands for the one that the kernel would choose.
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

/// Whether a macvlan link takes all that its parent gets, as if it were that
/// one.
fn is_passthru(kind: &LinkKind) -> bool {
    kind.parent_use() == Some(ParentUse::Whole)
}
