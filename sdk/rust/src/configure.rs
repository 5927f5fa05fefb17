//! The last steps of a setup, which are the same for every kind of link.

use crate::addresses::{self, AddressOptions};
use crate::announce;
use crate::links::{self, Link, VethPair};
use crate::routes::{self, RouteInfo, RouteOptions};
use crate::sysctl::{self, ReversePath, RouterAdvertisements};
use crate::types::{Error, Namespace, Network, OptionValue, Request};
use crate::{KnownOption, is_v6, parse_bool, typed, without_prefix};

/// The options of a plain route.
pub const PLAIN_ROUTE: RouteOptions = RouteOptions {
    table: None,
    scope: None,
    source: None,
    link: None,
    on_link: false,
    next_hops: Vec::new(),
};

/// The option that turns duplicate address detection on or off. It's named after the
/// kernel's setting.
pub const ACCEPT_DAD: KnownOption = typed::<bool>("accept_dad");

/// The duplicate address detection of a link (RFC 4862, section 5.4): whether its IPv6
/// addresses can be used only when no other machine is known to have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dad {
    /// Addresses can be used after a second or two.
    On,
    /// Addresses can be used at once.
    Off,
}

impl Dad {
    /// Parses the option `accept_dad`. `self` is the default: off where Podman alone
    /// gives addresses, as with netavark, and on where other machines may have them.
    pub fn or_given(self, options: &[OptionValue]) -> Result<Self, Error> {
        match parse_bool(options, ACCEPT_DAD.name, self == Self::On)? {
            true => Ok(Self::On),
            false => Ok(Self::Off),
        }
    }

    /// Turns the detection off for a link of a network with IPv6, also of its
    /// link-local address. It's called before the link is up.
    ///
    /// The host asks for a container's MAC address from its link-local address, so
    /// published ports need this one, too. A kernel without IPv6 has no detection. With
    /// a read-only `/proc/sys` the addresses that [`Dad::address_options`] is for can be
    /// used at once all the same.
    pub fn set(self, link: &Link, network: &Network) -> Result<(), Error> {
        let mut subnets = network.subnets.iter();
        if self == Self::On || !subnets.any(|subnet| is_v6(&subnet.subnet)) {
            return Ok(());
        }
        match sysctl::set_accept_dad(link, false) {
            Err(Error::NotFound(_) | Error::ReadOnly(_)) => Ok(()),
            result => result,
        }
    }

    /// Returns the options of an address.
    pub fn address_options(self) -> AddressOptions {
        AddressOptions {
            no_dad: self == Self::Off,
            no_prefix_route: false,
        }
    }
}

/// The metric of routes without one, as in netavark.
const DEFAULT_METRIC: u32 = 100;

/// The time that a bridge port may take to get a carrier, in milliseconds.
const CARRIER: u32 = 2000;

/// Gives the container's link its addresses, sets it up and adds the routes.
///
/// `metric` is for default routes for which the user gave none. With `None`, the host
/// chooses it.
pub fn configure(
    link: &Link,
    request: &Request,
    metric: Option<u32>,
    dad: Dad,
) -> Result<(), Error> {
    configure_with(link, request, metric, dad, None)
}

/// Gives the container's link its addresses, sets it up and adds the routes with
/// options.
pub fn configure_with(
    link: &Link,
    request: &Request,
    metric: Option<u32>,
    dad: Dad,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    disable_autoconf(link)?;
    for address in &request.addresses {
        addresses::add(link, address, Some(dad.address_options()))?;
    }
    // A route needs a link that is up.
    links::set_up(link)?;
    add_routes(request, metric, options)
}

/// Adds the request's default and static routes in the container.
pub fn add_routes(
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    add_default_routes(request, metric, options)?;
    for route in &request.routes {
        routes::add(Namespace::Container, route, options)?;
    }
    Ok(())
}

/// Adds the default routes behind those of the container's other networks.
///
/// Two routes with one metric would compete: of IPv4 routes the kernel uses the later
/// one, and of IPv6 routes it makes one multipath route. So each gets the next free
/// metric, and none is lost when a network is disconnected.
fn add_default_routes(
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    if request.default_routes.is_empty() {
        return Ok(());
    }
    let table = options.and_then(|options| options.table);
    let there = routes::list(Namespace::Container, table)?;
    for route in &request.default_routes {
        let mut route = route.clone();
        let wanted = route.metric.or(metric).unwrap_or(DEFAULT_METRIC);
        route.metric = Some(free_metric(&there, &route.destination, wanted));
        routes::add(Namespace::Container, &route, options)?;
    }
    Ok(())
}

