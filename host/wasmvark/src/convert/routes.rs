//! Routes: CNI adds those that `ipam` lists and no others; these drivers add
//! default routes unless they are told not to.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::ipam::{Ipam, Route};
use super::plan::Plan;

/// Drivers that add default routes only when told to.
const WITHOUT_DEFAULT_ROUTES: &[&str] = &["wasm-dummy"];

/// A static route of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StaticRoute {
    destination: IpNet,
    gateway: IpAddr,
    metric: Option<u32>,
}

impl fmt::Display for StaticRoute {
    /// As `--route` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.destination, self.gateway)?;
        match self.metric {
            Some(metric) => write!(f, ",{metric}"),
            None => Ok(()),
        }
    }
}

/// Plans the routes; `everywhere` asks for a default route through the gateway
/// of each family (`isDefaultGateway`).
pub(super) fn lay(plan: &mut Plan, ipam: &Ipam, everywhere: bool) {
    let mut wanted = Vec::new();
    for route in &ipam.routes {
        match resolve(route, ipam) {
            Some(route) => wanted.push(route),
            None => plan.no_counterpart(
                &route.key,
                "no subnet of its family has a gateway, and Podman takes no route without one",
            ),
        }
    }
    if everywhere {
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
    lay_defaults(plan, ipam, defaults);
}

/// A driver's own default routes lead through the gateways of all families with
/// one metric; others are static ones.
fn lay_defaults(plan: &mut Plan, ipam: &Ipam, defaults: Vec<StaticRoute>) {
    let gateways: Vec<IpAddr> = gateways(ipam).collect();
    let metric = defaults.first().and_then(|route| route.metric);
    let is_usual = |gateway: &IpAddr| {
        defaults
            .iter()
            .any(|route| route.gateway == *gateway && route.metric == metric)
    };
    let all = !defaults.is_empty()
        && !plan.internal
        && defaults.len() == gateways.len()
        && gateways.iter().all(is_usual);
    let by_itself = !WITHOUT_DEFAULT_ROUTES.contains(&plan.driver);
    // Internal networks, and those without addresses, have none anyway.
    let never = plan.internal || gateways.is_empty();
    if all != by_itself && !never {
        plan.option("no_default_route", !all);
    }
    match metric {
        Some(metric) if all => plan.option("metric", metric),
        _ if all => {}
        _ => plan.routes.splice(0..0, defaults).for_each(drop),
    }
}

/// A route with its gateway: its own, or that of its family.
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

/// The destination "everywhere" of a gateway's family.
fn default_of(gateway: IpAddr) -> IpNet {
    match gateway {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}
