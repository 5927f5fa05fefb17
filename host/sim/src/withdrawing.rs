//! Removing routes: those that somebody names, and those that go with what they
//! lead through.

use std::net::IpAddr;

use kernel::{FoundRoute, KernelError, LinkId, MAIN_TABLE, RouteScope, TableRoute};
use nix::errno::Errno;
use types::{DEFAULT_METRIC, Namespace, RouteKind};

use super::link::LOOPBACK_INDEX;
use super::machine::Machine;
use super::routes6::is_of_several;
use super::routing::split;

impl Machine {
    /// Removes the first route that has all that the wanted one tells.
    pub(super) fn delete_route(
        &mut self,
        namespace: Namespace,
        wanted: &TableRoute,
        protocol: u8,
        any_scope: bool,
    ) -> Result<(), KernelError> {
        if wanted.route.destination.addr().is_ipv4() {
            return self.delete_route4(namespace, wanted, protocol, any_scope);
        }
        let mut result = Ok(());
        // `ip6_route_multipath_del`
        for hop in split(wanted) {
            if let Err(error) = self.delete_route6(namespace, &hop, protocol) {
                result = Err(error);
            }
        }
        result
    }

    /// `fib_table_delete`, `fib_nh_match`
    fn delete_route4(
        &mut self,
        namespace: Namespace,
        wanted: &TableRoute,
        protocol: u8,
        any_scope: bool,
    ) -> Result<(), KernelError> {
        let is_it = |found: &FoundRoute| {
            let route = &found.route;
            is_there(found, wanted, protocol)
                && route.route.kind == wanted.route.kind
                && (any_scope || route.effective_scope() == wanted.effective_scope())
                && (wanted.source.is_none_or(|source| source.is_unspecified())
                    || route.source == wanted.source)
                && has_hops(route, wanted)
        };
        let routes = &mut self.room(namespace).routes;
        let place = first(routes, is_it).ok_or(Errno::ESRCH)?;
        routes.remove(place);
        Ok(())
    }

    /// `ip6_route_del`
    fn delete_route6(
        &mut self,
        namespace: Namespace,
        wanted: &TableRoute,
        protocol: u8,
    ) -> Result<(), KernelError> {
        let is_it = |found: &FoundRoute| {
            let route = &found.route;
            let gateway = wanted.route.gateway;
            is_there(found, wanted, protocol)
                && (wanted.link.is_none() || route.link == wanted.link)
                && (gateway.is_none() || route.route.gateway == gateway)
        };
        let routes = &mut self.room(namespace).routes;
        let place = first(routes, is_it).ok_or(Errno::ESRCH)?;
        let gone = routes.remove(place);
        // Without a gateway all hops go.
        if wanted.route.gateway.is_none() && is_of_several(&gone) {
            routes.retain(|found| !is_sibling(found, &gone));
        }
        Ok(())
    }

    /// Forgets the routes through a link that is down.
    pub(super) fn forget_routes_of(&mut self, at: LinkId) {
        self.forget_routes4(at, false);
        self.forget_routes6(at, false);
    }

    /// The same of a link that goes.
    pub(super) fn forget_all_routes_of(&mut self, at: LinkId) {
        self.forget_routes4(at, true);
        self.forget_routes6(at, true);
    }

    /// `fib_sync_down_dev`: a route of several hops is there for as long as one
    /// of them is alive, and one to this namespace itself while the link is up
    /// or down.
    pub(super) fn forget_routes4(&mut self, at: LinkId, is_forced: bool) {
        let is_dead = |index: Option<u32>| {
            index.is_none_or(|index| {
                index == at.index
                    || self
                        .find(LinkId { index, ..at })
                        .is_ok_and(|(_, link)| !link.state.up)
            })
        };
        let goes = |found: &FoundRoute| {
            let route = &found.route;
            let hops = &route.next_hops;
            let is_through = route.links().contains(&at.index);
            let is_host = route.scope == Some(RouteScope::Host);
            is_through
                && route.route.destination.addr().is_ipv4()
                && (is_forced || !is_host)
                && (is_forced || hops.is_empty() || hops.iter().all(|hop| is_dead(hop.link)))
        };
        let room = self.room_ref(at.namespace);
        let kept = room.routes.iter().filter(|found| !goes(found));
        let kept = kept.cloned().collect();
        self.room(at.namespace).routes = kept;
    }

