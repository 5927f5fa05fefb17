//! Clashes with the host, which no grant can allow.
//!
//! A driver must not cover addresses and networks that the host has without this
//! driver, or routes that somebody else added. The state of the host is read with a
//! permit, before the undo record is written. Objects that the driver made for any
//! container of the network count as own.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{
    AddressState, FoundRoute, KernelError, MAIN_TABLE, NewAddress, RESERVED_TABLES, TableRoute,
};
use nix::errno::Errno;
use types::{DEFAULT_METRIC, IpVersion, Namespace, Route};

use super::call::CallError;
use super::names::Names;
use super::own::{OfOthers, Own};
use super::{Gate, Kernel};

/// The links, addresses and routes of a namespace, with the driver's own.
pub(super) struct View<'a> {
    names: Names<'a>,
    addresses: Vec<(u32, AddressState)>,
    routes: Vec<FoundRoute>,
    own: Own,
}

impl<'a> View<'a> {
    /// Reads the host's addresses that these networks could have.
    pub(super) fn of_host(
        kernel: &'a mut dyn Kernel,
        networks: &[IpNet],
        own: Own,
    ) -> Result<Self, KernelError> {
        Ok(Self {
            addresses: addresses(kernel, Namespace::Host, networks)?,
            names: Names::of(kernel, Namespace::Host),
            routes: Vec::new(),
            own,
        })
    }

    /// Reads a namespace's addresses that these networks could have, and the routes of one
    /// table that could lead there.
    pub(super) fn with_routes(
        kernel: &'a mut dyn Kernel,
        namespace: Namespace,
        table: u32,
        networks: &[IpNet],
        own: Own,
    ) -> Result<Self, KernelError> {
        let mut routes = Vec::new();
        for version in versions(networks) {
            routes.extend(kernel.routes(namespace, table, version)?);
        }
        Ok(Self {
            addresses: addresses(kernel, namespace, networks)?,
            routes,
            names: Names::of(kernel, namespace),
            own,
        })
    }

    /// Checks an address for a link of the host. The link may not have the address with
    /// another prefix length. No other link may have the address or be connected to its
    /// network, and the address's prefix route must not cover a foreign route.
    pub(super) fn check_address(&self, link: u32, new: &NewAddress) -> Result<(), KernelError> {
        let is_longer_or_shorter = |index: u32, state: &AddressState| {
            let (there, new) = (state.address, new.address);
            let is_same = index == link && there.addr() == new.addr();
            is_same && there.prefix_len() != new.prefix_len()
        };
        if let Some((_, state)) = self.foreign_address(is_longer_or_shorter) {
            return Err(self.has_already(link, state));
        }
        let network = connected(new.address);
        let clashes =
            |index: u32, state: &AddressState| index != link && self.clashes(index, state, network);
        if let Some((index, state)) = self.foreign_address(clashes) {
            return Err(self.clash_with_network(*index, state));
        }
        if let Some(found) = self.route_from(link, new.address) {
            return Err(self.clash(&self.describe_source(found)));
        }
        let mut routes = self.routes.iter();
        let same = |found: &&FoundRoute| {
            let is_there = found.route.route.destination == network;
            is_there && !found.route.links().contains(&link) && !self.has_added(found)
        };
        match routes.find(same).filter(|_| !new.no_prefix_route) {
            Some(found) => Err(self.clash(&self.describe(found))),
            None => Ok(()),
        }
    }

    /// Checks that a foreign link doesn't connect the host to a subnet whose gateway the
    /// host is to be there. That is the host's own address already, or another machine.
    pub(super) fn check_gateway(&self, link: u32, subnet: IpNet) -> Result<(), KernelError> {
        let subnet = connected(subnet);
        let there = self
            .foreign_address(|index, state| index == link && self.clashes(index, state, subnet));
        match there {
            Some((index, state)) => Err(self.clash_with_network(*index, state)),
            None => Ok(()),
        }
    }

    /// Finds a route of another link from an IPv4 address. It would go with the
    /// address, whichever link still has that (`fib_sync_down_addr`).
    fn route_from(&self, link: u32, address: IpNet) -> Option<&FoundRoute> {
        let mut routes = self.routes.iter().filter(|_| address.addr().is_ipv4());
        routes.find(|found| {
            found.route.source == Some(address.addr()) && !found.route.links().contains(&link)
        })
    }

