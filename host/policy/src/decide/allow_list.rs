//! Rule 4: the objects in a grant's reach, and the patterns that a denial proposes.

use ipnet::IpNet;
use types::{Namespace, NumberRange, Rule};

use super::Object;
use super::setting::is_plain;
use crate::reach::join;
use crate::{
    Call, KeyPattern, LinkPattern, NetworkPattern, PlacePattern, PortPattern, Reach, SecretPattern,
    TablePattern, VlanPattern, VniPattern,
};

/// Rule 4: whether a reach has an object.
pub(super) fn widened(call: Call, object: &Object<'_>, reach: &Reach) -> bool {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::Whole {
            namespace, name, ..
        }
        | Object::Vf {
            namespace,
            card: name,
            ..
        }
        | Object::NewLink { namespace, name } => reach.has_link(*namespace, name),
        Object::Place(place) => reach.has_place(*place),
        Object::Vlans { numbers, .. } => reach.has_vlans(*numbers),
        Object::Vni(number) => reach.has_vni(*number),
        Object::DefaultRouteLink => reach.has_all_links(),
        Object::LinkWith { namespace, .. } => reach.has_links_of(*namespace),
        Object::AllLinks(namespace) => *namespace == Namespace::Host && reach.has_all_links(),
        Object::Address { address, .. } => reach.has_address(*address),
        Object::Source { network, .. } => reach.has_address(*network),
        Object::Outbound(address) => reach.has_address(IpNet::from(*address)),
        Object::Ports(ports) => reach.has_ports(ports),
        Object::Route { route, .. } => reach.has_destination(route.destination),
        // A setting that isn't plain changes the packets that a link takes or answers. A
        // `*` doesn't stand for it.
        Object::Key { namespace, key, .. } if call == Call::SysctlSet && !is_plain(key) => {
            reach.names_key(*namespace, key)
        }
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
        Object::Subnet(subnet) => reach.has_address(*subnet),
        Object::NameServer(address) => reach.has_address(IpNet::from(*address)),
        Object::DefaultMtu
        | Object::NewSubnet(_)
        | Object::State { .. }
        | Object::Message
        | Object::SearchDomain(_) => false,
    }
}

/// Adds the pattern for an object to the reach that a denial proposes.
pub(super) fn widen(reach: &mut Reach, object: &Object<'_>) {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::Whole {
            namespace, name, ..
        }
        | Object::Vf {
            namespace,
            card: name,
            ..
        }
        | Object::NewLink { namespace, name } => {
            join(
                &mut reach.link,
                &LinkPattern::one(*namespace, (*name).clone()),
            );
        }
        Object::Place(place) => join(&mut reach.place, &PlacePattern::one(*place)),
        Object::Vlans { numbers, .. } => join(&mut reach.vlan, &VlanPattern::one(*numbers)),
        Object::Vni(number) => {
            join(&mut reach.vni, &VniPattern::one(NumberRange::one(*number)));
        }
        Object::DefaultRouteLink | Object::AllLinks(_) => {
            join(&mut reach.link, &LinkPattern::all_of(Namespace::Host));
        }
        Object::LinkWith { namespace, .. } => {
            join(&mut reach.link, &LinkPattern::all_of(*namespace));
        }
        Object::Address { address, .. } => join(&mut reach.address, &NetworkPattern::one(*address)),
        Object::Source { network, .. } => {
            join(&mut reach.address, &NetworkPattern::one(*network));
        }
        Object::Outbound(address) => {
            join(
                &mut reach.address,
                &NetworkPattern::one(IpNet::from(*address)),
            );
        }
        Object::Route { route, .. } => {
            join(
                &mut reach.destination,
                &NetworkPattern::one(route.destination),
            );
        }
        Object::Key { namespace, key, .. } => {
            join(&mut reach.key, &KeyPattern::one(*namespace, key));
        }
        Object::Ports(ports) => join(&mut reach.port, &PortPattern::one(ports)),
        Object::Secret(name) => join(&mut reach.secret, &SecretPattern::one(name)),
        Object::Table { table, .. } => join(&mut reach.table, &TablePattern::one(*table)),
        Object::AllRoutes(_) => join(&mut reach.destination, &NetworkPattern::all()),
        Object::Rule {
            namespace, rule, ..
        } => widen_to_rule(reach, *namespace, rule),
        Object::AllRules(_) => join(&mut reach.address, &NetworkPattern::all()),
        Object::Neighbour { address, .. } => {
            join(
                &mut reach.address,
                &NetworkPattern::one(IpNet::from(*address)),
            );
        }
        Object::Subnet(subnet) => join(&mut reach.address, &NetworkPattern::one(*subnet)),
        Object::NameServer(address) => {
            join(
                &mut reach.address,
                &NetworkPattern::one(IpNet::from(*address)),
            );
        }
        Object::DefaultMtu
        | Object::NewSubnet(_)
        | Object::State { .. }
        | Object::Message
        | Object::SearchDomain(_) => {}
    }
}

/// Adds the pattern for the first object that a rule names. Each further object only
/// narrows the rule.
fn widen_to_rule(reach: &mut Reach, namespace: Namespace, rule: &Rule) {
    match (rule.source, rule.destination, rule.links().next()) {
        (Some(source), _, _) => join(&mut reach.address, &NetworkPattern::one(source)),
        (None, Some(to), _) => join(&mut reach.destination, &NetworkPattern::one(to)),
        (None, None, Some(name)) => {
            join(&mut reach.link, &LinkPattern::one(namespace, name.clone()));
        }
        (None, None, None) => {
            let everything = rule.version.everything();
            join(&mut reach.address, &NetworkPattern::one(everything));
        }
    }
}
