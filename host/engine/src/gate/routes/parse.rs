//! The conversion of routes between the WIT's and the kernel's types.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{FoundRoute, MAIN_TABLE, NextHop, RouteScope, TableRoute};
use types::{LinkName, Route, RouteKind};

use crate::driver::wit::routes::{
    NextHop as WitHop, RouteInfo, RouteOptions, RouteScope as WitScope,
};
use crate::driver::wit::types::{Route as WitRoute, RouteKind as Kind};

/// A route with the names of its links instead of their indexes.
#[derive(Debug)]
pub(super) struct Draft {
    /// The route without indexes of links.
    pub(super) route: TableRoute,
    /// The route's link.
    pub(super) link: Option<LinkName>,
    /// The links of the next hops, in their order.
    pub(super) hop_links: Vec<Option<LinkName>>,
}

impl Draft {
    /// Returns the names of all links.
    pub(super) fn links(&self) -> Vec<LinkName> {
        let named = [&self.link].into_iter().chain(&self.hop_links);
        let mut names: Vec<LinkName> = named.flatten().cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the route with the indexes of its links.
    pub(super) fn resolve(&self, indexes: &BTreeMap<LinkName, u32>) -> TableRoute {
        let index = |name: &Option<LinkName>| indexes.get(name.as_ref()?).copied();
        let mut route = self.route.clone();
        route.link = index(&self.link);
        for (hop, name) in route.next_hops.iter_mut().zip(&self.hop_links) {
            hop.link = index(name);
        }
        route
    }
}

/// Converts a route of a driver, and checks it.
pub(super) fn draft(route: WitRoute, options: Option<RouteOptions>) -> Result<Draft, String> {
    let options = options.unwrap_or(RouteOptions {
        table: None,
        scope: None,
        source: None,
        link: None,
        on_link: false,
        next_hops: Vec::new(),
    });
    let destination: IpNet = route
        .destination
        .parse()
        .map_err(|_| format!("{:?} is no network", route.destination))?;
    let hop_links = options.next_hops.iter().map(|hop| name(hop.link.clone()));
    let hop_links = hop_links.collect::<Result<_, _>>()?;
    let draft = Draft {
        route: TableRoute {
            route: Route {
                destination: destination.trunc(),
                gateway: ip(route.gateway)?,
                metric: route.metric,
                kind: kind(route.kind),
            },
            table: options.table.unwrap_or(MAIN_TABLE),
            scope: options.scope.map(scope),
            source: ip(options.source)?,
            link: None,
            on_link: options.on_link,
            next_hops: options
                .next_hops
                .into_iter()
                .map(next_hop)
                .collect::<Result<_, _>>()?,
        },
        link: name(options.link)?,
        hop_links,
    };
    check(&draft)?;
    Ok(draft)
}

fn name(text: Option<String>) -> Result<Option<LinkName>, String> {
    text.map(LinkName::try_from)
        .transpose()
        .map_err(|error| error.to_string())
}

fn ip(text: Option<String>) -> Result<Option<IpAddr>, String> {
    text.map(|text| {
        text.parse()
            .map_err(|_| format!("{text:?} is no IP address"))
    })
    .transpose()
}

fn next_hop(hop: WitHop) -> Result<NextHop, String> {
    let hops = hop.weight.checked_sub(1).map(u8::try_from);
    Ok(NextHop {
        gateway: ip(hop.gateway)?,
        link: None,
        hops: match hops {
            Some(Ok(hops)) => hops,
            _ => {
                return Err(format!(
                    "{} is no weight: they go from 1 to 256",
                    hop.weight
                ));
            }
        },
        on_link: hop.on_link,
    })
}

fn kind(kind: Kind) -> RouteKind {
    match kind {
        Kind::Unicast => RouteKind::Unicast,
        Kind::Blackhole => RouteKind::Blackhole,
        Kind::Unreachable => RouteKind::Unreachable,
        Kind::Prohibit => RouteKind::Prohibit,
    }
}

fn scope(scope: WitScope) -> RouteScope {
    match scope {
        WitScope::Global => RouteScope::Global,
        WitScope::Link => RouteScope::Link,
        WitScope::Host => RouteScope::Host,
    }
}

fn check(draft: &Draft) -> Result<(), String> {
    let Draft { route, link, .. } = draft;
    let plain = &route.route;
    if route.table == 0 {
        return Err("there is no table 0".to_owned());
    }
    if !route.next_hops.is_empty() && (plain.gateway.is_some() || link.is_some() || route.on_link) {
        return Err(format!(
            "the route {plain} has next hops: put the gateway and the link there"
        ));
    }
    let is_v4 = |address: IpAddr| address.is_ipv4();
    let family = is_v4(plain.destination.addr());
    let gateways = route
        .by_next_hop()
        .into_iter()
        .filter_map(|hop| hop.route.gateway);
    if gateways.chain(route.source).any(|ip| is_v4(ip) != family) {
        return Err(format!("the route {plain} mixes IPv4 and IPv6"));
    }
    if plain.kind != RouteKind::Unicast {
        return check_without_next_hop(draft);
    }
    if plain.gateway.is_none() && link.is_none() && route.next_hops.is_empty() {
        return Err(format!("the route {plain} needs a gateway"));
    }
    let mut hops = route.next_hops.iter().zip(&draft.hop_links);
    if hops.any(|(hop, link)| hop.gateway.is_none() && link.is_none()) {
        return Err(format!(
            "each next hop of the route {plain} needs a gateway or a link"
        ));
    }
    Ok(())
}

fn check_without_next_hop(draft: &Draft) -> Result<(), String> {
    let plain = &draft.route.route;
    if plain.gateway.is_some() {
        return Err(format!("the route {plain} can't have a gateway"));
    }
    if draft.link.is_some() || draft.route.on_link || !draft.route.next_hops.is_empty() {
        return Err(format!("the route {plain} leads nowhere: it takes no link"));
    }
    Ok(())
}

/// Converts a route of the kernel.
pub(super) fn to_wit(found: FoundRoute, names: &BTreeMap<u32, LinkName>) -> RouteInfo {
    let FoundRoute { route, protocol } = found;
    let link = |index: Option<u32>| names.get(&index?).map(ToString::to_string);
    let hop = |hop: NextHop| WitHop {
        gateway: hop.gateway.map(|ip| ip.to_string()),
        link: link(hop.link),
        weight: u16::from(hop.hops) + 1,
        on_link: hop.on_link,
    };
    RouteInfo {
        route: WitRoute::from(&route.route),
        options: RouteOptions {
            table: Some(route.table),
            scope: route.scope.map(scope_to_wit),
            source: route.source.map(|ip| ip.to_string()),
            link: link(route.link),
            on_link: route.on_link,
            next_hops: route.next_hops.into_iter().map(hop).collect(),
        },
        protocol,
    }
}

fn scope_to_wit(scope: RouteScope) -> WitScope {
    match scope {
        RouteScope::Global => WitScope::Global,
        RouteScope::Link => WitScope::Link,
        RouteScope::Host => WitScope::Host,
    }
}
