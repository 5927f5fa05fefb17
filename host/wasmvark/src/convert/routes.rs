//! Routes. CNI adds only those that `ipam` lists. The drivers here also add default
//! routes, unless an option forbids it.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::ipam::{Ipam, Route};
use super::plan::Plan;

/// The drivers that add default routes only on request.
const WITHOUT_DEFAULT_ROUTES: &[&str] = &["wasm-dummy"];

/// A static route of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StaticRoute {
    destination: IpNet,
    gateway: IpAddr,
    metric: Option<u32>,
}

impl fmt::Display for StaticRoute {
    /// Writes the route as `--route` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.destination, self.gateway)?;
        match self.metric {
            Some(metric) => write!(f, ",{metric}"),
            None => Ok(()),
        }
    }
}

/// Plans the routes. If `is_default_gateway` is set, there is a default route through the
/// gateway of each family.
pub(super) fn apply(plan: &mut Plan, ipam: &Ipam, is_default_gateway: bool) {
    let mut wanted = Vec::new();
    for route in &ipam.routes {
        match resolve(route, ipam) {
            Some(route) => wanted.push(route),
            None => plan.no_counterpart(
                &route.key,
                "no subnet of the route's family has a gateway, and Podman takes no route without \
                 one",
            ),
        }
    }
    if is_default_gateway {
        for gateway in gateways(ipam) {
            let destination = default_of(gateway);
            if !wanted.iter().any(|route| route.destination == destination) {
                wanted.push(StaticRoute {
                    destination,
                    gateway,
                    metric: None,
                });
            }
        }
    }
    let (defaults, others): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .partition(|route| route.destination.prefix_len() == 0);
    plan.routes = others;
    apply_defaults(plan, ipam, defaults);
}

/// Plans the default routes. The driver adds them if they lead through the gateways of
/// all families with one metric. Others become static routes.
fn apply_defaults(plan: &mut Plan, ipam: &Ipam, defaults: Vec<StaticRoute>) {
    let gateways: Vec<IpAddr> = gateways(ipam).collect();
    let metric = defaults.first().and_then(|route| route.metric);
    let has_route = |gateway: &IpAddr| {
        defaults
            .iter()
            .any(|route| route.gateway == *gateway && route.metric == metric)
    };
    let all = !defaults.is_empty()
        && !plan.internal
        && defaults.len() == gateways.len()
        && gateways.iter().all(has_route);
    let by_default = !WITHOUT_DEFAULT_ROUTES.contains(&plan.driver);
    // Internal networks, and those without addresses, never have default routes.
    let never = plan.internal || gateways.is_empty();
    if all != by_default && !never {
        plan.option("no_default_route", !all);
    }
    match metric {
        Some(metric) if all => plan.option("metric", metric),
        _ if all => {}
        _ => plan.routes.splice(0..0, defaults).for_each(drop),
    }
}

/// Resolves a route. Its gateway is its own, or that of its family.
fn resolve(route: &Route, ipam: &Ipam) -> Option<StaticRoute> {
    let v4 = route.destination.addr().is_ipv4();
    Some(StaticRoute {
        destination: route.destination,
        gateway: route.gateway.or_else(|| ipam.gateway(v4))?,
        metric: route.priority,
    })
}

fn gateways(ipam: &Ipam) -> impl Iterator<Item = IpAddr> {
    [true, false].into_iter().filter_map(|v4| ipam.gateway(v4))
}

/// Returns the destination of a default route of a gateway's family.
fn default_of(gateway: IpAddr) -> IpNet {
    match gateway {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}
