//! Changing, moving and removing links.

use kernel::{KernelError, LinkChange, LinkId, Links, NewLink, NewVeth};
use nix::errno::Errno;
use types::{LinkName, Namespace};

use super::Simulation;
use super::following::takes_all;
use super::limits::is_one_link;
use super::link::{Link, Number, Other};
use super::machine::Machine;

/// IFALIASZ (`if.h`) less the end of the text and one.
const MAX_ALIAS: usize = 254;
/// The kinds that can't leave their namespace (`netns_immutable`).
const IMMOVABLE: [&str; 3] = ["bridge", "vrf", "bond"];

impl Links for Simulation {
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        self.in_time()?.create_link(link)
    }

    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        self.in_time()?.create_veth(veth)
    }

    fn move_link(
        &mut self,
        at: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError> {
        let machine = &mut *self.in_time()?;
        machine.check_free(to, name)?;
        let (_, link) = machine.find(at)?;
        if IMMOVABLE.contains(&link.kind()) || link.is_loopback() {
            return Err(Errno::EINVAL.into());
        }
        let others = link.alternative_names.iter().flatten();
        let mut others = others.filter_map(|name| name.parse::<LinkName>().ok());
        // `dev_change_net_namespace`
        others.try_for_each(|name| machine.check_free(to, &name))?;
        let (number, link) = machine.find(at)?;
        let master = link.master;
        machine.strip(number);
        machine.forget_all_routes_of(at);
        let place = machine.place(to, Some(index.unwrap_or(at.index)));
        let name = name.clone();
        machine.edit(number, |link| {
            link.at = place;
            link.state.index = place.index;
            link.state.name = name;
            link.master = None;
            link.port = None;
            link.vlans = None;
            link.settings.clear();
            link.set_settings.clear();
            link.has_own_settings = false;
            link.has_ipv4 = true;
            // `dev_shutdown`
            link.queues = Some(kernel::Queues::default());
            link.classes = Some(Vec::new());
            link.redirect = None;
        });
        machine.begin_settings(number, &["ipv4/", "ipv6/"]);
        machine.drop_tunnels(number);
        if let Some(bridge) = master {
            machine.edit(bridge, |link| link.looks_at_ports = true);
        }
        machine.follow_ports_of(master);
        Ok(place.index)
    }

    fn delete_link(&mut self, at: LinkId) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        if link.kind.is_none() {
            // `rtnl_delete_link`: hardware and lo stay. What they listened to was
            // ended before.
            machine.edit(number, |link| {
                (link.state.promiscuous, link.state.all_multicast) = (false, false);
            });
            return Err(Errno::EOPNOTSUPP.into());
        }
        machine.drop_link(number);
        Ok(())
    }

    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError> {
        self.in_time()?.change_link(link, change)
    }

    fn set_alternative_names(&mut self, at: LinkId, names: &[String]) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let own = machine.identified(at)?.alternative_names;
        let links = machine.links_of(at.namespace);
        let is_free =
            |name: &&String| own.contains(name) || !links.iter().any(|link| link.is_called(name));
        let names = names.iter().filter(is_free).cloned().collect();
        machine.find_mut(at)?.alternative_names = Some(names);
        Ok(())
    }
}

impl Machine {
    /// Changes a link.
    pub(super) fn change_link(
        &mut self,
        at: LinkId,
        change: &LinkChange,
    ) -> Result<(), KernelError> {
        // `ifla_policy`, which is looked at before the link: with its end the text
        // is less than IFALIASZ.
        if let LinkChange::Alias(Some(alias)) = change
            && alias.len() > MAX_ALIAS
        {
            return Err(Errno::ERANGE.into());
        }
        let (number, link) = self.find(at)?;
        match change {
            LinkChange::Name(name) if *name == link.state.name => return Ok(()),
            LinkChange::Name(name) => {
                self.check_free(at.namespace, name)?;
                let name = name.clone();
                self.edit(number, |link| link.state.name = name);
            }
            LinkChange::Mac(mac) => {
                self.check_mac(number, *mac)?;
                self.set_mac(number, *mac);
            }
            LinkChange::Mtu(mtu) => self.set_mtu(number, *mtu)?,
            LinkChange::Master(master) => {
                let master = match master {
                    Some(index) if *index > 0 => Some(LinkId {
                        index: *index,
                        ..at
                    }),
                    _ => None,
                };
                self.set_master(number, master)?;
            }
            LinkChange::Up(true) => self.set_up(number)?,
            LinkChange::Up(false) => self.set_down(number),
            LinkChange::TxQueueLength(packets) => {
                let packets = *packets;
                self.edit(number, |link| {
                    link.state.tx_queue_length = packets;
                    link.is_queue_length_set = true;
                });
            }
            LinkChange::Promiscuous(on) => {
                let on = *on;
                self.edit(number, |link| link.state.promiscuous = on);
            }
            LinkChange::AllMulticast(on) => {
                let on = *on;
                self.edit(number, |link| link.state.all_multicast = on);
            }
            LinkChange::Alias(alias) => {
                let alias = alias.clone().filter(|alias| !alias.is_empty());
                self.edit(number, |link| link.state.alias = alias);
            }
            // `rtnl_changelink`: the message names the kind.
            LinkChange::VlanFiltering(_) if link.kind() != "bridge" => {
                return Err(Errno::EOPNOTSUPP.into());
            }
            LinkChange::VlanFiltering(on) => {
                let on = *on;
                self.edit(number, |link| link.vlan_filtering = Some(on));
            }
        }
        self.note_live_bridges();
        Ok(())
    }

