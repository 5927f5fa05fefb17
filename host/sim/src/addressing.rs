//! Addresses of links, and the routes that the kernel makes for them.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use kernel::{AddressState, Addresses, AddressesRead, KernelError, LinkId, NewAddress};
use nix::errno::Errno;
use types::{IpVersion, Namespace};

use super::Simulation;
use super::link::{Address, Number};
use super::machine::Machine;

impl AddressesRead for Simulation {
    fn all_addresses(
        &mut self,
        namespace: Namespace,
        version: IpVersion,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let machine = &mut *self.in_time()?;
        let mut all = Vec::new();
        for link in machine.links_of(namespace) {
            let its = machine.addresses(link.at)?.into_iter();
            let its = its.filter(|it| IpVersion::of(&it.address) == version);
            all.extend(its.map(|address| (link.at.index, address)));
        }
        Ok(all)
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        self.in_time()?.addresses(link)
    }
}

impl Addresses for Simulation {
    fn add_address(&mut self, link: LinkId, address: &NewAddress) -> Result<(), KernelError> {
        self.in_time()?.add_address(link, address)
    }

    fn remove_address(&mut self, at: LinkId, address: IpNet) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        match address {
            IpNet::V4(_) if !link.has_ipv4() => return Err(Errno::ENODEV.into()),
            // `inet6_addr_del`
            IpNet::V6(_) if !link.has_ipv6() => return Err(Errno::ENXIO.into()),
            _ => {}
        }
        let mut own = link.addresses.iter();
        let gone = own.find(|own| own.new.address == address).cloned();
        let gone = gone.ok_or(Errno::EADDRNOTAVAIL)?;
        let promotes = machine.promotes_secondaries(number)?;
        if address.addr().is_ipv4() && !gone.is_secondary && !promotes {
            machine.drop_secondaries(number, address);
        }
        machine.drop_address(number, address);
        if address.addr().is_ipv4() && !gone.is_secondary && promotes {
            machine.promote(number, address);
        }
        Ok(())
    }
}

impl Machine {
    pub(super) fn addresses(&self, at: LinkId) -> Result<Vec<AddressState>, KernelError> {
        let (_, link) = self.find(at)?;
        let states = link.addresses.iter().map(|address| AddressState {
            address: address.new.address,
            link_scope: address.link_scope,
            tentative: address.tentative,
            dad_failed: address.dad_failed,
        });
        Ok(states.collect())
    }

    pub(super) fn add_address(&mut self, at: LinkId, new: &NewAddress) -> Result<(), KernelError> {
        let (number, _) = self.find(at)?;
        let address = match new.address {
            IpNet::V4(_) => {
                // `rtm_to_ifaddr`
                self.edit(number, |link| link.has_own_settings |= link.has_ipv4());
                self.new_address4(number, *new, false)?
            }
            IpNet::V6(v6) => Some(self.new_address6(number, *new, v6.addr())?),
        };
        if let Some(address) = address {
            self.give_address(number, address);
        }
        Ok(())
    }

