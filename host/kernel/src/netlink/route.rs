//! Messages for routes over rtnetlink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteNextHop,
    RouteNextHopFlags, RouteProtocol, RouteScope as WireScope, RouteType, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::Handle;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use types::{DEFAULT_METRIC, IpVersion, Route, RouteKind};

use super::{family, send};
use crate::{FoundRoute, NextHop, RouteScope, TableRoute};

/// Returns the message for a route.
pub(super) fn message(route: &TableRoute) -> RouteMessage {
    let mut message = RouteMessage::default();
    let destination = route.route.destination;
    let header = &mut message.header;
    header.address_family = family(IpVersion::of(&destination));
    header.destination_prefix_length = destination.prefix_len();
    header.protocol = RouteProtocol::Static;
    header.scope = wire_scope(route.effective_scope());
    header.kind = kind(route.route.kind);
    header.flags.set(RouteFlags::Onlink, route.on_link);
    let metric = route.route.metric.unwrap_or(DEFAULT_METRIC);
    message.attributes = vec![
        RouteAttribute::Destination(destination.addr().into()),
        RouteAttribute::Priority(metric),
    ];
    match u8::try_from(route.table) {
        Ok(table) => message.header.table = table,
        // The header's field is too small for it.
        Err(_) => message.attributes.push(RouteAttribute::Table(route.table)),
    }
    let hops: Vec<RouteNextHop> = route.next_hops.iter().map(wire_hop).collect();
    let more = [
        route
            .route
            .gateway
            .map(|ip| RouteAttribute::Gateway(ip.into())),
        route.source.map(|ip| RouteAttribute::PrefSource(ip.into())),
        route.link.map(RouteAttribute::Oif),
        (!hops.is_empty()).then_some(RouteAttribute::MultiPath(hops)),
    ];
    message.attributes.extend(more.into_iter().flatten());
    message
}

fn wire_hop(hop: &NextHop) -> RouteNextHop {
    let mut wire = RouteNextHop::default();
    wire.flags.set(RouteNextHopFlags::Onlink, hop.on_link);
    wire.hops = hop.hops;
    wire.interface_index = hop.link.unwrap_or(0);
    let gateway = hop.gateway.map(|ip| RouteAttribute::Gateway(ip.into()));
    wire.attributes.extend(gateway);
    wire
}

fn kind(kind: RouteKind) -> RouteType {
    match kind {
        RouteKind::Unicast => RouteType::Unicast,
        RouteKind::Blackhole => RouteType::BlackHole,
        RouteKind::Unreachable => RouteType::Unreachable,
        RouteKind::Prohibit => RouteType::Prohibit,
    }
}

fn known_kind(kind: RouteType) -> Option<RouteKind> {
    match kind {
        RouteType::Unicast => Some(RouteKind::Unicast),
        RouteType::BlackHole => Some(RouteKind::Blackhole),
        RouteType::Unreachable => Some(RouteKind::Unreachable),
        RouteType::Prohibit => Some(RouteKind::Prohibit),
        _ => None,
    }
}

fn wire_scope(scope: RouteScope) -> WireScope {
    match scope {
        RouteScope::Global => WireScope::Universe,
        RouteScope::Link => WireScope::Link,
        RouteScope::Host => WireScope::Host,
    }
}

fn known_scope(scope: WireScope) -> Option<RouteScope> {
    match scope {
        WireScope::Universe => Some(RouteScope::Global),
        WireScope::Link => Some(RouteScope::Link),
        WireScope::Host => Some(RouteScope::Host),
        _ => None,
    }
}

/// Adds a route. Another route to the same destination may exist, through
/// another gateway: each network of a container has its default route.
/// rtnetlink's own request refuses that (NLM_F_EXCL), and netavark doesn't.
pub(super) async fn add(handle: Handle, route: RouteMessage) -> Result<(), rtnetlink::Error> {
    send(handle, RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE).await
}

/// Replaces a route, or adds it.
pub(super) async fn replace(handle: Handle, route: RouteMessage) -> Result<(), rtnetlink::Error> {
    let request = RouteNetlinkMessage::NewRoute(route);
    send(handle, request, NLM_F_CREATE | NLM_F_REPLACE).await
}

