//! Routes.

use std::net::IpAddr;

use kernel::{
    FoundRoute, KernelError, KnownLink, LinkId, MAIN_TABLE, RouteScope, Routes, RoutesRead, Saved,
    SavedRoutes, TableRoute,
};
use nix::errno::Errno;
use types::{DEFAULT_METRIC, IpVersion, Namespace, RouteKind};

use super::Simulation;
use super::lookup::Hop;
use super::machine::{BY_HAND, Machine};
use super::snapshots::unless_there;

impl RoutesRead for Simulation {
    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        let machine = &mut *self.in_time()?;
        let routes = machine.host.routes.iter().filter(|found| {
            let route = &found.route;
            route.table == MAIN_TABLE
                && route.route.kind == RouteKind::Unicast
                && route.route.destination.prefix_len() == 0
        });
        let mut links: Vec<((bool, u32), u32)> = routes
            .filter_map(|found| {
                let route = &found.route.route;
                let rank = (
                    route.destination.addr().is_ipv6(),
                    route.metric.unwrap_or_default(),
                );
                Some((rank, found.route.link?))
            })
            .collect();
        links.sort_by_key(|(rank, _)| *rank);
        let first = links.first().map(|(_, link)| *link);
        first.ok_or_else(|| {
            KernelError::NotFound("failed to get default route interface".to_owned())
        })
    }

    fn routes(
        &mut self,
        namespace: Namespace,
        table: u32,
        version: IpVersion,
    ) -> Result<Vec<FoundRoute>, KernelError> {
        let mut routes = self.in_time()?.routes(namespace, table);
        routes.retain(|found| IpVersion::of(&found.route.route.destination) == version);
        Ok(routes)
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        Ok(self.in_time()?.has_route(namespace, route))
    }

    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let machine = &mut *self.in_time()?;
        let same = machine.same(namespace, route);
        machine.note(namespace, &same)
    }

    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let machine = &mut *self.in_time()?;
        let routes = machine.room_ref(namespace).routes.iter();
        let rivals: Vec<FoundRoute> = routes
            .filter(|found| has_same_place(&found.route, route))
            .cloned()
            .collect();
        machine.note(namespace, &rivals)
    }
}

impl Routes for Simulation {
    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let found = FoundRoute {
            route: route.clone(),
            protocol: BY_HAND,
        };
        machine.put_route(namespace, found, false)
    }

    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let found = FoundRoute {
            route: route.clone(),
            protocol: BY_HAND,
        };
        machine.put_route(namespace, found, true)
    }

    fn remove_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let any_scope = route.scope.is_none();
        machine.delete_route(namespace, route, BY_HAND, any_scope)
    }

    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        for (done, noted) in Saved::read_routes(saved)?.iter().enumerate() {
            let removed = machine.delete_route(namespace, &noted.route, noted.protocol, false);
            removed.map_err(|error| after(error, done))?;
        }
        Ok(())
    }

    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        for noted in Saved::read_routes(saved)? {
            match unless_there(machine.put_route(namespace, noted, false)) {
                Err(error) if has_no_way(&error) => {}
                result => result?,
            }
        }
        Ok(())
    }
}

impl Machine {
    pub(super) fn routes(&self, namespace: Namespace, table: u32) -> Vec<FoundRoute> {
        let routes = self.room_ref(namespace).routes.iter();
        routes
            .filter(|found| found.route.table == table)
            .cloned()
            .collect()
    }

    /// Returns the routes that are the wanted one, or one of its next hops.
    fn same(&self, namespace: Namespace, wanted: &TableRoute) -> Vec<FoundRoute> {
        let hops = split(wanted);
        let routes = self.room_ref(namespace).routes.iter();
        routes
            .filter(|found| hops.iter().any(|hop| found.route.is_told_by(hop)))
            .cloned()
            .collect()
    }

    pub(super) fn has_route(&self, namespace: Namespace, wanted: &TableRoute) -> bool {
        !self.same(namespace, wanted).is_empty()
    }

    fn note(
        &self,
        namespace: Namespace,
        routes: &[FoundRoute],
    ) -> Result<SavedRoutes, KernelError> {
        let mut indexes: Vec<u32> = routes
            .iter()
            .flat_map(|found| found.route.links())
            .collect();
        indexes.sort_unstable();
        indexes.dedup();
        let links = indexes.into_iter().map(|index| {
            let (_, link) = self.find(LinkId { namespace, index })?;
            Ok(KnownLink {
                index,
                name: link.state.name.clone(),
            })
        });
        let links: Result<Vec<_>, KernelError> = links.collect();
        Ok(Saved::routes(routes, links?))
    }

