//! Routes over rtnetlink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteType};
use rtnetlink::RouteMessageBuilder;

use crate::kernel::KernelError;
use crate::net::{DEFAULT_METRIC, Route, RouteKind};

/// The message for a route of the main table.
pub(super) fn message(route: &Route) -> Result<RouteMessage, KernelError> {
    let mut builder = RouteMessageBuilder::<IpAddr>::new()
        .destination_prefix(route.destination.addr(), route.destination.prefix_len())
        .map_err(wrong)?
        .priority(route.metric.unwrap_or(DEFAULT_METRIC))
        .kind(kind(route.kind));
    if let Some(gateway) = route.gateway {
        builder = builder.gateway(gateway).map_err(wrong)?;
    }
    Ok(builder.build())
}

/// What can only be a mistake here: requests and calls check families before.
fn wrong(error: impl std::fmt::Display) -> KernelError {
    KernelError::Netlink(error.to_string())
}

fn kind(kind: RouteKind) -> RouteType {
    match kind {
        RouteKind::Unicast => RouteType::Unicast,
        RouteKind::Blackhole => RouteType::BlackHole,
        RouteKind::Unreachable => RouteType::Unreachable,
        RouteKind::Prohibit => RouteType::Prohibit,
    }
}

/// Questions for all routes, IPv4 before IPv6.
pub(super) fn all_routes_questions() -> [RouteMessage; 2] {
    [
        RouteMessageBuilder::<Ipv4Addr>::new().build(),
        RouteMessageBuilder::<Ipv6Addr>::new().build(),
    ]
}

/// The index of the link of a default route of the main table.
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
