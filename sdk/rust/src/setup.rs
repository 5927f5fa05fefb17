//! Functions that the setups of several drivers use.

use crate::dns;
use crate::links::{self, Link};
use crate::types::{Error, Namespace, Network, SetupAnswer};

/// The metric of default routes through a link on a parent. It's below the usual 100,
/// so that the route wins over one of a bridge network (containers/podman#23984).
pub const PARENT_METRIC: u32 = 99;

/// Returns the user's parent, or else the default route's link.
pub fn find_parent(network: &Network) -> Result<Link, Error> {
    match &network.parent {
        Some(name) => links::get(Namespace::Host, name),
        None => links::get_default(),
    }
}

/// The smallest MTU of a link with IPv6 (RFC 8200, section 5).
const IPV6_MIN_MTU: u32 = 1280;

/// The largest MTU of a veth link (ETH_MAX_MTU).
const VETH_MAX_MTU: u32 = 65535;

/// Returns the MTU of new links whose packets the host routes: the user's, or else that
/// of the default route's link, in the table of a VRF if one is given. Without a default
/// route it's the kernel's.
///
/// A network with IPv6 addresses gets at least the MTU that IPv6 needs.
pub fn routed_mtu(network: &Network, vrf: Option<&Link>) -> Result<Option<u32>, Error> {
    // 0 means the default, as in netavark's drivers.
    let given = network.mtu.filter(|mtu| *mtu != 0);
    if given.is_some() {
        return Ok(given);
    }
    let least = match network.subnets.iter().any(|it| is_v6(&it.subnet)) {
        true => IPV6_MIN_MTU,
        false => 0,
    };
    let found = links::default_mtu(vrf)?;
    Ok(found.map(|mtu| mtu.max(least).min(VETH_MAX_MTU)))
}

/// Returns the gateways of the subnets with their prefix lengths.
pub fn gateways(network: &Network) -> impl Iterator<Item = String> {
    let subnets = network.subnets.iter();
    subnets.filter_map(|subnet| subnet.gateway.clone())
}

/// Whether an address or a network is IPv6.
pub fn is_v6(address: &str) -> bool {
    address.contains(':')
}

/// Returns an address without its prefix length.
pub fn without_prefix(address: &str) -> &str {
    address.split_once('/').map_or(address, |(alone, _)| alone)
}

/// Returns the network that contains only an address. The address may have a prefix
/// length.
pub fn alone(address: &str) -> String {
    let address = without_prefix(address);
    let length = if is_v6(address) { 128 } else { 32 };
    format!("{address}/{length}")
}

/// Has the container's names served on a link, if the user wants that. The DNS server
/// listens on the network's gateways, so without one there are no names.
pub fn serve_names(link: &Link, network: &Network) -> Result<(), Error> {
    match network.dns && gateways(network).next().is_some() {
        true => dns::register(link),
        false => Ok(()),
    }
}

/// Returns the answer of a driver without DNS servers of its own.
pub fn no_name_servers() -> SetupAnswer {
    SetupAnswer {
        dns_servers: Vec::new(),
        search_domains: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_has_the_longest_prefix() {
        assert_eq!(alone("10.0.0.2/24"), "10.0.0.2/32");
        assert_eq!(alone("10.0.0.1"), "10.0.0.1/32");
        assert_eq!(alone("fd00::2/64"), "fd00::2/128");
    }
}
