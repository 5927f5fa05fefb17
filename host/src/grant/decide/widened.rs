//! Rule 4: what the grant spells out, and what it would have to.

use ipnet::IpNet;

use super::Object;
use crate::grant::{KeyPattern, LinkPattern, NetworkPattern, PortPattern, Reach, TablePattern};
use crate::net::{Namespace, Rule};

/// Whether a reach has an object.
pub(super) fn widened(object: &Object<'_>, reach: &Reach) -> bool {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::NewLink { namespace, name } => reach.has_link(*namespace, name),
        Object::DefaultRouteLink => reach.has_all_links(),
        Object::LinkWith { namespace, .. } => reach.has_links_of(*namespace),
        Object::AllLinks(namespace) => *namespace == Namespace::Host && reach.has_all_links(),
        Object::Address { address, .. } => reach.has_address(*address),
        Object::Source(source) => reach.has_address(*source),
        Object::Outbound(address) => reach.has_address(IpNet::from(*address)),
        Object::Ports(ports) => reach.has_ports(ports),
        Object::Route { route, .. } => reach.has_destination(route.destination),
        Object::Key { namespace, key, .. } => reach.has_key(*namespace, key),
        Object::Secret(name) => reach.has_secret(name),
        Object::Table {
            namespace, table, ..
        } => *namespace == Namespace::Host && reach.has_table(*table),
        Object::AllRoutes(namespace) => {
            *namespace == Namespace::Host && reach.has_all_destinations()
        }
        Object::Rule {
            namespace, rule, ..
        } => {
            let has_source = |source: &IpNet| reach.has_address(*source);
            let has_destination = |to: &IpNet| reach.has_destination(*to);
            rule.source.iter().any(has_source)
                || rule.destination.iter().any(has_destination)
                || rule.links().any(|name| reach.has_link(*namespace, name))
                || reach.has_address(rule.version.everything())
        }
        Object::AllRules(namespace) => *namespace == Namespace::Host && reach.has_all_addresses(),
        Object::Neighbour { address, .. } => reach.has_address(IpNet::from(*address)),
        Object::State { .. } | Object::Message => false,
    }
}

/// Adds what an object needs to the reach that a denial proposes.
pub(super) fn widen(reach: &mut Reach, object: &Object<'_>) {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::NewLink { namespace, name } => {
            reach
                .link
                .push(LinkPattern::one(*namespace, (*name).clone()));
        }
        Object::DefaultRouteLink | Object::AllLinks(_) => {
            reach.link.push(LinkPattern::all_of(Namespace::Host));
        }
        Object::LinkWith { namespace, .. } => reach.link.push(LinkPattern::all_of(*namespace)),
        Object::Address { address, .. } => reach.address.push(NetworkPattern::one(*address)),
        Object::Source(source) => reach.address.push(NetworkPattern::one(*source)),
        Object::Outbound(address) => {
            reach
                .address
                .push(NetworkPattern::one(IpNet::from(*address)));
        }
        Object::Route { route, .. } => {
            reach
                .destination
                .push(NetworkPattern::one(route.destination));
        }
        Object::Key { namespace, key, .. } => reach.key.push(KeyPattern::one(*namespace, key)),
        Object::Ports(ports) => reach.port.push(PortPattern::one(ports)),
        Object::Secret(name) => reach.secret.push((*name).to_owned()),
        Object::Table { table, .. } => reach.table.push(TablePattern::one(*table)),
        Object::AllRoutes(_) => reach.destination.push(NetworkPattern::all()),
        Object::Rule {
            namespace, rule, ..
        } => widen_to_rule(reach, *namespace, rule),
        Object::AllRules(_) => reach.address.push(NetworkPattern::all()),
        Object::Neighbour { address, .. } => {
            reach
                .address
                .push(NetworkPattern::one(IpNet::from(*address)));
        }
        Object::State { .. } | Object::Message => {}
    }
}

/// Adds the first thing that a rule names: what else it names only narrows it.
fn widen_to_rule(reach: &mut Reach, namespace: Namespace, rule: &Rule) {
    match (rule.source, rule.destination, rule.links().next()) {
        (Some(source), _, _) => reach.address.push(NetworkPattern::one(source)),
        (None, Some(to), _) => reach.destination.push(NetworkPattern::one(to)),
        (None, None, Some(name)) => reach.link.push(LinkPattern::one(namespace, name.clone())),
        (None, None, None) => {
            let everything = rule.version.everything();
            reach.address.push(NetworkPattern::one(everything));
        }
    }
}