    /// Tunnels go with their link, wherever that goes
    /// (`vxlan_handle_lowerdev_unregister`).
    fn drop_tunnels(&mut self, lower: Number) {
        let tunnels = self.links.iter();
        let tunnels = tunnels.filter(|(_, link)| link.lies_on(lower) && link.kind() == "vxlan");
        let tunnels: Vec<Number> = tunnels.map(|(number, _)| *number).collect();
        for tunnel in tunnels {
            self.drop_link(tunnel);
        }
    }

    pub(super) fn drop_link(&mut self, number: Number) {
        if !self.links.contains_key(&number) {
            return;
        }
        self.strip(number);
        if let Some(at) = self.links.get(&number).map(|link| link.at) {
            self.forget_all_routes_of(at);
        }
        let Some(link) = self.links.remove(&number) else {
            return;
        };
        self.give_back_mac(&link);
        if let Some(bridge) = link.master {
            self.edit(bridge, |link| link.looks_at_ports = true);
        }
        self.follow_ports_of(link.master);
        if let Some(Other::Link(end)) = link.pair {
            self.drop_link(end);
        }
        let above: Vec<Number> = self
            .links
            .iter()
            .filter(|(_, other)| other.lies_on(number))
            .map(|(above, _)| *above)
            .collect();
        for above in above {
            self.drop_link(above);
        }
        for port in self.links.values_mut() {
            if port.master == Some(number) {
                port.master = None;
                port.port = None;
                port.vlans = None;
            }
        }
    }

    /// Removes the properties of a link that it can't keep in another
    /// namespace.
    fn strip(&mut self, number: Number) {
        self.set_down(number);
        self.edit(number, |link| {
            link.addresses.clear();
            link.neighbours = Some(Vec::new());
        });
    }

    /// Changes a link.
    pub(super) fn edit(&mut self, number: Number, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.links.get_mut(&number) {
            change(link);
            link.is_changed = true;
        }
    }

