//! Default and static routes, checked as in netavark's `create_route_list` and
//! `add_default_routes`.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use types::{Route, RouteKind};

use super::{Network, RequestError};
use crate::protocol;

/// Returns a default route for each family in which the container has an address,
/// through the first gateway of that family.
pub(super) fn defaults(network: &Network, addresses: &[IpNet]) -> Vec<Route> {
    if !has_defaults(network) {
        return Vec::new();
    }
    let gateways = || network.subnets.iter().filter_map(|subnet| subnet.gateway);
    let v4 = gateways().find(std::net::IpAddr::is_ipv4);
    let v6 = gateways().find(std::net::IpAddr::is_ipv6);
    let routes = [
        (IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)), v4),
        (IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)), v6),
    ];
    routes
        .into_iter()
        .filter(|(destination, gateway)| gateway.is_some() && has_family(addresses, *destination))
        .map(|(destination, gateway)| Route {
            destination,
            gateway,
            metric: network.metric,
            kind: RouteKind::Unicast,
        })
        .collect()
}

/// Whether a network has default routes.
pub(super) fn has_defaults(network: &Network) -> bool {
    !network.internal && !network.no_default_route && network.has_addresses()
}

/// Whether the container has an address of a destination's family. A route of another
/// family would lead nowhere: the kernel reaches no gateway, and may have IPv6 off.
pub(super) fn has_family(addresses: &[IpNet], destination: IpNet) -> bool {
    let is_v4 = |network: &IpNet| network.addr().is_ipv4();
    let mut addresses = addresses.iter();
    addresses.any(|address| is_v4(address) == is_v4(&destination))
}

/// Resolves the static routes of the families in which the container has an address. If
/// Podman chose no addresses, these are all, because the container gets addresses in
/// another way.
///
/// # Errors
///
/// As of [`all_routes`], also for routes that the container doesn't get.
pub(super) fn of_container(
    network: &Network,
    addresses: &[IpNet],
    routes: &[protocol::Route],
) -> Result<Vec<Route>, RequestError> {
    let mut routes = all_routes(routes)?;
    routes.retain(|route| !network.has_addresses() || has_family(addresses, route.destination));
    Ok(routes)
}

/// Resolves the static routes.
///
/// # Errors
///
/// A route's gateway is missing, or a route can't have it.
pub fn all_routes(routes: &[protocol::Route]) -> Result<Vec<Route>, RequestError> {
    routes.iter().map(resolve_one).collect()
}

fn resolve_one(route: &protocol::Route) -> Result<Route, RequestError> {
    let destination = route.destination;
    let kind = kind(route.route_type.as_deref())?;
    match (kind, route.gateway) {
        (RouteKind::Unicast, None) => {
            return Err(RequestError::Route(format!(
                "route {destination} requires a gateway for type unicast"
            )));
        }
        (RouteKind::Unicast, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            return Err(RequestError::Route(format!(
                "route {destination} must not have a gateway for type {}",
                netavark_name(kind)
            )));
        }
    }
    if let Some(gateway) = route.gateway
        && gateway.is_ipv4() != destination.addr().is_ipv4()
    {
        let family = |v4| if v4 { "ipv4" } else { "ipv6" };
        return Err(RequestError::Route(format!(
            "route with {} destination and {} gateway ({destination} via {gateway})",
            family(destination.addr().is_ipv4()),
            family(gateway.is_ipv4()),
        )));
    }
    Ok(Route {
        destination: destination.trunc(),
        gateway: route.gateway,
        metric: route.metric,
        kind,
    })
}

fn kind(name: Option<&str>) -> Result<RouteKind, RequestError> {
    match name {
        None | Some("" | "unicast") => Ok(RouteKind::Unicast),
        Some("blackhole") => Ok(RouteKind::Blackhole),
        Some("unreachable") => Ok(RouteKind::Unreachable),
        Some("prohibit") => Ok(RouteKind::Prohibit),
        Some(name) => Err(RequestError::Route(format!("invalid route type {name:?}"))),
    }
}

/// Returns the name of a kind in netavark's message.
fn netavark_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "Unicast",
        RouteKind::Blackhole => "BlackHole",
        RouteKind::Unreachable => "Unreachable",
        RouteKind::Prohibit => "Prohibit",
    }
}
