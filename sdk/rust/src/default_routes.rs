//! Default routes of containers on several networks.

use crate::is_v6;
use crate::routes::{self, RouteInfo, RouteOptions};
use crate::types::{Error, Namespace, Request};

/// The metric of routes without one, as in netavark.
const DEFAULT_METRIC: u32 = 100;

/// Adds the default routes behind those of the container's other networks.
///
/// Two routes with one metric would compete: of IPv4 routes the kernel uses the later
/// one, and of IPv6 routes it makes one multipath route. So each gets the next free
/// metric, and none is lost when a network is disconnected.
pub(crate) fn add_default_routes(
    request: &Request,
    metric: Option<u32>,
    options: Option<&RouteOptions>,
) -> Result<(), Error> {
    if request.default_routes.is_empty() {
        return Ok(());
    }
    let table = options.and_then(|options| options.table);
    let there = routes::list(Namespace::Container, table)?;
    for route in &request.default_routes {
        let mut route = route.clone();
        let wanted = route.metric.or(metric).unwrap_or(DEFAULT_METRIC);
        route.metric = Some(free_metric(&there, &route.destination, wanted));
        routes::add(Namespace::Container, &route, options)?;
    }
    Ok(())
}

/// Returns the first metric from the wanted one that no route to the destination has.
fn free_metric(there: &[RouteInfo], destination: &str, wanted: u32) -> u32 {
    let is_taken = |metric: u32| {
        let mut routes = there.iter().map(|info| &info.route);
        routes.any(|route| {
            route.destination == destination && route.metric == Some(in_kernel(destination, metric))
        })
    };
    let mut metric = wanted;
    while is_taken(metric) && metric < u32::MAX {
        metric = in_kernel(destination, metric).saturating_add(1);
    }
    metric
}

/// Returns the metric that the kernel gives a route. An IPv6 route with 0 gets
/// IP6_RT_PRIO_USER (`ipv6_route.h`).
fn in_kernel(destination: &str, metric: u32) -> u32 {
    match metric {
        0 if is_v6(destination) => 1024,
        metric => metric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PLAIN_ROUTE;
    use crate::types::{Route, RouteKind};

    fn found(destination: &str, metric: u32) -> RouteInfo {
        RouteInfo {
            route: Route {
                destination: destination.to_owned(),
                gateway: None,
                metric: Some(metric),
                kind: RouteKind::Unicast,
            },
            options: PLAIN_ROUTE,
            protocol: 4,
        }
    }

    #[test]
    fn a_default_route_stands_behind_others() {
        let v4 = "0.0.0.0/0";
        let there = [
            found(v4, 100),
            found(v4, 101),
            found(v4, 103),
            found("10.0.0.0/8", 102),
            found("::/0", 7),
        ];
        assert_eq!(free_metric(&[], v4, 100), 100);
        assert_eq!(free_metric(&there, v4, 99), 99);
        assert_eq!(free_metric(&there, v4, 100), 102);
        assert_eq!(free_metric(&there, v4, 7), 7);
        assert_eq!(free_metric(&there, "::/0", 7), 8);
        assert_eq!(free_metric(&[found(v4, u32::MAX)], v4, u32::MAX), u32::MAX);
    }

    #[test]
    fn an_ipv6_route_with_0_has_1024() {
        assert_eq!(free_metric(&[], "::/0", 0), 0);
        assert_eq!(free_metric(&[found("::/0", 1024)], "::/0", 0), 1025);
        assert_eq!(free_metric(&[found("0.0.0.0/0", 0)], "0.0.0.0/0", 0), 1);
    }
}
