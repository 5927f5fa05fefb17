//! Routes of routing tables.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::{DEFAULT_METRIC, IpVersion, LinkName, Namespace, Route};

use super::KernelError;

/// The main table (`rtnetlink.h`, RT_TABLE_MAIN).
pub const MAIN_TABLE: u32 = 254;

/// The tables that every namespace has: `default`, `main` and `local`, and the
/// number that stands for none (`rtnetlink.h`, RT_TABLE_*).
pub const RESERVED_TABLES: [u32; 4] = [0, 253, MAIN_TABLE, 255];

/// A route in a routing table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRoute {
    /// The destination, the gateway, the metric and the kind.
    #[serde(flatten)]
    pub route: Route,
    /// The table.
    #[serde(default = "main_table")]
    pub table: u32,
    /// The scope, for IPv4 only.
    #[serde(default)]
    pub scope: Option<RouteScope>,
    /// The source address of packets that are sent from this namespace.
    #[serde(default)]
    pub source: Option<IpAddr>,
    /// The index of the outgoing link.
    #[serde(default)]
    pub link: Option<u32>,
    /// Whether the gateway is on the link even if no address of the link says
    /// so.
    #[serde(default)]
    pub on_link: bool,
    /// Several next hops, instead of the gateway and the link above.
    #[serde(default)]
    pub next_hops: Vec<NextHop>,
}

fn main_table() -> u32 {
    MAIN_TABLE
}

/// One of several next hops of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHop {
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The index of the outgoing link.
    pub link: Option<u32>,
    /// The weight less one (`rtnetlink.h`, `rtnh_hops`).
    pub hops: u8,
    /// Whether the gateway is on the link even if no address of the link says
    /// so.
    pub on_link: bool,
}

/// The scope of a route: the distance to its destination (`rtnetlink.h`,
/// RT_SCOPE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteScope {
    /// Anywhere.
    Global,
    /// On the link.
    Link,
    /// In this namespace.
    Host,
}

/// A route that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRoute {
    /// The route.
    pub route: TableRoute,
    /// The protocol (`rtnetlink.h`, RTPROT_*).
    pub protocol: u8,
}

impl TableRoute {
    /// Returns a route for each next hop, as the kernel keeps IPv6 routes. A
    /// route with a single next hop stays as it is.
    pub fn by_next_hop(&self) -> Vec<Self> {
        if self.next_hops.is_empty() {
            return vec![self.clone()];
        }
        let one = |hop: &NextHop| Self {
            route: Route {
                gateway: hop.gateway,
                ..self.route.clone()
            },
            link: hop.link,
            on_link: hop.on_link,
            next_hops: Vec::new(),
            ..self.clone()
        };
        self.next_hops.iter().map(one).collect()
    }

    /// Returns the scope. Without one, it's the default of `ip route`.
    pub fn effective_scope(&self) -> RouteScope {
        let is_direct = self.route.kind == types::RouteKind::Unicast
            && self
                .by_next_hop()
                .iter()
                .all(|hop| hop.route.gateway.is_none());
        match self.scope {
            Some(scope) => scope,
            None if is_direct && self.route.destination.addr().is_ipv4() => RouteScope::Link,
            None => RouteScope::Global,
        }
    }

    /// Whether another route describes this one. Properties that the other
    /// route leaves out may have any value.
    pub fn is_told_by(&self, other: &Self) -> bool {
        let metric = |route: &Self| route.route.metric.unwrap_or(DEFAULT_METRIC);
        let plain = |route: &Self| Route {
            metric: None,
            ..route.route.clone()
        };
        let given = |other: Option<u32>, own| other.is_none() || other == own;
        let same_hop = |(own, other): (&NextHop, &NextHop)| {
            own.gateway == other.gateway && given(other.link, own.link) && own.hops == other.hops
        };
        plain(self) == plain(other)
            && metric(self) == metric(other)
            && self.table == other.table
            && (other.scope.is_none() || other.effective_scope() == self.effective_scope())
            && (other.source.is_none() || other.source == self.source)
            && given(other.link, self.link)
            && self.next_hops.len() == other.next_hops.len()
            && self.next_hops.iter().zip(&other.next_hops).all(same_hop)
    }

    /// Returns the indexes of all outgoing links.
    pub fn links(&self) -> Vec<u32> {
        let mut links: Vec<u32> = self
            .by_next_hop()
            .iter()
            .filter_map(|hop| hop.link)
            .collect();
        links.sort_unstable();
        links.dedup();
        links
    }
}