    fn set_mtu(&mut self, number: Number, mtu: u32) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if link.state.mtu == mtu {
            return Ok(());
        }
        self.check_mtu(number, mtu)?;
        let before = link.state.mtu;
        self.edit(number, |link| {
            link.state.mtu = mtu;
            // `br_change_mtu`: the bridge's is nobody else's business now.
            link.follows.0 = false;
        });
        self.fit_families(number, before);
        self.lower_mtu_above(number);
        let master = self.links.get(&number).and_then(|link| link.master);
        self.follow_ports_of(master);
        Ok(())
    }

    /// `do_set_master`: the link leaves its old master first, whatever comes.
    fn set_master(&mut self, number: Number, master: Option<LinkId>) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let old = link.master.and_then(|old| self.links.get(&old));
        if old.map(|old| old.at) == master {
            return Ok(());
        }
        if old.is_some() {
            self.join(number, None)?;
        }
        let Some(at) = master else { return Ok(()) };
        let (master, _) = self.find(at).map_err(|_| Errno::EINVAL)?;
        self.check_port(number, master)?;
        self.join(number, Some(master))
    }

    /// Whether a link can be a port of another one.
    fn check_port(&self, number: Number, master: Number) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let kind = self.links.get(&master).map(Link::kind);
        match kind.unwrap_or_default() {
            // `br_add_if`
            "bridge" => {
                let mac = link.state.mac;
                if link.is_loopback() || !mac.is_some_and(is_one_link) {
                    return Err(Errno::EINVAL.into());
                }
                if link.kind() == "bridge" {
                    return Err(Errno::ELOOP.into());
                }
                // They let nobody have what they receive (IFF_NO_RX_HANDLER).
                if matches!(link.kind(), "ipvlan" | "vrf") {
                    return Err(Errno::EINVAL.into());
                }
                // `netdev_rx_handler_register`: others have taken what it receives.
                let mut above = self.links.values().filter(|other| other.lies_on(number));
                if above.any(|above| matches!(above.kind(), "macvlan" | "macvtap" | "ipvlan")) {
                    return Err(Errno::EBUSY.into());
                }
                // `__netdev_upper_dev_link`: a bridge is no port of what lies on it.
                match self.is_above(number, master) {
                    true => Err(Errno::EBUSY.into()),
                    false => Ok(()),
                }
            }
            "vrf" | "bond" | "team" => Ok(()),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// Whether a link lies on another one, or has it as a port, by however many
    /// links.
    fn is_above(&self, upper: Number, lower: Number) -> bool {
        let mut next: Vec<Number> = vec![lower];
        let mut seen = Vec::new();
        while let Some(number) = next.pop() {
            if seen.contains(&number) {
                continue;
            }
            seen.push(number);
            let above = self.links.iter().filter(|(_, link)| link.lies_on(number));
            next.extend(above.map(|(above, _)| *above));
            next.extend(self.links.get(&number).and_then(|link| link.master));
        }
        lower != upper && seen.contains(&upper)
    }

    fn join(&mut self, number: Number, master: Option<Number>) -> Result<(), KernelError> {
        let kind = |number: Option<Number>| {
            let link = number.and_then(|number| self.links.get(&number));
            link.map(|link| link.kind().to_owned()).unwrap_or_default()
        };
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let (was_up, left) = (link.state.up, link.master);
        // `vrf_add_slave` and `vrf_del_slave` set the link down and up.
        let cycles = was_up && [kind(left), kind(master)].contains(&"vrf".to_owned());
        if cycles {
            self.set_down(number);
        }
        self.edit(number, |link| {
            link.master = master;
            link.port = None;
            link.vlans = None;
        });
        if cycles {
            self.set_up(number)?;
        }
        if let Some(bridge) = left {
            self.edit(bridge, |link| link.looks_at_ports = true);
        }
        self.follow_ports_of(left);
        self.follow_ports_of(master);
        if let Some(bridge) = master {
            self.assume_mac_of(bridge);
        }
        Ok(())
    }

    /// Assumes that a bridge keeps its MAC address. If nobody has set that, the
    /// bridge takes the address of a port (`br_stp_recalculate_bridge_id`), but
    /// the kernel doesn't report whether somebody has.
    fn assume_mac_of(&mut self, bridge: Number) {
        let Some(link) = self.links.get_mut(&bridge) else {
            return;
        };
        if link.kind() != "bridge" || link.is_mac_set || link.is_mac_assumed {
            return;
        }
        link.is_mac_assumed = true;
        let name = format!("{}:{}", link.at.namespace, link.state.name);
        self.assume(format!(
            "{name} keeps its MAC address, which is another one if its ports decide on it"
        ));
    }

    pub(super) fn set_up(&mut self, number: Number) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if link.state.up {
            return Ok(());
        }
        let below = match link.lower {
            Some(Other::Link(lower)) => self.links.get(&lower),
            _ => None,
        };
        // `vlan_dev_open`
        if link.kind() == "vlan" && below.is_some_and(|below| !below.state.up) {
            return Err(Errno::ENETDOWN.into());
        }
        // `dev_validate_addr` has no link up without an address of its own;
        // `macvlan_open` none with another one's.
        if let (Some(Other::Link(lower)), Some(mac)) = (link.lower, link.state.mac)
            && matches!(link.kind(), "macvlan" | "macvtap")
            && !takes_all(link)
        {
            self.check_free_mac(lower, mac)?;
        }
        let namespace = link.at.namespace;
        self.edit(number, |link| link.state.up = true);
        self.address_loopback(number);
        if self.may_have_ipv6(number)? {
            self.assume(format!(
                "link-local addresses that the kernel gives links in the {namespace}'s namespace \
                 are left out"
            ));
        }
        self.route_addresses(number);
        self.set_up_above(number)
    }

    pub(super) fn set_down(&mut self, number: Number) {
        let Some(link) = self.links.get(&number) else {
            return;
        };
        if !link.state.up {
            return;
        }
        let at = link.at;
        let keeps = self.keeps_addresses(number);
        self.edit(number, |link| {
            link.state.up = false;
            link.addresses.retain(|address| {
                let is_kept =
                    keeps && !address.link_scope && !address.new.address.addr().is_loopback();
                address.new.address.addr().is_ipv4() || is_kept
            });
            link.neighbours = Some(Vec::new());
        });
        self.forget_routes_of(at);
        self.forget_lost_sources(at.namespace);
        self.set_down_above(number);
    }
}
