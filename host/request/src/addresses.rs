//! Addresses with their subnets, paired as in netavark's `get_ipam_addresses`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Network, RequestError};
use crate::protocol::Subnet;

/// Returns the container's addresses in the order of the subnets.
pub(super) fn resolve(
    network: &Network,
    static_ips: Option<&[IpAddr]>,
) -> Result<Vec<IpNet>, RequestError> {
    // Podman also sends addresses for a network without subnets (`--ip`). Their prefix
    // length isn't known, so netavark ignores them too.
    if !network.has_addresses() || network.subnets.is_empty() {
        return Ok(Vec::new());
    }
    let static_ips = static_ips.ok_or(RequestError::NoAddresses)?;
    check_subnets(&network.subnets)?;
    let addresses: Vec<IpNet> = network
        .subnets
        .iter()
        .flat_map(|subnet| in_subnet(subnet.subnet, static_ips))
        .collect();
    if addresses.len() != static_ips.len() {
        return Err(RequestError::UnmatchedAddresses {
            expected: static_ips.len(),
            matched: addresses.len(),
        });
    }
    Ok(addresses)
}

fn in_subnet(subnet: IpNet, addresses: &[IpAddr]) -> impl Iterator<Item = IpNet> {
    addresses
        .iter()
        .filter(move |address| subnet.contains(*address))
        .filter_map(move |address| IpNet::new(*address, subnet.prefix_len()).ok())
}

fn check_subnets(subnets: &[Subnet]) -> Result<(), RequestError> {
    let mut rest = subnets.iter().map(|subnet| subnet.subnet);
    while let Some(subnet) = rest.next() {
        for other in rest.clone() {
            if subnet == other {
                return Err(RequestError::DuplicateSubnet(subnet));
            }
            if subnet.contains(&other.network()) || other.contains(&subnet.network()) {
                return Err(RequestError::OverlappingSubnets(subnet, other));
            }
        }
    }
    Ok(())
}