/// Returns the indexes of the links that default routes of a table leave through: of the
/// routes with the lowest metric, IPv4 before IPv6.
pub fn default_route_links(routes: &[FoundRoute]) -> Vec<u32> {
    let links = |is_v4: bool| {
        let defaults = routes.iter().map(|found| &found.route).filter(|route| {
            let destination = route.route.destination;
            destination.prefix_len() == 0
                && destination.addr().is_ipv4() == is_v4
                && route.route.kind == types::RouteKind::Unicast
                && !route.links().is_empty()
        });
        let best = defaults.clone().map(|route| route.route.metric).min();
        let best = defaults.filter(|route| Some(route.route.metric) == best);
        let mut links: Vec<u32> = best.flat_map(TableRoute::links).collect();
        links.sort_unstable();
        links.dedup();
        links
    };
    match links(true) {
        none if none.is_empty() => links(false),
        found => found,
    }
}

/// A link in a record of the journal. By the time of the undo, its index may be
/// another link's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownLink {
    /// The index.
    pub index: u32,
    /// The name.
    pub name: LinkName,
}

/// Saved routes, as netlink messages, and their outgoing links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoutes {
    pub(super) messages: Vec<Vec<u8>>,
    /// The outgoing links.
    pub links: Vec<KnownLink>,
}

impl SavedRoutes {
    /// Whether no routes were saved.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// Reading routes.
pub trait RoutesRead {
    /// Returns the index of the outgoing link of the host's first default
    /// route.
    fn default_route_link(&mut self) -> Result<u32, KernelError>;
    /// Lists the routes of a table. Equivalent to `ip -4 route show table NUMBER`, or
    /// `ip -6`.
    fn routes(
        &mut self,
        namespace: Namespace,
        table: u32,
        version: IpVersion,
    ) -> Result<Vec<FoundRoute>, KernelError>;
    /// Whether this route, or a next hop of it, exists.
    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError>;
    /// Saves this route for restoring it.
    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError>;
    /// Saves the routes that this one would replace.
    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError>;
}

/// Adding, replacing and removing routes.
pub trait Routes {
    /// Adds a route. Equivalent to `ip route add`, for next hops of IPv6 to `append`.
    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError>;
    /// Replaces the route with the same destination, metric and table. Equivalent to `ip
    /// route replace`.
    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError>;
    /// Removes a route that this program added.
    fn remove_route(&mut self, namespace: Namespace, route: &TableRoute)
    -> Result<(), KernelError>;
    /// Removes saved routes.
    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError>;
    /// Restores saved routes that don't exist.
    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(destination: &str, metric: u32, links: &[u32]) -> FoundRoute {
        let hop = |link: &u32| NextHop {
            gateway: None,
            link: Some(*link),
            hops: 0,
            on_link: false,
        };
        FoundRoute {
            route: TableRoute {
                route: Route {
                    destination: destination.parse().unwrap(),
                    gateway: None,
                    metric: Some(metric),
                    kind: types::RouteKind::Unicast,
                },
                table: MAIN_TABLE,
                scope: None,
                source: None,
                link: None,
                on_link: false,
                next_hops: links.iter().map(hop).collect(),
            },
            protocol: 3,
        }
    }

    #[test]
    fn the_default_route_is_ipv4s_with_the_lowest_metric() {
        let v6 = route("::/0", 1, &[9]);
        let others = [
            route("10.0.0.0/8", 0, &[1]),
            route("0.0.0.0/0", 200, &[2]),
            route("0.0.0.0/0", 100, &[4, 3]),
            route("0.0.0.0/0", 100, &[4]),
            route("0.0.0.0/1", 0, &[5]),
        ];
        let all = [&others[..], std::slice::from_ref(&v6)].concat();
        assert_eq!(default_route_links(&all), [3, 4]);
        assert_eq!(default_route_links(&[v6]), [9]);
        assert!(default_route_links(&others[..1]).is_empty());
    }

    #[test]
    fn a_default_route_that_leads_nowhere_is_none() {
        let mut nowhere = route("0.0.0.0/0", 1, &[]);
        nowhere.route.route.kind = types::RouteKind::Unreachable;
        assert!(default_route_links(&[nowhere]).is_empty());
    }
}
