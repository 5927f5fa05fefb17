//! The network's subnets, with their gateways and routes.

use wasmvark_guest::addresses::AddressOptions;
use wasmvark_guest::types::{Error, Network, Request, Route, RouteKind, Subnet};
use wasmvark_guest::{Dad, is_v6};

/// Returns the options of addresses on a link with two ends. The address's network isn't
/// on the link.
pub(crate) fn peer_address(dad: Dad) -> AddressOptions {
    AddressOptions {
        no_prefix_route: true,
        ..dad.address_options()
    }
}

/// Returns the subnets in which the container has addresses: all, or none.
fn of(network: &Network) -> &[Subnet] {
    match network.ipam_driver.as_deref() {
        Some("none") => &[],
        _ => &network.subnets,
    }
}

/// Returns each subnet with its gateway, of the families in which the container has an
/// address.
pub(crate) fn with_gateways(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    let subnets = of(&request.network).iter();
    let subnets = subnets.filter(|subnet| {
        let mut addresses = request.addresses.iter();
        addresses.any(|address| is_v6(address) == is_v6(&subnet.subnet))
    });
    subnets.filter_map(|subnet| Some((subnet.subnet.as_str(), subnet.gateway.as_deref()?)))
}

/// Checks that each subnet has a gateway, which is the address of the host's end.
pub(crate) fn check_gateways(network: &Network) -> Result<(), Error> {
    let mut subnets = of(network).iter();
    match subnets.find(|subnet| subnet.gateway.is_none()) {
        None => Ok(()),
        Some(subnet) => Err(Error::Invalid(format!(
            "subnet {} has no gateway, which the host's end of the link needs: give --gateway",
            subnet.subnet
        ))),
    }
}

/// Returns a route to a network, through a gateway or directly.
pub(crate) fn route(destination: String, gateway: Option<&str>) -> Route {
    Route {
        destination,
        gateway: gateway.map(str::to_owned),
        metric: None,
        kind: RouteKind::Unicast,
    }
}
