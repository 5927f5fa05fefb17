//! The last steps of a setup, the same for every kind of link.

use crate::addresses;
use crate::announce;
use crate::links::{self, Link, VethPair};
use crate::routes::{self, RouteOptions};
use crate::sysctl::{self, RouterAdvertisements};
use crate::types::{Error, Namespace, Request};
use crate::{is_v6, without_prefix};

/// The options of a route that needs none.
pub const PLAIN_ROUTE: RouteOptions = RouteOptions {
    table: None,
    scope: None,
    source: None,
    link: None,
    on_link: false,
    next_hops: Vec::new(),
};

/// How long a port may take to be up, in milliseconds.
const CARRIER: u32 = 2000;

/// Gives the container's link its addresses, sets it up and adds the routes.
///
/// `metric` is the one for default routes where the user gave none; with
/// `None` it's left to the host.
pub fn configure(link: &Link, request: &Request, metric: Option<u32>) -> Result<(), Error> {
    configure_with(link, request, metric, None)
}

/// The same with options for all of the routes.
pub fn configure_with(
    link: &Link,
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    disable_autoconf(link)?;
    for address in &request.addresses {
        addresses::add(link, address, None)?;
    }
    // Routes need a link that is up.
    links::set_up(link)?;
    add_routes(request, metric, options)
}

/// Adds the request's default and static routes in the container.
pub fn add_routes(
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    for route in &request.default_routes {
        let mut route = route.clone();
        route.metric = route.metric.or(metric);
        routes::add(Namespace::Container, &route, options)?;
    }
    for route in &request.routes {
        routes::add(Namespace::Container, route, options)?;
    }
    Ok(())
}

/// Podman chooses the addresses, so router advertisements must not add any.
/// A kernel without IPv6 adds none anyway, and a read-only `/proc/sys` is the
/// operator's choice.
pub fn disable_autoconf(link: &Link) -> Result<(), Error> {
    match sysctl::set_autoconf(link, false) {
        Err(Error::NotFound(_) | Error::ReadOnly(_)) => Ok(()),
        result => result,
    }
}

/// Has the kernel tell the link's neighbours of its addresses when it's set up,
/// so that those who knew another MAC address for them don't go on sending
/// there (containers/netavark#1114). IPv6 addresses are told of once nobody
/// else has them, without a wait.
///
/// On a bridge's port it comes too early, see [`announce_over_bridge`].
pub fn announce_addresses(link: &Link) -> Result<(), Error> {
    sysctl::set_arp_notify(link, true)?;
    match sysctl::set_ndisc_notify(link, true) {
        // A kernel without IPv6 has nothing to tell.
        Err(Error::NotFound(_)) => Ok(()),
        result => result,
    }
}

/// Tells what is behind a bridge of the addresses of the link at the other end
/// of its port, once the bridge has noticed that the port is up: it drops what
/// comes in before. For an IPv6 address it takes a second or two, until nobody
/// else can have it.
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

/// No container is the host's router: one that says so over a link of the
/// host's would get the host's traffic (CVE-2020-10749). A kernel without IPv6
/// doesn't listen.
pub fn ignore_router_advertisements(link: &Link) -> Result<(), Error> {
    match sysctl::set_accept_ra(link, RouterAdvertisements::None) {
        Err(Error::NotFound(_)) => Ok(()),
        result => result,
    }
}