    /// `__inet_insert_ifa`; nothing becomes of the address 0.0.0.0.
    pub(super) fn new_address4(
        &self,
        number: Number,
        new: NewAddress,
        is_host: bool,
    ) -> Result<Option<Address>, KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if !link.has_ipv4() {
            // `rtm_to_ifaddr`
            return Err(Errno::ENOBUFS.into());
        }
        if new.address.addr().is_unspecified() {
            return Ok(None);
        }
        let mut own = link.addresses.iter().map(|own| own.new.address);
        if own.any(|own| own == new.address) {
            return Err(Errno::EEXIST.into());
        }
        self.check_ipvlan_address(number, new.address)?;
        let is_secondary = link.has_in_network(new.address);
        // The kernel's own address of the loopback link is for this namespace
        // only, and no other scope goes with it in its network.
        let mut alike = link.addresses.iter();
        let is_other = |own: &Address| {
            own.new.address.trunc() == new.address.trunc() && own.is_host != is_host
        };
        if alike.any(is_other) {
            return Err(Errno::EINVAL.into());
        }
        Ok(Some(Address {
            new,
            link_scope: false,
            tentative: false,
            dad_failed: false,
            is_secondary,
            is_host,
            has_network: false,
        }))
    }

    /// `inet6_addr_add`, `ipv6_add_addr`
    fn new_address6(
        &mut self,
        number: Number,
        new: NewAddress,
        address: Ipv6Addr,
    ) -> Result<Address, KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let (is_loopback, is_vrf) = (link.is_loopback(), link.kind() == "vrf");
        // A link has an IPv6 address once, whatever the prefix length is
        // (`ipv6_add_addr_hash`).
        let mut own = link.addresses.iter();
        let is_there = own.any(|own| own.new.address.addr() == IpAddr::from(address));
        if !link.has_ipv6() {
            return Err(Errno::EINVAL.into());
        }
        if is_there {
            return Err(Errno::EEXIST.into());
        }
        if !is_loopback && !self.may_have_ipv6(number)? {
            return Err(Errno::EACCES.into());
        }
        if address.is_unspecified()
            || address.is_multicast()
            || (address.is_loopback() && !is_loopback && !is_vrf)
        {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        if !self.may_have_ipv6(number)? {
            return Err(Errno::EACCES.into());
        }
        self.check_ipvlan_address(number, new.address)?;
        if !new.no_dad {
            self.assume("nobody else has the IPv6 addresses that are added".to_owned());
        }
        Ok(Address {
            new,
            link_scope: address.is_unicast_link_local(),
            tentative: false,
            dad_failed: false,
            is_secondary: false,
            is_host: false,
            has_network: false,
        })
    }

    /// Ipvlan links of one parent have no address twice
    /// (`ipvlan_addr4_validator_event`, `ipvlan_addr6_validator_event`).
    fn check_ipvlan_address(&self, number: Number, address: IpNet) -> Result<(), KernelError> {
        let link = self
            .links
            .get(&number)
            .filter(|link| link.kind() == "ipvlan");
        let Some(lower) = link.and_then(|link| link.lower) else {
            return Ok(());
        };
        let mut own = self
            .links
            .values()
            .filter(|link| link.kind() == "ipvlan" && link.lower == Some(lower))
            .flat_map(|link| &link.addresses);
        match own.any(|own| own.new.address.addr() == address.addr()) {
            true => Err(Errno::EADDRINUSE.into()),
            false => Ok(()),
        }
    }

    fn give_address(&mut self, number: Number, address: Address) {
        let route = address.clone();
        let at = self.links.get(&number).map(|link| link.at);
        if let Some(at) = at {
            let is_v4 = address.new.address.addr().is_ipv4();
            self.room(at.namespace).has_local_table |= is_v4;
        }
        self.edit(number, |link| link.addresses.push(address));
        self.route_address(number, &route);
    }

    /// Whether the next address of a network takes the place of its first
    /// (`IN_DEV_PROMOTE_SECONDARIES`).
    fn promotes_secondaries(&mut self, number: Number) -> Result<bool, KernelError> {
        let at = self.links.get(&number).ok_or(Errno::ENODEV)?.at;
        let own = self.read_of_link(number, "ipv4/promote_secondaries");
        let key = "net.ipv4.conf.all.promote_secondaries".parse();
        let key = key.map_err(|_| Errno::ENOENT)?;
        let all = self.setting(at.namespace, &key);
        let is_on = |value: Result<String, KernelError>| value.is_ok_and(|value| value != "0");
        Ok(is_on(own) || is_on(all))
    }

    /// The addresses of a network go with its first one (`__inet_del_ifa`).
    fn drop_secondaries(&mut self, number: Number, first: IpNet) {
        let own = self.links.get(&number).map(|link| &link.addresses);
        let secondaries = own
            .into_iter()
            .flatten()
            .filter(|own| own.is_secondary && own.new.address.trunc() == first.trunc());
        let secondaries: Vec<IpNet> = secondaries.map(|own| own.new.address).collect();
        for address in secondaries {
            self.drop_address(number, address);
        }
    }

    fn promote(&mut self, number: Number, gone: IpNet) {
        let mut next = None;
        self.edit(number, |link| {
            let mut own = link.addresses.iter_mut();
            let alike = own.find(|own| own.is_secondary && own.new.address.trunc() == gone.trunc());
            if let Some(address) = alike {
                address.is_secondary = false;
                next = Some(address.clone());
            }
        });
        if let Some(next) = next {
            self.route_address(number, &next);
        }
    }

    /// Removes an address with what the kernel made of it.
    fn drop_address(&mut self, number: Number, address: IpNet) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        let Some(place) = link
            .addresses
            .iter()
            .position(|own| own.new.address == address)
        else {
            return;
        };
        let gone = link.addresses.remove(place);
        link.is_changed = true;
        let at = link.at;
        let has_address = link
            .addresses
            .iter()
            .any(|own| own.new.address.addr() == address.addr());
        let has_ipv4 = link
            .addresses
            .iter()
            .any(|own| own.new.address.addr().is_ipv4());
        let table = self.table_at(at);
        self.withdraw(number, &gone, table);
        if !has_address {
            self.forget_source(at, address.addr(), table);
        }
        if address.addr().is_ipv4() && !has_ipv4 {
            // `fib_inetaddr_event`: IPv4 ends with the last address.
            self.forget_routes4(at, true);
            self.forget_neighbours(number, |neighbour| neighbour.address.is_ipv4());
        }
    }
}
