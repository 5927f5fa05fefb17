//! The answer to `setup`: the kernel's links and addresses, with the gateways of the
//! request.

use std::net::IpAddr;

use ipnet::IpNet;
use types::{LinkName, Mac};

use super::Request;
use crate::protocol::{NetAddress, NetInterface, StatusBlock};

/// One of the driver's links in the container, according to the kernel.
#[derive(Debug, Clone)]
pub struct LinkReport {
    /// The link's name.
    pub name: LinkName,
    /// The link's MAC address. Some kinds have none.
    pub mac: Option<Mac>,
    /// The link's addresses, except those of link scope.
    pub addresses: Vec<IpNet>,
}

/// An address of the container that isn't in the request, with its gateway.
#[derive(Debug, Clone, Copy)]
pub struct LeasedAddress {
    /// The address with its prefix length.
    pub address: IpNet,
    /// The gateway.
    pub gateway: Option<IpAddr>,
}

/// Builds the answer. Addresses have the order of the request, because Podman shows the
/// first one. Further ones follow in the kernel's order.
pub fn answer(
    request: &Request,
    links: Vec<LinkReport>,
    leased: &[LeasedAddress],
    dns_server_ips: Vec<IpAddr>,
    dns_search_domains: Vec<String>,
) -> StatusBlock {
    let interfaces = links
        .into_iter()
        .map(|link| {
            let interface = interface(request, leased, link.mac, link.addresses);
            (link.name.into(), interface)
        })
        .collect();
    StatusBlock {
        interfaces,
        dns_server_ips,
        dns_search_domains,
    }
}

fn interface(
    request: &Request,
    leased: &[LeasedAddress],
    mac_address: Option<Mac>,
    mut addresses: Vec<IpNet>,
) -> NetInterface {
    let rank = |address: &IpNet| {
        let position = request.addresses.iter().position(|asked| asked == address);
        position.unwrap_or(usize::MAX)
    };
    addresses.sort_by_key(rank);
    let subnets = addresses
        .into_iter()
        .map(|ipnet| NetAddress {
            ipnet,
            gateway: gateway(request, leased, ipnet),
        })
        .collect();
    NetInterface {
        mac_address,
        subnets,
    }
}

fn gateway(request: &Request, leased: &[LeasedAddress], address: IpNet) -> Option<IpAddr> {
    if let Some(lease) = leased.iter().find(|lease| lease.address == address) {
        return lease.gateway;
    }
    let mut subnets = request.network.subnets.iter();
    subnets
        .find(|subnet| subnet.subnet.contains(&address.addr()))?
        .gateway
}
