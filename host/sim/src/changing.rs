//! Changing, moving and removing links.

use kernel::{KernelError, LinkChange, LinkId, Links, NewLink, NewVeth};
use nix::errno::Errno;
use types::{LinkName, Namespace};

use super::Simulation;
use super::link::{Link, Number, Other};
use super::machine::Machine;

/// Kinds that stay in their namespace (`netns_immutable`).
const IMMOVABLE: [&str; 3] = ["bridge", "vrf", "bond"];

impl Links for Simulation {
    fn create_link(&mut self, new: &NewLink) -> Result<u32, KernelError> {
        self.in_time()?.create_link(new)
    }

    fn create_veth(&mut self, new: &NewVeth) -> Result<(u32, u32), KernelError> {
        self.in_time()?.create_veth(new)
    }

    fn move_link(
        &mut self,
        at: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        if IMMOVABLE.contains(&link.kind()) || link.state.name.as_str() == "lo" {
            return Err(Errno::EINVAL.into());
        }
        machine.check_free(to, name)?;
        let master = link.master;
        machine.strip(number);
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
            // `dev_shutdown`
            link.queues = Some(kernel::Queues::default());
            link.classes = Some(Vec::new());
            link.redirect = None;
        });
        machine.follow_ports_of(master);
        Ok(place.index)
    }

    fn delete_link(&mut self, at: LinkId) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        if link.kind.is_none() {
            // `rtnl_delete_link`: hardware and lo stay.
            return Err(Errno::EOPNOTSUPP.into());
        }
        machine.drop_link(number);
        Ok(())
    }

    fn change_link(&mut self, at: LinkId, change: &LinkChange) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        match change {
            LinkChange::Name(name) if *name == link.state.name => return Ok(()),
            LinkChange::Name(name) => {
                machine.check_free(at.namespace, name)?;
                let name = name.clone();
                machine.edit(number, |link| link.state.name = name);
            }
            LinkChange::Mac(mac) => machine.set_mac(number, *mac),
            LinkChange::Mtu(mtu) => machine.set_mtu(number, *mtu)?,
            LinkChange::Master(master) => {
                let master = match master {
                    Some(index) if *index > 0 => Some(
                        machine
                            .find(LinkId {
                                index: *index,
                                ..at
                            })?
                            .0,
                    ),
                    _ => None,
                };
                machine.set_master(number, master)?;
            }
            LinkChange::Up(true) => machine.set_up(number)?,
            LinkChange::Up(false) => machine.set_down(number),
            LinkChange::TxQueueLength(packets) => {
                let packets = *packets;
                machine.edit(number, |link| link.state.tx_queue_length = packets);
            }
            LinkChange::Promiscuous(on) => {
                let on = *on;
                machine.edit(number, |link| link.state.promiscuous = on);
            }
            LinkChange::AllMulticast(on) => {
                let on = *on;
                machine.edit(number, |link| link.state.all_multicast = on);
            }
            LinkChange::Alias(alias) => {
                let alias = alias.clone();
                machine.edit(number, |link| link.state.alias = alias);
            }
        }
        Ok(())
    }

    fn set_alternative_names(&mut self, at: LinkId, names: &[String]) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        machine.find_mut(at)?.alternative_names = Some(names.to_vec());
        Ok(())
    }
}

impl Machine {
    fn drop_link(&mut self, number: Number) {
        if !self.links.contains_key(&number) {
            return;
        }
        self.strip(number);
        let Some(link) = self.links.remove(&number) else {
            return;
        };
        self.give_back_mac(&link);
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

    /// Takes from a link what it can't keep where it goes.
    fn strip(&mut self, number: Number) {
        self.set_down(number);
        self.edit(number, |link| {
            link.addresses.clear();
            link.neighbours = Some(Vec::new());
        });
    }

    /// Changes something about a link.
    pub(super) fn edit(&mut self, number: Number, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.links.get_mut(&number) {
            change(link);
            link.is_changed = true;
        }
    }

    fn set_mtu(&mut self, number: Number, mtu: u32) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let below = match link.lower {
            Some(Other::Link(lower)) => self.links.get(&lower),
            _ => None,
        };
        if below.is_some_and(|below| mtu > below.state.mtu) {
            match link.kind() {
                // `macvlan_change_mtu`, `vlan_dev_change_mtu`
                "macvlan" | "macvtap" => return Err(Errno::EINVAL.into()),
                "vlan" => return Err(Errno::ERANGE.into()),
                _ => {}
            }
        }
        self.edit(number, |link| link.state.mtu = mtu);
        self.lower_mtu_above(number);
        let master = self.links.get(&number).and_then(|link| link.master);
        self.follow_ports_of(master);
        Ok(())
    }

    fn set_master(&mut self, number: Number, master: Option<Number>) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if link.master == master {
            return Ok(());
        }
        let kind = |number: Option<Number>| {
            let link = number.and_then(|number| self.links.get(&number));
            link.map(|link| link.kind().to_owned()).unwrap_or_default()
        };
        let (old, new) = (kind(link.master), kind(master));
        match new.as_str() {
            "" => {}
            "bridge" => {
                // `br_add_if`: others have taken what it receives.
                let mut above = self.links.values().filter(|other| other.lies_on(number));
                if above.any(|above| matches!(above.kind(), "macvlan" | "macvtap" | "ipvlan")) {
                    return Err(Errno::EBUSY.into());
                }
                if link.kind() == "bridge" {
                    return Err(Errno::ELOOP.into());
                }
            }
            "vrf" | "bond" | "team" => {}
            // `do_set_master`
            _ => return Err(Errno::EOPNOTSUPP.into()),
        }
        let (was_up, left) = (link.state.up, link.master);
        // `vrf_add_slave` and `vrf_del_slave` set it down and up.
        let cycles = was_up && [old.as_str(), new.as_str()].contains(&"vrf");
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
        self.follow_ports_of(left);
        self.follow_ports_of(master);
        if let Some(bridge) = master {
            self.assume_mac_of(bridge);
        }
        Ok(())
    }

    /// A bridge whose MAC address nobody has set takes that of a port
    /// (`br_stp_recalculate_bridge_id`); whether somebody has, the kernel doesn't
    /// tell.
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
        let namespace = link.at.namespace;
        self.edit(number, |link| link.state.up = true);
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
        let keeps = link.settings.get("ipv6/keep_addr_on_down");
        let keeps = keeps.is_some_and(|value| value != "0");
        self.edit(number, |link| {
            link.state.up = false;
            link.addresses
                .retain(|address| keeps || address.new.address.addr().is_ipv4());
            link.neighbours = Some(Vec::new());
        });
        self.forget_routes_of(at);
        self.set_down_above(number);
    }
}