/// Returns the first metric from the wanted one that no route to the destination has.
fn free_metric(there: &[RouteInfo], destination: &str, wanted: u32) -> u32 {
    let is_taken = |metric: u32| {
        let mut routes = there.iter().map(|info| &info.route);
        routes.any(|route| {
            route.destination == destination && route.metric == Some(in_kernel(destination, metric))
        })
    };
    let mut metric = wanted;
    while is_taken(metric) && metric < u32::MAX {
        metric = in_kernel(destination, metric).saturating_add(1);
    }
    metric
}

/// Returns the metric that the kernel gives a route. An IPv6 route with 0 gets
/// IP6_RT_PRIO_USER (`ipv6_route.h`).
fn in_kernel(destination: &str, metric: u32) -> u32 {
    match metric {
        0 if is_v6(destination) => 1024,
        metric => metric,
    }
}

/// Turns the autoconfiguration of IPv6 addresses off, because Podman chooses the
/// addresses.
///
/// A kernel without IPv6 has no autoconfiguration. A read-only `/proc/sys` is the
/// operator's choice.
pub fn disable_autoconf(link: &Link) -> Result<(), Error> {
    match sysctl::set_autoconf(link, false) {
        Err(Error::NotFound(_) | Error::ReadOnly(_)) => Ok(()),
        result => result,
    }
}

/// Makes the kernel take IPv4 packets whose replies would leave through another link, as
/// those of a container's second network do. If the host's reverse path filter is
/// strict, the kernel drops them otherwise.
pub fn loosen_reverse_path(link: &Link) -> Result<(), Error> {
    sysctl::set_rp_filter(link, ReversePath::Loose)
}

/// Makes the kernel announce the link's addresses when the link is set up.
///
/// Neighbours that have another MAC address for them then use the new one
/// (containers/netavark#1114). The kernel announces an IPv6 address after duplicate
/// address detection, and this function doesn't wait for that.
///
/// On a bridge port the announcement comes too early. [`announce_over_bridge`] is for
/// those.
pub fn announce_addresses(link: &Link) -> Result<(), Error> {
    sysctl::set_arp_notify(link, true)?;
    match sysctl::set_ndisc_notify(link, true) {
        // A kernel without IPv6 announces no IPv6 addresses.
        Err(Error::NotFound(_)) => Ok(()),
        result => result,
    }
}

/// Announces the addresses of a container's link over the bridge that its peer is a
/// port of.
///
/// It waits until the port has a carrier, because the bridge drops frames before. With
/// duplicate address detection, it also waits for that.
pub fn announce_over_bridge(pair: &VethPair, addresses: &[String]) -> Result<(), Error> {
    links::wait_carrier(&pair.host, CARRIER)?;
    for address in addresses {
        let address = without_prefix(address);
        match is_v6(address) {
            false => announce::gratuitous_arp(&pair.container, address)?,
            true => announce::neighbour_advertisement(&pair.container, address)?,
        }
    }
    Ok(())
}

/// Makes the host ignore router advertisements on a link. Otherwise a container could
/// become the host's router and get its traffic (CVE-2020-10749). A kernel without IPv6
/// ignores them anyway.
pub fn ignore_router_advertisements(link: &Link) -> Result<(), Error> {
    match sysctl::set_accept_ra(link, RouterAdvertisements::None) {
        Err(Error::NotFound(_)) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Route, RouteKind};

    fn found(destination: &str, metric: u32) -> RouteInfo {
        RouteInfo {
            route: Route {
                destination: destination.to_owned(),
                gateway: None,
                metric: Some(metric),
                kind: RouteKind::Unicast,
            },
            options: PLAIN_ROUTE,
            protocol: 4,
        }
    }

    #[test]
    fn a_default_route_stands_behind_others() {
        let v4 = "0.0.0.0/0";
        let there = [
            found(v4, 100),
            found(v4, 101),
            found(v4, 103),
            found("10.0.0.0/8", 102),
            found("::/0", 7),
        ];
        assert_eq!(free_metric(&[], v4, 100), 100);
        assert_eq!(free_metric(&there, v4, 99), 99);
        assert_eq!(free_metric(&there, v4, 100), 102);
        assert_eq!(free_metric(&there, v4, 7), 7);
        assert_eq!(free_metric(&there, "::/0", 7), 8);
        assert_eq!(free_metric(&[found(v4, u32::MAX)], v4, u32::MAX), u32::MAX);
    }

    #[test]
    fn an_ipv6_route_with_0_has_1024() {
        assert_eq!(free_metric(&[], "::/0", 0), 0);
        assert_eq!(free_metric(&[found("::/0", 1024)], "::/0", 0), 1025);
        assert_eq!(free_metric(&[found("0.0.0.0/0", 0)], "0.0.0.0/0", 0), 1);
    }
}