    /// Checks that a network contains no foreign address of the host, so that no
    /// packets of the host itself are affected.
    pub(super) fn check_packets(&self, network: IpNet) -> Result<(), KernelError> {
        match self.foreign_address(|_, state| network.contains(&state.address.addr())) {
            Some((index, state)) => Err(self.clash_with_address(network, *index, state)),
            None => Ok(()),
        }
    }

    /// Checks that the host isn't connected to any part of a network without this
    /// driver.
    pub(super) fn check_network(&self, network: IpNet) -> Result<(), KernelError> {
        self.check_packets(network)?;
        self.check_connected(network)
    }

    fn check_connected(&self, network: IpNet) -> Result<(), KernelError> {
        match self.foreign_address(|index, state| self.clashes(index, state, network)) {
            Some((index, state)) => Err(self.clash_with_network(*index, state)),
            None => Ok(()),
        }
    }

    /// Whether a network clashes with that of a foreign address.
    fn clashes(&self, index: u32, state: &AddressState, network: IpNet) -> bool {
        let is_apart = !network.contains(&state.address.addr());
        let is_part = is_apart && self.is_around(&[index], network_of(state), network);
        overlap(network_of(state), network) && !is_part
    }

    /// Whether the user put a network into another one, which these links lead to.
    fn is_around(&self, links: &[u32], other: IpNet, network: IpNet) -> bool {
        let Some(around) = &self.own.around else {
            return false;
        };
        let is_there = |index: &u32| self.names.get(*index).as_ref() == Some(&around.link);
        around.allows(network, other) && !links.is_empty() && links.iter().all(is_there)
    }

    /// Checks that the host doesn't have an address, not even by this driver.
    pub(super) fn check_peer(&self, address: IpAddr) -> Result<(), KernelError> {
        let mut addresses = self.addresses.iter();
        match addresses.find(|(_, state)| state.address.addr() == address) {
            Some((index, state)) => Err(self.clash_with_address(address.into(), *index, state)),
            None => Ok(()),
        }
    }

    /// Checks that a route of the host overlaps no network and no route that the host
    /// has without this driver.
    fn check_route(&self, route: &Route) -> Result<(), KernelError> {
        let destination = route.destination;
        let is_default = destination.prefix_len() == 0;
        if !is_default {
            self.check_connected(destination)?;
        }
        // Longer prefixes come before a default route, so both can exist. Only equal
        // default routes clash.
        let covers = |found: &&FoundRoute| match found.route.route.destination {
            other if other.prefix_len() == 0 || is_default => other == destination,
            other => {
                let is_part = self.is_around(&found.route.links(), other, destination);
                overlap(other, destination) && !is_part
            }
        };
        let mut routes = self.routes.iter().filter(covers);
        match routes.find(|found| !self.has_added(found)) {
            Some(found) => Err(self.clash(&self.describe(found))),
            None => Ok(()),
        }
    }

    /// Checks that the driver itself added the routes that a new one would replace.
    fn check_rivals(&self, wanted: &TableRoute) -> Result<(), KernelError> {
        let metric = Some(wanted.route.metric.unwrap_or(DEFAULT_METRIC));
        let is_rival = |found: &&FoundRoute| {
            let route = &found.route;
            let place = (route.table, route.route.destination, route.route.metric);
            place == (wanted.table, wanted.route.destination, metric)
        };
        let mut rivals = self.routes.iter().filter(is_rival);
        match rivals.find(|found| !self.has_added(found)) {
            Some(found) => Err(self.clash(&self.describe(found))),
            None => Ok(()),
        }
    }

    /// Finds an address that the namespace has without the driver. Whose an address is, is
    /// asked last, because that may take reading other containers' journals.
    fn foreign_address(
        &self,
        matches: impl Fn(u32, &AddressState) -> bool,
    ) -> Option<&(u32, AddressState)> {
        let mut addresses = self.addresses.iter();
        addresses.find(|(index, state)| {
            matches(*index, state)
                && !self.is_own(*index)
                && !self.own.has_address(*index, state.address)
        })
    }