    /// Adds a route with all that the kernel fills in, or puts it in another one's
    /// place.
    pub(super) fn put_route(
        &mut self,
        namespace: Namespace,
        mut found: FoundRoute,
        replaces: bool,
    ) -> Result<(), KernelError> {
        if found.route.route.destination.addr().is_ipv6() {
            return self.put_route6(namespace, &found, replaces);
        }
        let route = &mut found.route;
        route.route.metric = Some(route.route.metric.unwrap_or(DEFAULT_METRIC));
        route.scope = Some(route.effective_scope());
        route.source = route.source.filter(|source| !source.is_unspecified());
        self.check_next_hops(namespace, route)?;
        self.insert4(namespace, found, replaces)
    }

    /// `fib_create_info`
    fn check_next_hops(
        &mut self,
        namespace: Namespace,
        route: &mut TableRoute,
    ) -> Result<(), KernelError> {
        if route.route.kind != RouteKind::Unicast {
            let has_hop = route.route.gateway.is_some() || route.link.is_some();
            return match has_hop || !route.next_hops.is_empty() {
                true => Err(Errno::EINVAL.into()),
                false => Ok(()),
            };
        }
        let (table, scope) = (route.table, route.effective_scope());
        let is_given = |gateway: &IpAddr| !gateway.is_unspecified();
        route.route.gateway = route.route.gateway.filter(is_given);
        for hop in &mut route.next_hops {
            hop.gateway = hop.gateway.filter(is_given);
        }
        if scope == RouteScope::Host {
            if route.route.gateway.is_some() || !route.next_hops.is_empty() {
                return Err(Errno::EINVAL.into());
            }
            let index = route.link.unwrap_or_default();
            self.find(LinkId { namespace, index })?;
        } else if route.next_hops.is_empty() {
            let hop = Hop {
                gateway: route.route.gateway,
                link: route.link,
                on_link: route.on_link,
            };
            route.link = Some(self.check_hop4(namespace, (table, scope), hop)?);
        }
        for hop in &mut route.next_hops {
            let wanted = Hop {
                gateway: hop.gateway,
                link: hop.link,
                on_link: hop.on_link,
            };
            hop.link = Some(self.check_hop4(namespace, (table, scope), wanted)?);
        }
        match route.source {
            Some(IpAddr::V4(source)) if !self.is_own4(namespace, source) => {
                Err(Errno::EINVAL.into())
            }
            _ => Ok(()),
        }
    }

    /// `fib_table_insert`
    fn insert4(
        &mut self,
        namespace: Namespace,
        found: FoundRoute,
        replaces: bool,
    ) -> Result<(), KernelError> {
        let routes = &mut self.room(namespace).routes;
        let has_its_place = |there: &FoundRoute| has_same_place(&there.route, &found.route);
        let same = routes.iter().position(|there| *there == found);
        let place = routes.iter().position(has_its_place);
        match (place, same) {
            (Some(place), Some(same)) if replaces && place == same => {}
            (_, Some(_)) => return Err(Errno::EEXIST.into()),
            (Some(place), None) if replaces => {
                routes.remove(place);
                routes.insert(place, found);
            }
            // Before those to the same destination.
            (Some(place), None) => routes.insert(place, found),
            (None, None) => routes.push(found),
        }
        Ok(())
    }
}

/// Splits an IPv6 route into a route for each next hop.
pub(super) fn split(route: &TableRoute) -> Vec<TableRoute> {
    match route.route.destination.addr().is_ipv6() {
        true => route.by_next_hop(),
        false => vec![route.clone()],
    }
}

pub(super) fn has_same_place(found: &TableRoute, wanted: &TableRoute) -> bool {
    let metric = |route: &TableRoute| route.route.metric.unwrap_or(DEFAULT_METRIC);
    found.table == wanted.table
        && found.route.destination == wanted.route.destination
        && metric(found) == metric(wanted)
}

/// The error of one of several steps, of which so many were done.
fn after(error: KernelError, done: usize) -> KernelError {
    match done {
        0 => error,
        _ => KernelError::Unfinished(Box::new(error)),
    }
}

fn has_no_way(error: &KernelError) -> bool {
    matches!(
        error.errno(),
        Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::ENETDOWN)
    )
}
