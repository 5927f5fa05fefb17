//! Saved objects, made from plain values and read back, for the simulated
//! kernel.

use std::collections::BTreeMap;

use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;

use super::snapshot::{bytes, parse};
use super::{address, neighbour, route, rule};
use crate::{
    AddressState, FoundNeighbour, FoundRoute, FoundRule, KernelError, KnownLink, LinkId,
    LinkSnapshot, Neighbour, NewAddress, SavedNeighbour, SavedRoutes, SavedRule,
};

/// The conversions between saved objects and plain values.
pub struct Saved;

impl Saved {
    /// Saves routes.
    pub fn routes(routes: &[FoundRoute], links: Vec<KnownLink>) -> SavedRoutes {
        SavedRoutes {
            messages: routes.iter().map(route_bytes).collect(),
            links,
        }
    }

    /// Reads saved routes.
    pub fn read_routes(saved: &SavedRoutes) -> Result<Vec<FoundRoute>, KernelError> {
        read_routes(&saved.messages)
    }

    /// Saves a rule.
    pub fn rule(found: &FoundRule) -> SavedRule {
        SavedRule(bytes(&rule::message_of(found)))
    }

    /// Reads a saved rule. Returns `None` if a [`types::Rule`] can't express it.
    pub fn read_rule(saved: &SavedRule) -> Result<Option<FoundRule>, KernelError> {
        let message: RuleMessage = parse(&saved.0)?;
        Ok(rule::expressed(message))
    }

    /// Saves a neighbour that somebody has set.
    pub fn neighbour(link: LinkId, found: &FoundNeighbour) -> SavedNeighbour {
        let entry = match found.mac {
            Some(mac) => Neighbour::Permanent(mac),
            None => Neighbour::Proxy,
        };
        SavedNeighbour(bytes(&neighbour::message(link, found.address, entry)))
    }

    /// Reads a saved neighbour.
    pub fn read_neighbour(saved: &SavedNeighbour) -> Result<Option<FoundNeighbour>, KernelError> {
        let message: NeighbourMessage = parse(&saved.0)?;
        Ok(neighbour::found(&message))
    }

    /// Makes the snapshot of a link.
    pub fn snapshot(
        link: LinkId,
        settings: BTreeMap<String, String>,
        addresses: &[NewAddress],
        routes: &[FoundRoute],
        neighbours: &[FoundNeighbour],
    ) -> LinkSnapshot {
        let addresses = addresses.iter();
        let neighbours = neighbours.iter();
        LinkSnapshot {
            settings,
            addresses: addresses
                .map(|new| bytes(&address::new_message(link.index, new)))
                .collect(),
            routes: routes.iter().map(route_bytes).collect(),
            neighbours: neighbours
                .map(|found| Self::neighbour(link, found))
                .collect(),
        }
    }

    /// Reads the addresses of a snapshot.
    pub fn read_addresses(snapshot: &LinkSnapshot) -> Result<Vec<NewAddress>, KernelError> {
        let messages = snapshot.addresses.iter();
        let addresses = messages.map(|bytes| {
            let message: AddressMessage = parse(bytes)?;
            let no_prefix_route = address::has_no_prefix_route(&message);
            let state: Option<AddressState> = address::state(&message);
            Ok(state.map(|state| NewAddress {
                address: state.address,
                no_dad: false,
                no_prefix_route,
            }))
        });
        let addresses: Result<Vec<_>, KernelError> = addresses.collect();
        Ok(addresses?.into_iter().flatten().collect())
    }

    /// Reads the routes of a snapshot.
    pub fn read_snapshot_routes(snapshot: &LinkSnapshot) -> Result<Vec<FoundRoute>, KernelError> {
        read_routes(&snapshot.routes)
    }
}

fn read_routes(messages: &[Vec<u8>]) -> Result<Vec<FoundRoute>, KernelError> {
    let routes = messages.iter().map(|bytes| {
        let message: RouteMessage = parse(bytes)?;
        Ok(route::found(&message))
    });
    let routes: Result<Vec<_>, KernelError> = routes.collect();
    Ok(routes?.into_iter().flatten().collect())
}

fn route_bytes(found: &FoundRoute) -> Vec<u8> {
    let mut message = route::message(&found.route);
    message.header.protocol = found.protocol.into();
    bytes(&message)
}