    /// Whether the driver added a route, or all its links are the driver's.
    fn has_added(&self, found: &FoundRoute) -> bool {
        let links = found.route.links();
        let on_own_links = !links.is_empty() && links.iter().all(|index| self.is_own(*index));
        on_own_links || self.own.has_route(&found.route)
    }

    /// Whether a link is the driver's, according to its index and its name.
    fn is_own(&self, index: u32) -> bool {
        self.own.has_link(index, || self.names.get(index))
    }

    /// Returns the error for a clash, or for journals that can't be read. Then what looks
    /// foreign may be another container's.
    fn clash(&self, what: &str) -> KernelError {
        self.own.failure().unwrap_or_else(|| clash(what))
    }

    fn name(&self, index: u32) -> String {
        match self.names.get(index) {
            Some(name) => name.to_string(),
            None => format!("with the index {index}"),
        }
    }

    fn describe(&self, found: &FoundRoute) -> String {
        let links = found.route.links();
        let links: Vec<String> = links.iter().map(|index| self.name(*index)).collect();
        let through = match links.is_empty() {
            true => String::new(),
            false => format!(" through {}", links.join(", ")),
        };
        let route = &found.route.route;
        format!("there is the route {route}{through}, which isn't this driver's")
    }

    fn describe_source(&self, found: &FoundRoute) -> String {
        let route = &found.route.route;
        format!("the route {route} of another link is from this address, and would go with it")
    }

    fn has_already(&self, index: u32, state: &AddressState) -> KernelError {
        KernelError::Refused {
            errno: Errno::EEXIST,
            text: format!("{} has {} already", self.name(index), state.address),
        }
    }

    fn clash_with_network(&self, index: u32, state: &AddressState) -> KernelError {
        self.clash(&format!(
            "the host is connected to {} by its link {}, which has {}",
            network_of(state),
            self.name(index),
            state.address,
        ))
    }

    fn clash_with_address(&self, network: IpNet, index: u32, state: &AddressState) -> KernelError {
        let address = state.address;
        let link = self.name(index);
        self.clash(&match IpNet::from(address.addr()) == network {
            true => format!("the host itself has {address} on its link {link}"),
            false => format!("{network} has the host's own {address} of its link {link}"),
        })
    }
}

/// Returns the network that an address of the host connects to.
fn network_of(state: &AddressState) -> IpNet {
    connected(state.address)
}

/// Returns the network that an address connects to. For a link-local address this is
/// the address alone, because each link has such a network of its own.
fn connected(address: IpNet) -> IpNet {
    match address.addr() {
        IpAddr::V6(alone) if alone.is_unicast_link_local() => IpNet::from(address.addr()),
        _ => address.trunc(),
    }
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// Returns the error for a clash. It isn't a denial, because no grant can allow it.
fn clash(what: &str) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!("{what}; a driver can't cover objects of the host: use another subnet"),
    }
}

/// Reads the addresses of a namespace in the versions of IP of these networks.
fn addresses(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    networks: &[IpNet],
) -> Result<Vec<(u32, AddressState)>, KernelError> {
    let mut addresses = Vec::new();
    for version in versions(networks) {
        addresses.extend(kernel.all_addresses(namespace, version)?);
    }
    Ok(addresses)
}

/// Returns the versions of IP of these networks, each once.
fn versions(networks: &[IpNet]) -> impl Iterator<Item = IpVersion> {
    let has = |version: &IpVersion| networks.iter().any(|it| IpVersion::of(it) == *version);
    IpVersion::ALL.into_iter().filter(has)
}

/// Whether a routing table applies to every packet.
fn applies_to_all(table: u32) -> bool {
    RESERVED_TABLES.contains(&table)
}

/// Checks a route before it's added or replaces others.
pub(super) fn check_route(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    route: &TableRoute,
    replaces: bool,
    own: &Own,
) -> Result<(), KernelError> {
    let networks = [route.route.destination];
    if replaces {
        let view = View::with_routes(kernel, namespace, route.table, &networks, own.clone())?;
        view.check_rivals(route)?;
    }
    if namespace == Namespace::Host && applies_to_all(route.table) {
        let view = View::with_routes(kernel, namespace, MAIN_TABLE, &networks, own.clone())?;
        view.check_route(&route.route)?;
    }
    Ok(())
}

