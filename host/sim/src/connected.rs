//! The routes that the kernel makes for the networks of addresses.

use ipnet::IpNet;
use kernel::{FoundRoute, KernelError, RouteScope, TableRoute};
use nix::errno::Errno;
use types::{Namespace, Route, RouteKind};

use super::link::{Address, Number};
use super::lookup::is_no_host;
use super::machine::{BY_KERNEL, Machine};

/// IP6_RT_PRIO_ADDRCONF (`ipv6_route.h`)
const IPV6_METRIC: u32 = 256;

impl Machine {
    /// Removes the route to an address's network (`fib_del_ifaddr`,
    /// `cleanup_prefix_route`).
    pub(super) fn withdraw(&mut self, number: Number, gone: &Address, table: u32) {
        let Some(link) = self.links.get(&number) else {
            return;
        };
        let at = link.at;
        let network = gone.new.address.trunc();
        let is_v4 = network.addr().is_ipv4();
        let mut others = link.addresses.iter();
        let is_needed = !is_v4 && others.any(|own| own.new.address.trunc() == network);
        if gone.new.no_prefix_route || gone.is_secondary || is_needed {
            return;
        }
        let routes = self.room_ref(at.namespace).routes.iter().enumerate();
        let is_it = |found: &FoundRoute| {
            let route = &found.route;
            let is_own = route.table == table
                && route.route.destination == network
                && route.link == Some(at.index)
                && route.route.gateway.is_none()
                && route.next_hops.is_empty();
            is_own
                && match is_v4 {
                    true => {
                        found.protocol == BY_KERNEL && route.source == Some(gone.new.address.addr())
                    }
                    // `addrconf_get_prefix_route` asks for no more.
                    false => route.route.kind == RouteKind::Unicast,
                }
        };
        let place = routes
            .filter(|(_, found)| is_it(found))
            .min_by_key(|(_, found)| found.route.route.metric)
            .map(|(place, _)| place);
        if let Some(place) = place {
            self.room(at.namespace).routes.remove(place);
        }
    }

    /// Gives the networks of a link's addresses the routes that the kernel makes
    /// while the link is up.
    pub(super) fn route_addresses(&mut self, number: Number) {
        let addresses = self.links.get(&number).map(|link| link.addresses.clone());
        for address in addresses.into_iter().flatten() {
            self.route_address(number, &address);
        }
    }

    /// The same for one of them (`fib_add_ifaddr`, `addrconf_prefix_route`).
    pub(super) fn route_address(&mut self, number: Number, address: &Address) {
        let Some(link) = self.links.get(&number).filter(|link| link.state.up) else {
            return;
        };
        let (at, table) = (link.at, self.table_of(link));
        let is_loopback = link.is_loopback() && is_local(address.new.address);
        if address.new.no_prefix_route || address.is_secondary {
            return;
        }
        if is_loopback {
            self.edit(number, |link| {
                let mut own = link.addresses.iter_mut();
                let it = own.find(|own| own.new.address == address.new.address);
                if let Some(it) = it {
                    it.has_network = true;
                }
            });
            return;
        }
        let Some(route) = connected(address.new.address, at.index, table) else {
            return;
        };
        // What is there already stays alone.
        let _ = match route.route.route.destination.addr().is_ipv4() {
            true => self.append4(at.namespace, route),
            false => self.insert6(at.namespace, route, false),
        };
    }

    /// A route of the kernel's own comes after others (NLM_F_APPEND of
    /// `fib_magic`).
    fn append4(&mut self, namespace: Namespace, found: FoundRoute) -> Result<(), KernelError> {
        let routes = &mut self.room(namespace).routes;
        match routes.contains(&found) {
            true => Err(Errno::EEXIST.into()),
            false => {
                routes.push(found);
                Ok(())
            }
        }
    }
}

/// Addresses of the loopback link whose networks have routes in the table of local
/// ones only (`fib_add_ifaddr`).
fn is_local(address: IpNet) -> bool {
    address.addr().is_ipv4()
}

/// The route to an address's network; a whole address has none in IPv4, nor has
/// one that no host can have.
fn connected(address: IpNet, index: u32, table: u32) -> Option<FoundRoute> {
    let is_v4 = address.addr().is_ipv4();
    // `fib_valid_prefsrc`
    let is_no_host = matches!(address, IpNet::V4(v4) if is_no_host(v4.addr()));
    if is_no_host || (is_v4 && address.prefix_len() == address.max_prefix_len()) {
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