/// Reads a route. Returns `None` for kinds that drivers don't know, and for
/// cached routes.
pub(super) fn found(message: &RouteMessage) -> Option<FoundRoute> {
    let header = &message.header;
    if header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    let kind = known_kind(header.kind)?;
    let is_v4 = header.address_family == AddressFamily::Inet;
    let mut destination: IpAddr = match is_v4 {
        true => Ipv4Addr::UNSPECIFIED.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let (mut gateway, mut source, mut link, mut next_hops) = (None, None, None, Vec::new());
    let mut metric = 0;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(at) => destination = ip(at)?,
            RouteAttribute::PrefSource(at) => source = ip(at),
            RouteAttribute::Oif(index) => link = Some(*index),
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::MultiPath(hops) => next_hops = hops.iter().map(found_hop).collect(),
            attribute => gateway = gateway.or(gateway_of(attribute)),
        }
    }
    Some(FoundRoute {
        route: TableRoute {
            route: Route {
                destination: IpNet::new(destination, header.destination_prefix_length).ok()?,
                gateway,
                metric: Some(metric),
                kind,
            },
            table: table(message),
            scope: known_scope(header.scope).filter(|_| is_v4),
            source,
            // For IPv6 routes without a link, the kernel names `lo`.
            link: link.filter(|_| kind == RouteKind::Unicast),
            on_link: header.flags.contains(RouteFlags::Onlink),
            next_hops,
        },
        protocol: header.protocol.into(),
    })
}

fn found_hop(hop: &RouteNextHop) -> NextHop {
    NextHop {
        gateway: hop.attributes.iter().find_map(gateway_of),
        link: Some(hop.interface_index),
        hops: hop.hops,
        on_link: hop.flags.contains(RouteNextHopFlags::Onlink),
    }
}

fn gateway_of(attribute: &RouteAttribute) -> Option<IpAddr> {
    match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        RouteAttribute::Via(RouteVia::Inet(address)) => Some((*address).into()),
        RouteAttribute::Via(RouteVia::Inet6(address)) => Some((*address).into()),
        _ => None,
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

/// Returns the table of a route.
pub(super) fn table(message: &RouteMessage) -> u32 {
    let mut attributes = message.attributes.iter();
    let table = attributes.find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    table.unwrap_or(message.header.table.into())
}

/// Returns the routes that an answer of the kernel stands for. The kernel shows
/// IPv6 routes with the same destination and metric as one route with several
/// gateway_of hops.
pub(super) fn by_next_hop(answer: &RouteMessage) -> Vec<RouteMessage> {
    let is_hops = |attribute: &RouteAttribute| matches!(attribute, RouteAttribute::MultiPath(_));
    let mut hops = answer
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            RouteAttribute::MultiPath(hops) => Some(hops),
            _ => None,
        });
    let hops = match hops.next() {
        Some(hops) if answer.header.address_family == AddressFamily::Inet6 => hops,
        _ => return vec![answer.clone()],
    };
    let one = |hop: &RouteNextHop| {
        let mut route = answer.clone();
        route.attributes.retain(|attribute| !is_hops(attribute));
        route.attributes.extend(hop.attributes.iter().cloned());
        route
            .attributes
            .push(RouteAttribute::Oif(hop.interface_index));
        let on_link = hop.flags.contains(RouteNextHopFlags::Onlink);
        route.header.flags.set(RouteFlags::Onlink, on_link);
        route
    };
    hops.iter().map(one).collect()
}

/// Whether a route of the kernel is the wanted one. Properties that the wanted
/// route leaves out may have any value.
pub(super) fn is_same(answer: &RouteMessage, wanted: &TableRoute) -> bool {
    let Some(FoundRoute { route: found, .. }) = found(answer) else {
        return false;
    };
    let has_scope =
        wanted.route.destination.addr().is_ipv6() || found.scope == Some(wanted.effective_scope());
    let given = |wanted: Option<u32>, found| wanted.is_none() || wanted == found;
    let same_hop = |(wanted, found): (&NextHop, &NextHop)| {
        wanted.gateway == found.gateway
            && given(wanted.link, found.link)
            && wanted.hops == found.hops
    };
    has_same_key(&found, wanted)
        && found.route.kind == wanted.route.kind
        && found.route.gateway == wanted.route.gateway
        && has_scope
        && (wanted.source.is_none() || found.source == wanted.source)
        && given(wanted.link, found.link)
        && found.next_hops.len() == wanted.next_hops.len()
        && wanted.next_hops.iter().zip(&found.next_hops).all(same_hop)
}