impl Gate {
    /// Returns the driver's own objects in a namespace. On the host they include those
    /// for the network's other containers.
    pub(super) fn own_objects(&mut self, namespace: Namespace) -> Result<Own, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(Own::default());
        };
        let own = Own::of(namespace, journal.entries_of(namespace));
        if namespace == Namespace::Container {
            return Ok(own);
        }
        let others = self
            .others_own
            .get_or_insert_with(|| OfOthers::on_host(journal.other_containers()));
        Ok(own.and(others.clone(), &self.authority.request))
    }
}

#[cfg(test)]
mod tests {
    use super::super::around::Around;
    use super::super::own::Made;
    use super::*;
    use types::{LinkName, RouteKind};

    fn address(text: &str) -> AddressState {
        AddressState {
            address: text.parse().unwrap(),
            link_scope: text.starts_with("fe80"),
            tentative: false,
            dad_failed: false,
        }
    }

    fn route(destination: &str, link: u32, metric: u32) -> FoundRoute {
        FoundRoute {
            route: TableRoute {
                route: Route {
                    destination: destination.parse().unwrap(),
                    gateway: None,
                    metric: Some(metric),
                    kind: RouteKind::Unicast,
                },
                table: MAIN_TABLE,
                scope: None,
                source: None,
                link: Some(link),
                on_link: false,
                next_hops: Vec::new(),
            },
            protocol: 4,
        }
    }

