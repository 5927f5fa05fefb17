//! Routes.

use std::net::IpAddr;

use kernel::{
    FoundRoute, KernelError, KnownLink, LinkId, MAIN_TABLE, Routes, RoutesRead, Saved, SavedRoutes,
    TableRoute,
};
use nix::errno::Errno;
use types::{DEFAULT_METRIC, Namespace, RouteKind};

use super::Simulation;
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

    fn routes(&mut self, namespace: Namespace, table: u32) -> Result<Vec<FoundRoute>, KernelError> {
        Ok(self.in_time()?.routes(namespace, table))
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
        self.in_time()?.add_route(namespace, route)
    }

    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let before = machine.room_ref(namespace).routes.clone();
        let room = machine.room(namespace);
        let mut is_replaced = false;
        room.routes.retain(|found| {
            let goes = has_same_place(&found.route, route)
                && (!is_replaced || route.route.destination.addr().is_ipv6());
            is_replaced |= goes;
            !goes
        });
        let added = machine.add_route(namespace, route);
        if added.is_err() {
            machine.room(namespace).routes = before;
        }
        added
    }

    fn remove_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let same = machine.same(namespace, route);
        if same.is_empty() {
            return Err(Errno::ESRCH.into());
        }
        machine
            .room(namespace)
            .routes
            .retain(|found| !same.contains(found));
        Ok(())
    }

    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        for noted in Saved::read_routes(saved)? {
            let routes = &mut machine.room(namespace).routes;
            let place = routes.iter().position(|found| found.route == noted.route);
            routes.remove(place.ok_or(Errno::ESRCH)?);
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
            match unless_there(machine.put_route(namespace, noted)) {
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

    /// The routes that are the wanted one, or one of its hops.
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

    pub(super) fn add_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        for hop in split(route) {
            let found = FoundRoute {
                route: hop,
                protocol: BY_HAND,
            };
            self.put_route(namespace, found)?;
        }
        Ok(())
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

    /// Adds a route with all that the kernel fills in.
    pub(super) fn put_route(
        &mut self,
        namespace: Namespace,
        mut found: FoundRoute,
    ) -> Result<(), KernelError> {
        let route = &mut found.route;
        let is_v4 = route.route.destination.addr().is_ipv4();
        route.route.metric = Some(route.route.metric.unwrap_or(DEFAULT_METRIC));
        route.scope = is_v4.then_some(route.effective_scope());
        if route.route.kind == RouteKind::Unicast {
            self.check_next_hops(namespace, route)?;
        }
        if let Some(source) = route.source {
            self.check_source(namespace, source)?;
        }
        let room = self.room(namespace);
        if room.routes.iter().any(|there| there.route == found.route) {
            return Err(Errno::EEXIST.into());
        }
        // `fib_table_insert`: before those to the same destination.
        let place = room
            .routes
            .iter()
            .position(|there| is_v4 && has_same_place(&there.route, &found.route));
        match place {
            Some(place) => room.routes.insert(place, found),
            None => room.routes.push(found),
        }
        Ok(())
    }

    /// Finds the links of gateways (`fib_check_nh`, `ip6_route_check_nh`).
    fn check_next_hops(
        &self,
        namespace: Namespace,
        route: &mut TableRoute,
    ) -> Result<(), KernelError> {
        let table = route.table;
        if route.next_hops.is_empty() {
            let hop = (route.route.gateway, route.link, route.on_link);
            route.link = Some(self.check_next_hop(namespace, table, hop)?);
            return Ok(());
        }
        for hop in &mut route.next_hops {
            let wanted = (hop.gateway, hop.link, hop.on_link);
            hop.link = Some(self.check_next_hop(namespace, table, wanted)?);
        }
        Ok(())
    }

    fn check_next_hop(
        &self,
        namespace: Namespace,
        table: u32,
        (gateway, link, on_link): (Option<IpAddr>, Option<u32>, bool),
    ) -> Result<u32, KernelError> {
        if let Some(index) = link {
            let (_, link) = self.find(LinkId { namespace, index })?;
            if !link.state.up {
                return Err(Errno::ENETDOWN.into());
            }
        }
        let Some(gateway) = gateway else {
            return Ok(link.ok_or(Errno::ENODEV)?);
        };
        let is_link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
        if let Some(link) = link.filter(|_| on_link || is_link_local) {
            return Ok(link);
        }
        let hops = self.room_ref(namespace).routes.iter().filter(|found| {
            let route = &found.route;
            (route.table == table || route.table == MAIN_TABLE)
                && route.route.kind == RouteKind::Unicast
                && route.route.gateway.is_none()
                && route.next_hops.is_empty()
                && route.route.destination.contains(&gateway)
                && (link.is_none() || route.link == link)
        });
        let best = hops.max_by_key(|found| found.route.route.destination.prefix_len());
        let missing = match gateway.is_ipv4() {
            true => Errno::ENETUNREACH,
            false => Errno::EHOSTUNREACH,
        };
        Ok(best.and_then(|found| found.route.link).ok_or(missing)?)
    }

    fn check_source(&self, namespace: Namespace, source: IpAddr) -> Result<(), KernelError> {
        let links = self.links_of(namespace).into_iter();
        let mut addresses = links.flat_map(|link| &link.addresses);
        match addresses.any(|own| own.new.address.addr() == source) {
            true => Ok(()),
            false => Err(Errno::EINVAL.into()),
        }
    }

    /// Forgets the routes through a link that is down or gone.
    pub(super) fn forget_routes_of(&mut self, at: LinkId) {
        let room = self.room(at.namespace);
        for found in &mut room.routes {
            let hops = &mut found.route.next_hops;
            if hops.iter().any(|hop| hop.link != Some(at.index)) {
                hops.retain(|hop| hop.link != Some(at.index));
            }
        }
        room.routes
            .retain(|found| !found.route.links().contains(&at.index));
    }
}

/// The next hops of an IPv6 route are routes of their own.
fn split(route: &TableRoute) -> Vec<TableRoute> {
    match route.route.destination.addr().is_ipv6() {
        true => route.by_next_hop(),
        false => vec![route.clone()],
    }
}

fn has_same_place(found: &TableRoute, wanted: &TableRoute) -> bool {
    let metric = |route: &TableRoute| route.route.metric.unwrap_or(DEFAULT_METRIC);
    found.table == wanted.table
        && found.route.destination == wanted.route.destination
        && metric(found) == metric(wanted)
}

fn has_no_way(error: &KernelError) -> bool {
    matches!(
        error.errno(),
        Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::ENETDOWN | Errno::EINVAL)
    )
}
