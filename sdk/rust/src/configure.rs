//! The last steps of a setup, which are the same for every kind of link.

use crate::addresses;
use crate::announce;
use crate::dad::Dad;
use crate::default_routes::add_default_routes;
use crate::links::{self, Link, VethPair};
use crate::routes::{self, RouteOptions};
use crate::sysctl::{self, ReversePath, RouterAdvertisements};
use crate::types::{Error, Namespace, Request};
use crate::{is_v6, without_prefix};

/// The options of a plain route.
pub const PLAIN_ROUTE: RouteOptions = RouteOptions {
    table: None,
    scope: None,
    source: None,
    link: None,
    on_link: false,
    next_hops: Vec::new(),
};

/// The time that a bridge port may take to get a carrier, in milliseconds.
const CARRIER: u32 = 2000;

/// Gives the container's link its addresses, sets it up and adds the routes.
/// [`crate::Behaviours::tune`] comes before it.
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
    for address in &request.addresses {
        addresses::add(link, address, Some(dad.address_options()))?;
    }
    // A route needs a link that is up.
    links::set_up(link)?;
    add_routes(request, metric, options)
}

/// Adds the request's default and static routes in the container.
///
/// If Podman chose no addresses, the container gets its addresses in another way, and no
/// network leads to the gateways of static routes yet. The routes then name the link.
pub fn add_routes(
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    add_default_routes(request, metric, options)?;
    let through_link = RouteOptions {
        link: Some(request.interface_name.clone()),
        on_link: true,
        ..options.unwrap_or(&PLAIN_ROUTE).clone()
    };
    for route in &request.routes {
        let options = match request.addresses.is_empty() && route.gateway.is_some() {
            true => Some(&through_link),
            false => options,
        };
        routes::add(Namespace::Container, route, options)?;
    }
    Ok(())
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
    if addresses.is_empty() {
        return Ok(());
    }
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

/// Takes addresses and routes from router advertisements, also if the container forwards
/// packets.
pub fn accept_router_advertisements(link: &Link) -> Result<(), Error> {
    sysctl::set_accept_ra(link, RouterAdvertisements::All)?;
    sysctl::set_autoconf(link, true)
}

/// Ignores router advertisements on a link. At the host's end, a container could otherwise
/// become the host's router and get its traffic (CVE-2020-10749). A kernel without IPv6
/// ignores them anyway.
pub fn ignore_router_advertisements(link: &Link) -> Result<(), Error> {
    match sysctl::set_accept_ra(link, RouterAdvertisements::None) {
        Err(Error::NotFound(_)) => Ok(()),
        result => result,
    }
}
