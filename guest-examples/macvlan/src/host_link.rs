//! The host's link beside the containers. The kernel passes nothing between macvlan links
//! and their parent, so that the host needs a macvlan link of its own to reach them.

use core::net::IpAddr;

use wasmvark_guest::addresses;
use wasmvark_guest::links::{self, Link, MacvlanMode, MacvlanOptions};
use wasmvark_guest::routes::{self, RouteOptions};
use wasmvark_guest::types::{Error, Namespace, Network, Place, Request, RequestOption, Route};
use wasmvark_guest::{
    Dad, PLAIN_ROUTE, alone, find, is_v6, not, stable_mac, sysctl, without_prefix,
};

/// The option that names the host's addresses.
const HOST_ADDRESS: &str = "host_address";

/// Parses the host's addresses, at most one of each version.
pub(crate) fn parse(options: &[RequestOption], mode: MacvlanMode) -> Result<Vec<IpAddr>, Error> {
    let Some(text) = find(options, HOST_ADDRESS) else {
        return Ok(Vec::new());
    };
    let expected = "an IP address, or one of each version with a space between them";
    let refused = || not(HOST_ADDRESS, text, expected);
    let words = text.split_whitespace().map(str::parse);
    let addresses: Vec<IpAddr> = words.collect::<Result<_, _>>().map_err(|_| refused())?;
    let is_one_each = match addresses.as_slice() {
        [_] => true,
        [one, other] => one.is_ipv4() != other.is_ipv4(),
        _ => false,
    };
    match mode {
        _ if !is_one_each => Err(refused()),
        MacvlanMode::Bridge => Ok(addresses),
        _ => Err(Error::Invalid(format!(
            "{HOST_ADDRESS} needs mode bridge: with others, macvlan links of a parent don't reach \
             each other"
        ))),
    }
}

/// Checks that the user named the parent. Only its networks may be shared with the host's
/// link.
pub(crate) fn check(network: &Network, options: &[RequestOption]) -> Result<(), Error> {
    match find(options, HOST_ADDRESS) {
        Some(_) if network.parent.is_none() => Err(Error::Invalid(format!(
            "{HOST_ADDRESS} needs a parent that you name: give -o parent=NAME"
        ))),
        _ => Ok(()),
    }
}

/// Gives the host its link, which the network's containers share, with its addresses and
/// with routes to this container's.
pub(crate) fn configure(
    parent: &Link,
    host: &[IpAddr],
    request: &Request,
    mtu: Option<u32>,
) -> Result<(), Error> {
    if host.is_empty() {
        return Ok(());
    }
    let options = MacvlanOptions {
        mode: MacvlanMode::Bridge,
        mac: Some(stable_mac(request)),
        mtu,
        broadcast_limit: None,
        broadcast_queue_length: None,
    };
    let link = links::create_macvlan(Place::Shared, None, parent, &options)?;
    prepare(&link, host)?;
    let through = RouteOptions {
        link: Some(link.name()),
        ..PLAIN_ROUTE
    };
    for route in &request.host_routes {
        if host
            .iter()
            .any(|it| it.is_ipv6() == is_v6(&route.destination))
        {
            add_route(route, host, &through)?;
        }
    }
    Ok(())
}

/// Gives the link the addresses, and sets it up. An earlier container may have done so.
fn prepare(link: &Link, host: &[IpAddr]) -> Result<(), Error> {
    // Otherwise others on the wire could take this link's MAC address for the host's.
    sysctl::set_arp_ignore(link, true)?;
    for address in host {
        let address = alone(&address.to_string());
        match addresses::add(link, &address, Some(Dad::Off.address_options())) {
            Err(Error::Exists(_)) => {}
            result => result?,
        }
    }
    links::set_up(link)
}

fn add_route(route: &Route, host: &[IpAddr], through: &RouteOptions) -> Result<(), Error> {
    let address = without_prefix(&route.destination);
    let is_hosts = |it: &IpAddr| address.parse() == Ok(*it);
    if host.iter().any(is_hosts) {
        return Err(Error::Invalid(format!(
            "{address} is the host's by the option {HOST_ADDRESS}: keep it out of the addresses for \
             containers, by --ip-range"
        )));
    }
    routes::add(Namespace::Host, route, Some(through))
}