    /// Returns a host with `eth0` and a driver's `br0`.
    fn host() -> View<'static> {
        let name = |text: &str| text.parse::<LinkName>().unwrap();
        View {
            names: Names::known([(1, "lo"), (2, "eth0"), (3, "br0")]),
            addresses: vec![
                (1, address("127.0.0.1/8")),
                (2, address("192.0.2.9/24")),
                (2, address("fe80::9/64")),
                (3, address("10.99.0.1/24")),
            ],
            routes: vec![
                route("0.0.0.0/0", 2, 100),
                route("192.0.2.0/24", 2, 0),
                route("198.51.100.0/24", 2, 0),
                route("10.99.0.0/24", 3, 0),
                route("203.0.113.0/24", 2, 7),
            ],
            own: Own {
                made: Made {
                    links: vec![(3, name("br0"))],
                    addresses: Vec::new(),
                    routes: vec![route("203.0.113.0/24", 2, 7).route],
                },
                ..Own::default()
            },
        }
    }

    fn new(text: &str) -> NewAddress {
        NewAddress {
            address: net(text),
            no_dad: false,
            no_prefix_route: false,
        }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_connects_the_host_to_a_network_that_is_free() {
        let host = host();
        for free in ["10.99.0.1/24", "10.98.0.1/24", "192.0.3.1/24", "fd00::1/64"] {
            assert!(host.check_address(3, &new(free)).is_ok(), "{free}");
        }
        for taken in [
            "192.0.2.1/24",
            "192.0.2.1/32",
            "192.0.2.9/32",
            "192.0.0.1/16",
            "127.0.0.2/8",
        ] {
            assert!(host.check_address(3, &new(taken)).is_err(), "{taken}");
        }
        // Each link has a link-local network of its own.
        assert!(host.check_address(3, &new("fe80::1/64")).is_ok());
        assert!(host.check_address(3, &new("fe80::9/64")).is_err());
        let error = host.check_address(3, &new("192.0.2.1/24")).unwrap_err();
        assert!(error.to_string().contains("its link eth0"), "{error}");
        // A foreign route of that network leads through another link.
        assert!(host.check_address(3, &new("198.51.100.1/24")).is_err());
        assert!(host.check_address(3, &new("198.51.100.1/25")).is_ok());
        let alone = NewAddress {
            no_prefix_route: true,
            ..new("198.51.100.1/24")
        };
        assert!(host.check_address(3, &alone).is_ok());
    }

    #[test]
    fn no_address_takes_another_links_routes_with_it() {
        let mut host = host();
        host.routes[3].route.source = Some("10.99.0.1".parse().unwrap());
        assert!(host.check_address(3, &new("10.99.0.1/24")).is_ok());
        host.own.made.links.push((4, "own4".parse().unwrap()));
        host.names.insert(4, "own4");
        let error = host.check_address(4, &new("10.99.0.1/32")).unwrap_err();
        assert!(error.to_string().contains("10.99.0.0/24"), "{error}");
        assert!(host.check_address(4, &new("10.99.0.2/32")).is_ok());
    }

    #[test]
    fn routes_lead_nowhere_where_the_host_leads() {
        let host = host();
        let check = |text: &str| host.check_route(&route(text, 3, 100).route.route);
        for free in [
            "10.99.0.7/32",
            "10.99.0.0/25",
            "10.98.0.0/24",
            "203.0.113.7/32",
            "::/0",
        ] {
            assert!(check(free).is_ok(), "{free}");
        }
        for taken in [
            "192.0.2.5/32",
            "192.0.2.9/32",
            "192.0.0.0/16",
            "128.0.0.0/1",
            "198.51.100.7/32",
            "198.51.0.0/16",
            "0.0.0.0/0",
        ] {
            assert!(check(taken).is_err(), "{taken}");
        }
        let error = check("198.51.100.7/32").unwrap_err().to_string();
        assert!(
            error.contains("198.51.100.0/24") && error.contains("through eth0"),
            "{error}"
        );
    }

    #[test]
    fn only_the_drivers_own_routes_make_place() {
        let host = host();
        let check = |text: &str, metric| host.check_rivals(&route(text, 3, metric).route);
        assert!(check("10.99.0.0/24", 0).is_ok());
        assert!(check("203.0.113.0/24", 7).is_ok());
        // With another metric, the route stands beside the foreign one.
        assert!(check("198.51.100.0/24", 9).is_ok());
        assert!(check("198.51.100.0/24", 0).is_err());
        assert!(check("0.0.0.0/0", 100).is_err());
    }

    #[test]
    fn packets_are_the_containers_not_the_hosts() {
        let host = host();
        assert!(host.check_packets(net("10.99.0.0/24")).is_ok());
        assert!(host.check_packets(net("10.99.0.7/32")).is_ok());
        for hosts in ["192.0.2.0/24", "192.0.2.9/32", "0.0.0.0/0", "127.0.0.0/8"] {
            assert!(host.check_packets(net(hosts)).is_err(), "{hosts}");
        }
        // Packets to a connected network go there.
        assert!(host.check_packets(net("192.0.2.7/32")).is_ok());
        assert!(host.check_network(net("192.0.2.7/32")).is_err());
        assert!(host.check_network(net("10.99.0.7/32")).is_ok());
        assert!(host.check_peer("10.99.0.7".parse().unwrap()).is_ok());
        // A gateway that the driver added is an address of the host, too.
        assert!(host.check_peer("10.99.0.1".parse().unwrap()).is_err());
        assert!(host.check_peer("192.0.2.9".parse().unwrap()).is_err());
    }

    /// What the user put there covers neither the host nor all of its network.
    #[test]
    fn subnets_may_be_parts_of_the_network_around_them() {
        let around = |name: &str| {
            let mut host = host();
            host.own.around = Some(Around {
                link: name.parse().unwrap(),
                given: vec![net("192.0.2.0/24")],
            });
            host
        };
        let (host, other) = (around("eth0"), around("lo"));
        for part in ["192.0.2.129/25", "192.0.2.65/26", "192.0.2.200/32"] {
            assert!(host.check_address(3, &new(part)).is_ok(), "{part}");
            let part = net(part).trunc();
            assert!(host.check_network(part).is_ok(), "{part}");
            let route = route(&part.to_string(), 3, 100).route.route;
            assert!(host.check_route(&route).is_ok(), "{part}");
            assert!(other.check_network(part).is_err(), "{part}");
            assert!(other.check_route(&route).is_err(), "{part}");
        }
        for taken in [
            "192.0.2.7/24",
            "192.0.2.1/25",
            "192.0.2.9/32",
            "192.0.0.0/16",
        ] {
            assert!(host.check_address(3, &new(taken)).is_err(), "{taken}");
            let taken = net(taken).trunc();
            assert!(host.check_network(taken).is_err(), "{taken}");
        }
    }

    #[test]
    fn a_link_that_took_an_own_ones_index_is_not_own() {
        let mut host = host();
        host.names.insert(3, "other");
        assert!(host.check_address(9, &new("10.99.0.1/24")).is_err());
        assert!(
            host.check_route(&route("10.99.0.7/32", 3, 0).route.route)
                .is_err()
        );
    }
}
