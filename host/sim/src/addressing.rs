//! Addresses, and what is noted of a link for putting it back.

use ipnet::IpNet;
use kernel::{
    AddressState, Addresses, AddressesRead, FoundRoute, KernelError, LinkId, NewAddress,
    RouteScope, TableRoute,
};
use nix::errno::Errno;
use types::{Namespace, Route, RouteKind};

use super::Simulation;
use super::link::{Address, Number};
use super::machine::{BY_KERNEL, Machine};

/// IP6_RT_PRIO_ADDRCONF (`ipv6_route.h`)
const IPV6_METRIC: u32 = 256;

impl AddressesRead for Simulation {
    fn all_addresses(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let machine = &mut *self.in_time()?;
        let mut all = Vec::new();
        for link in machine.links_of(namespace) {
            let its = machine.addresses(link.at)?.into_iter();
            all.extend(its.map(|address| (link.at.index, address)));
        }
        Ok(all)
    }

    fn addresses(&mut self, at: LinkId) -> Result<Vec<AddressState>, KernelError> {
        self.in_time()?.addresses(at)
    }
}

impl Addresses for Simulation {
    fn add_address(&mut self, link: LinkId, address: &NewAddress) -> Result<(), KernelError> {
        self.in_time()?.add_address(link, address)
    }

    fn remove_address(&mut self, at: LinkId, address: IpNet) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        let mut own = link.addresses.iter();
        if !own.any(|own| own.new.address == address) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        machine.edit(number, |link| {
            link.addresses.retain(|own| own.new.address != address);
        });
        let network = address.trunc();
        let mut rest = machine.find(at)?.1.addresses.iter();
        if !rest.any(|own| own.new.address.trunc() == network) {
            let room = machine.room(at.namespace);
            room.routes.retain(|found| {
                found.protocol != BY_KERNEL
                    || found.route.link != Some(at.index)
                    || found.route.route.destination != network
            });
        }
        // `fib_del_ifaddr`: routes from an address go with the last link that has it.
        let mut links = machine.links_of(at.namespace).into_iter();
        let is_still_there = links.any(|link| {
            let mut own = link.addresses.iter();
            own.any(|own| own.new.address.addr() == address.addr())
        });
        if !is_still_there {
            let room = machine.room(at.namespace);
            room.routes
                .retain(|found| found.route.source != Some(address.addr()));
        }
        machine.route_addresses(number);
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
        let (number, link) = self.find(at)?;
        let is_v6 = new.address.addr().is_ipv6();
        let mut own = link.addresses.iter();
        // IPv6 has an address once, whatever its prefix length
        // (`ipv6_add_addr_hash`).
        let is_there = own.any(|own| match is_v6 {
            true => own.new.address.addr() == new.address.addr(),
            false => own.new.address == new.address,
        });
        if is_there {
            return Err(Errno::EEXIST.into());
        }
        if is_v6 && !self.may_have_ipv6(number)? {
            return Err(Errno::EACCES.into());
        }
        if is_v6 && !new.no_dad {
            self.assume("nobody else has the IPv6 addresses that are added".to_owned());
        }
        let new = *new;
        self.edit(number, |link| {
            link.addresses.push(Address {
                new,
                link_scope: false,
                tentative: false,
                dad_failed: false,
            });
        });
        self.route_addresses(number);
        Ok(())
    }

    /// Gives the networks of a link's addresses the routes that the kernel makes
    /// while the link is up.
    pub(super) fn route_addresses(&mut self, number: Number) {
        let Some(link) = self.links.get(&number).filter(|link| link.state.up) else {
            return;
        };
        let (at, table) = (link.at, self.table_of(link));
        let is_loopback = link.state.name.as_str() == "lo";
        let wanted: Vec<FoundRoute> = link
            .addresses
            .iter()
            .filter(|address| !address.new.no_prefix_route && !address.link_scope)
            .filter(|address| !(is_loopback && is_local(address.new.address)))
            .filter_map(|address| connected(address.new.address, at.index, table))
            .collect();
        let room = self.room(at.namespace);
        for route in wanted {
            let is_there = room.routes.iter().any(|found| {
                found.protocol == BY_KERNEL
                    && found.route.link == Some(at.index)
                    && found.route.table == table
                    && found.route.route.destination == route.route.route.destination
            });
            if !is_there {
                room.routes.push(route);
            }
        }
    }
}

/// Addresses of the loopback link whose networks have routes in the table of local
/// ones only (`fib_add_ifaddr`, `init_loopback`).
fn is_local(address: IpNet) -> bool {
    address.addr().is_ipv4() || address.addr().is_loopback()
}

/// The route to an address's network; a whole address has none in IPv4.
fn connected(address: IpNet, index: u32, table: u32) -> Option<FoundRoute> {
    let is_v4 = address.addr().is_ipv4();
    if is_v4 && address.prefix_len() == address.max_prefix_len() {
        return None;
    }
    Some(FoundRoute {
        route: TableRoute {
            route: Route {
                destination: address.trunc(),
                gateway: None,
                metric: Some(if is_v4 { 0 } else { IPV6_METRIC }),
                kind: RouteKind::Unicast,
            },
            table,
            scope: is_v4.then_some(RouteScope::Link),
            source: is_v4.then_some(address.addr()),
            link: Some(index),
            on_link: false,
            next_hops: Vec::new(),
        },
        protocol: BY_KERNEL,
    })
}