/// Whether the wanted route would replace a route of the kernel.
pub(super) fn is_rival(answer: &RouteMessage, wanted: &TableRoute) -> bool {
    found(answer).is_some_and(|found| has_same_key(&found.route, wanted))
}

fn has_same_key(found: &TableRoute, wanted: &TableRoute) -> bool {
    found.table == wanted.table
        && found.route.destination == wanted.route.destination
        && found.route.metric == Some(wanted.route.metric.unwrap_or(DEFAULT_METRIC))
}

/// Returns the question for the routes of a version of IP, in one table or in all of
/// them. The kernel leaves out the other tables since Linux 4.20.
pub(super) fn question(version: IpVersion, table: Option<u32>) -> RouteMessage {
    let mut question = RouteMessage::default();
    question.header.address_family = family(version);
    if let Some(table) = table {
        question.attributes.push(RouteAttribute::Table(table));
    }
    question
}

/// Returns the questions for all routes, IPv4 before IPv6.
pub(super) fn all_routes_questions() -> [RouteMessage; 2] {
    IpVersion::ALL.map(|version| question(version, None))
}

/// Returns the index of the outgoing link of a default route in the main table.
pub(super) fn default_link(message: &RouteMessage) -> Option<u32> {
    let header = &message.header;
    if header.table != RouteHeader::RT_TABLE_MAIN
        || header.kind != RouteType::Unicast
        || header.destination_prefix_length != 0
    {
        return None;
    }
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_core::{Emitable, Parseable};

    use super::*;

    fn round_trip(route: &TableRoute) -> TableRoute {
        let message = message(route);
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        let parsed = RouteMessage::parse(&bytes).unwrap();
        assert!(is_same(&parsed, route), "{parsed:?}");
        found(&parsed).unwrap().route
    }

    fn route(destination: &str, gateway: Option<&str>) -> TableRoute {
        TableRoute {
            route: Route {
                destination: destination.parse().unwrap(),
                gateway: gateway.map(|gateway| gateway.parse().unwrap()),
                metric: Some(7),
                kind: RouteKind::Unicast,
            },
            table: 254,
            scope: None,
            source: None,
            link: None,
            on_link: false,
            next_hops: Vec::new(),
        }
    }

    #[test]
    fn all_options_come_back_from_the_message() {
        let full = TableRoute {
            table: 1077,
            scope: Some(RouteScope::Link),
            source: Some("10.0.0.2".parse().unwrap()),
            link: Some(7),
            on_link: true,
            ..route("10.9.0.0/16", Some("10.0.0.1"))
        };
        assert_eq!(round_trip(&full), full);
        let v6 = TableRoute {
            link: Some(7),
            ..route("::/0", Some("fd00::1"))
        };
        assert_eq!(round_trip(&v6), v6);
    }

    #[test]
    fn several_ways_come_back_from_the_message() {
        let hop = |gateway: &str, hops| NextHop {
            gateway: Some(gateway.parse().unwrap()),
            link: Some(3),
            hops,
            on_link: hops > 0,
        };
        let several = TableRoute {
            scope: Some(RouteScope::Global),
            next_hops: vec![hop("10.0.0.1", 0), hop("10.0.0.3", 255)],
            ..route("10.9.0.0/16", None)
        };
        assert_eq!(round_trip(&several), several);
    }

    #[test]
    fn ipv6_ways_are_routes_of_their_own() {
        let hop = |gateway: &str| NextHop {
            gateway: Some(gateway.parse().unwrap()),
            link: Some(3),
            hops: 0,
            on_link: false,
        };
        let joined = TableRoute {
            next_hops: vec![hop("fd00::1"), hop("fd00::3")],
            ..route("fd01::/64", None)
        };
        let hops = by_next_hop(&message(&joined));
        assert_eq!(hops.len(), 2);
        for (hop, gateway) in hops.iter().zip(["fd00::1", "fd00::3"]) {
            assert!(is_same(hop, &route("fd01::/64", Some(gateway))), "{hop:?}");
        }
    }
}