    /// `fib6_ifdown`
    pub(super) fn forget_routes6(&mut self, at: LinkId, is_gone: bool) {
        let routes = &self.room_ref(at.namespace).routes;
        let is_loopback = self.find(at).is_ok_and(|(_, link)| link.is_loopback());
        let is_dead = |found: &FoundRoute| {
            found.route.link.is_none_or(|index| {
                index == at.index
                    || self
                        .find(LinkId { index, ..at })
                        .is_ok_and(|(_, link)| !link.state.up)
            })
        };
        let goes = |found: &FoundRoute| {
            // Those that lead nowhere lead through the loopback link.
            let is_through = match found.route.route.kind {
                RouteKind::Unicast => found.route.link == Some(at.index),
                _ => is_loopback,
            };
            let mut siblings = routes.iter().filter(|other| is_sibling(other, found));
            is_through
                && found.route.route.destination.addr().is_ipv6()
                && (is_gone || !is_of_several(found) || siblings.all(is_dead))
        };
        let gone: Vec<FoundRoute> = routes.iter().filter(|found| goes(found)).cloned().collect();
        // Those that were dead already go with the last one.
        let kept = routes.iter().filter(|found| {
            let with = gone
                .iter()
                .any(|gone| !is_gone && is_of_several(gone) && is_sibling(found, gone));
            !gone.contains(found) && !with
        });
        let kept = kept.cloned().collect();
        self.room(at.namespace).routes = kept;
    }

    /// Forgets the routes from an address that a link hasn't any more
    /// (`fib_sync_down_addr`), whoever else has it. IPv6's only lose it
    /// (`fib6_remove_prefsrc`).
    pub(super) fn forget_source(&mut self, at: LinkId, address: IpAddr, table: u32) {
        if let IpAddr::V6(v6) = address {
            let mut routes = self.room_ref(at.namespace).routes.clone();
            for found in &mut routes {
                if found.route.source == Some(address)
                    && !self.is_own6(at.namespace, v6, found.route.link.or(Some(LOOPBACK_INDEX)))
                {
                    found.route.source = None;
                }
            }
            self.room(at.namespace).routes = routes;
            return;
        }
        let routes = &mut self.room(at.namespace).routes;
        routes.retain(|found| found.route.source != Some(address) || found.route.table != table);
    }

    /// The same for all IPv6 addresses that nobody has any more.
    pub(super) fn forget_lost_sources(&mut self, namespace: Namespace) {
        let sources = self.room_ref(namespace).routes.iter();
        let mut sources: Vec<IpAddr> = sources.filter_map(|found| found.route.source).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in sources.into_iter().filter(IpAddr::is_ipv6) {
            self.forget_source(
                LinkId {
                    namespace,
                    index: 0,
                },
                source,
                MAIN_TABLE,
            );
        }
    }

    /// The table that packets from a link look at first (`l3mdev_fib_table`).
    pub(super) fn table_at(&self, at: LinkId) -> u32 {
        self.find(at)
            .map_or(MAIN_TABLE, |(_, link)| self.table_of(link))
    }
}

/// The place of the first of them, in the order of their metrics.
fn first(routes: &[FoundRoute], is_it: impl Fn(&FoundRoute) -> bool) -> Option<usize> {
    let fitting = routes.iter().enumerate().filter(|(_, found)| is_it(found));
    let first = fitting.min_by_key(|(_, found)| found.route.route.metric);
    first.map(|(place, _)| place)
}

/// Whether a route leads to the wanted destination: with the metric 0 it may have
/// any.
fn is_there(found: &FoundRoute, wanted: &TableRoute, protocol: u8) -> bool {
    let metric = wanted.route.metric.unwrap_or(DEFAULT_METRIC);
    found.protocol == protocol
        && found.route.table == wanted.table
        && found.route.route.destination == wanted.route.destination
        && (metric == 0 || found.route.route.metric == Some(metric))
}

/// Whether an IPv4 route has the next hops that are told.
fn has_hops(route: &TableRoute, wanted: &TableRoute) -> bool {
    let own = route.by_next_hop();
    let gateway = wanted
        .route
        .gateway
        .filter(|gateway| !gateway.is_unspecified());
    if wanted.link.is_some() || gateway.is_some() {
        return own.first().is_some_and(|hop| {
            (wanted.link.is_none() || hop.link == wanted.link)
                && (gateway.is_none() || hop.route.gateway == gateway)
        });
    }
    if wanted.next_hops.is_empty() || route.route.kind != RouteKind::Unicast {
        return true;
    }
    own.iter().zip(&wanted.next_hops).all(|(own, wanted)| {
        (wanted.link.is_none() || own.link == wanted.link)
            && (wanted.gateway.is_none() || own.route.gateway == wanted.gateway)
    })
}

/// Whether two IPv6 routes are hops of one.
fn is_sibling(one: &FoundRoute, other: &FoundRoute) -> bool {
    let place = |found: &FoundRoute| {
        let route = &found.route.route;
        (found.route.table, route.destination, route.metric)
    };
    is_of_several(one) && is_of_several(other) && place(one) == place(other)
}
