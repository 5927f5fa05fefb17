//! Routes over rtnetlink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::StreamExt;
use ipnet::IpNet;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteType};
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::{Handle, RouteMessageBuilder};

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

/// Adds a route. Another one to the same destination may be there, through
/// another gateway: each network of a container has its default route. That
/// is what rtnetlink's own request refuses (NLM_F_EXCL) and netavark doesn't.
pub(super) async fn add(mut handle: Handle, route: RouteMessage) -> Result<(), rtnetlink::Error> {
    let mut request = NetlinkMessage::from(RouteNetlinkMessage::NewRoute(route));
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
    let mut answers = handle.request(request)?;
    while let Some(answer) = answers.next().await {
        if let NetlinkPayload::Error(message) = answer.payload {
            return Err(rtnetlink::Error::NetlinkError(message));
        }
    }
    Ok(())
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

/// Whether the kernel's route is the one that a message adds.
pub(super) fn is_same(answer: &RouteMessage, wanted: &RouteMessage) -> bool {
    let header = |route: &RouteMessage| {
        let header = &route.header;
        (header.table, header.kind, header.destination_prefix_length)
    };
    let counts = |route: &RouteMessage| {
        let attributes = route.attributes.iter().filter(|attribute| match attribute {
            // The kernel leaves it out of default routes.
            RouteAttribute::Destination(_) => route.header.destination_prefix_length > 0,
            RouteAttribute::Gateway(_) | RouteAttribute::Priority(_) => true,
            _ => false,
        });
        attributes.cloned().collect::<Vec<_>>()
    };
    let (answer_has, wanted_has) = (counts(answer), counts(wanted));
    header(answer) == header(wanted)
        && answer_has.len() == wanted_has.len()
        && wanted_has.iter().all(|one| answer_has.contains(one))
}

/// A question for all routes of a destination's family.
pub(super) fn all_routes_question(destination: IpNet) -> RouteMessage {
    let [v4, v6] = all_routes_questions();
    if destination.addr().is_ipv4() { v4 } else { v6 }
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
