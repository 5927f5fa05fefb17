//! Addresses, and what is noted of a link for putting it back.

use ipnet::IpNet;
use kernel::Saved;
use kernel::{
    AddressState, FoundRoute, KernelError, LinkId, LinkSnapshot, NewAddress, RouteScope, TableRoute,
};
use nix::errno::Errno;
use types::{Namespace, Route, RouteKind};

use super::link::{Address, Number};
use super::machine::{BY_KERNEL, Machine};

/// IP6_RT_PRIO_ADDRCONF (`ipv6_route.h`)
const IPV6_METRIC: u32 = 256;

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

    pub(super) fn all_addresses(
        &self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let mut all = Vec::new();
        for link in self.links_of(namespace) {
            let its = self.addresses(link.at)?.into_iter();
            all.extend(its.map(|address| (link.at.index, address)));
        }
        Ok(all)
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

    pub(super) fn remove_address(&mut self, at: LinkId, address: IpNet) -> Result<(), KernelError> {
        let (number, link) = self.find(at)?;
        let mut own = link.addresses.iter();
        if !own.any(|own| own.new.address == address) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        self.edit(number, |link| {
            link.addresses.retain(|own| own.new.address != address);
        });
        let network = address.trunc();
        let mut rest = self.find(at)?.1.addresses.iter();
        if !rest.any(|own| own.new.address.trunc() == network) {
            let room = self.room(at.namespace);
            room.routes.retain(|found| {
                found.protocol != BY_KERNEL
                    || found.route.link != Some(at.index)
                    || found.route.route.destination != network
            });
        }
        // `fib_del_ifaddr`: routes from an address go with the last link that has it.
        let mut links = self.links_of(at.namespace).into_iter();
        let is_still_there = links.any(|link| {
            let mut own = link.addresses.iter();
            own.any(|own| own.new.address.addr() == address.addr())
        });
        if !is_still_there {
            let room = self.room(at.namespace);
            room.routes
                .retain(|found| found.route.source != Some(address.addr()));
        }
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

    /// Notes all that a link has.
    pub(super) fn snapshot(&mut self, at: LinkId) -> Result<LinkSnapshot, KernelError> {
        let neighbours = self.set_neighbours(at)?;
        let settings = self.settings_of(at)?;
        let (_, link) = self.find(at)?;
        let addresses: Vec<NewAddress> = link
            .addresses
            .iter()
            .filter(|address| !address.link_scope)
            .map(|address| address.new)
            .collect();
        let mut routes: Vec<FoundRoute> = self
            .room_ref(at.namespace)
            .routes
            .iter()
            .filter(|found| found.protocol != BY_KERNEL && found.route.links().contains(&at.index))
            .cloned()
            .collect();
        routes.sort_by_key(|found| found.route.route.gateway.is_some());
        Ok(Saved::snapshot(
            at,
            settings,
            &addresses,
            &routes,
            &neighbours,
        ))
    }

    /// Notes the neighbours of a link.
    pub(super) fn snapshot_neighbours(&mut self, at: LinkId) -> Result<LinkSnapshot, KernelError> {
        let neighbours = self.set_neighbours(at)?;
        let settings = std::collections::BTreeMap::new();
        Ok(Saved::snapshot(at, settings, &[], &[], &neighbours))
    }

    /// Gives a link what was noted.
    pub(super) fn replay(
        &mut self,
        at: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError> {
        for address in Saved::read_addresses(snapshot)? {
            unless_there(self.add_address(at, &address))?;
        }
        for mut found in Saved::read_snapshot_routes(snapshot)? {
            renumber(&mut found.route, before, at.index);
            unless_there(self.put_route(at.namespace, found))?;
        }
        for saved in snapshot.neighbours() {
            self.put_back_neighbour(at, saved)?;
        }
        Ok(())
    }
}

/// What is there already needn't be put back.
pub(super) fn unless_there(result: Result<(), KernelError>) -> Result<(), KernelError> {
    match result {
        Err(error) if error.is_taken() => Ok(()),
        result => result,
    }
}

/// Addresses of the loopback link whose networks have routes in the table of local
/// ones only (`fib_add_ifaddr`, `init_loopback`).
fn is_local(address: IpNet) -> bool {
    address.addr().is_ipv4() || address.addr().is_loopback()
}

fn renumber(route: &mut TableRoute, before: u32, now: u32) {
    let other = |index: &mut Option<u32>| {
        if *index == Some(before) {
            *index = Some(now);
        }
    };
    other(&mut route.link);
    route
        .next_hops
        .iter_mut()
        .for_each(|hop| other(&mut hop.link));
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
