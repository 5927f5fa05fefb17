//! Adding IPv6 routes: each next hop is a route of its own.

use std::net::IpAddr;

use kernel::{FoundRoute, KernelError, TableRoute};
use nix::errno::Errno;
use types::{DEFAULT_METRIC, Namespace, RouteKind};

use super::link::LOOPBACK_INDEX;
use super::lookup::Hop;
use super::machine::Machine;
use super::routing::{has_same_place, split};

/// IP6_RT_PRIO_USER (`ipv6_route.h`)
const IPV6_METRIC: u32 = 1024;

impl Machine {
    /// Adds a route for each next hop, all or none (`ip6_route_multipath_add`).
    pub(super) fn put_route6(
        &mut self,
        namespace: Namespace,
        found: &FoundRoute,
        replaces: bool,
    ) -> Result<(), KernelError> {
        let mut hops: Vec<FoundRoute> = Vec::new();
        for hop in split(&found.route) {
            let route = self.checked6(namespace, hop)?;
            let hop = FoundRoute {
                route,
                protocol: found.protocol,
            };
            if hops.iter().any(|other| is_duplicate(other, &hop)) {
                return Err(Errno::EEXIST.into());
            }
            hops.push(hop);
        }
        let before = self.room_ref(namespace).routes.clone();
        for (number, hop) in hops.into_iter().enumerate() {
            // Others are added to the first.
            if let Err(error) = self.insert6(namespace, hop, replaces && number == 0) {
                self.room(namespace).routes = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// `ip6_route_info_create`
    fn checked6(
        &mut self,
        namespace: Namespace,
        mut route: TableRoute,
    ) -> Result<TableRoute, KernelError> {
        // `inet6_rtm_newroute`
        route.route.metric = Some(match route.route.metric {
            Some(0) => IPV6_METRIC,
            metric => metric.unwrap_or(DEFAULT_METRIC),
        });
        route.scope = None;
        if route.route.kind == RouteKind::Unicast {
            let hop = Hop {
                gateway: route.route.gateway,
                link: route.link,
                on_link: route.on_link,
            };
            route.link = Some(self.check_hop6(namespace, route.table, hop)?);
        }
        route.source = route.source.filter(|source| !source.is_unspecified());
        // What leads nowhere leads through the loopback link.
        let link = route.link.or(Some(LOOPBACK_INDEX));
        match route.source {
            Some(IpAddr::V6(source)) if !self.is_own6(namespace, source, link) => {
                Err(Errno::EINVAL.into())
            }
            _ => Ok(route),
        }
    }

    /// `fib6_add_rt2node`
    pub(super) fn insert6(
        &mut self,
        namespace: Namespace,
        found: FoundRoute,
        replaces: bool,
    ) -> Result<(), KernelError> {
        let routes = &mut self.room(namespace).routes;
        let rival = |there: &FoundRoute| has_same_place(&there.route, &found.route);
        if !replaces {
            if routes
                .iter()
                .any(|there| rival(there) && is_duplicate(there, &found))
            {
                return Err(Errno::EEXIST.into());
            }
            routes.push(found);
            return Ok(());
        }
        let is_alike =
            |there: &FoundRoute| rival(there) && is_of_several(there) == is_of_several(&found);
        let alike = routes.iter().position(is_alike);
        let Some(place) = alike.or_else(|| routes.iter().position(rival)) else {
            routes.push(found);
            return Ok(());
        };
        let gone = routes.remove(place);
        // With one hop its siblings go.
        if is_of_several(&gone) {
            let gone: Vec<FoundRoute> = routes
                .iter()
                .filter(|there| rival(there) && is_of_several(there))
                .cloned()
                .collect();
            routes.retain(|there| !gone.contains(there));
        }
        let place = place.min(routes.len());
        routes.insert(place, found);
        Ok(())
    }
}

/// Whether a route is one of several hops to its destination, if there are others
/// (`rt6_qualify_for_ecmp`).
pub(super) fn is_of_several(found: &FoundRoute) -> bool {
    found.route.route.gateway.is_some()
}

/// Whether two routes leave by the same way (`rt6_duplicate_nexthop`). Those that
/// lead nowhere all do.
fn is_duplicate(one: &FoundRoute, other: &FoundRoute) -> bool {
    let way = |found: &FoundRoute| {
        let link = found.route.link;
        let link = link.filter(|_| found.route.route.kind == RouteKind::Unicast);
        (link, found.route.route.gateway)
    };
    way(one) == way(other)
}
