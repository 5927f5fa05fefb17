//! What of a grant an allowed call took.

use types::{Namespace, Rule};

use super::allow_list::widen;
use super::request_scope::requested;
use super::{Authority, Object};
use crate::reach::join;
use crate::{Call, LinkPattern, NetworkPattern, Reach};

/// The least of the grant's reach that would allow what is allowed: nothing for
/// own objects and what the request names.
pub fn reach_used(authority: &Authority, call: Call, objects: &[Object<'_>]) -> Reach {
    let Authority { grant, request } = authority;
    let mut used = Reach::default();
    let Some(reach) = grant.calls().get(&call) else {
        return used;
    };
    let beyond = objects
        .iter()
        .filter(|object| !object.is_own() && !requested(call, object, request));
    for object in beyond {
        match object {
            // Which links it saw is what the search comes to.
            Object::LinkWith { namespace, .. } => reach
                .links_of(*namespace)
                .for_each(|link| join(&mut used.link, &link)),
            Object::Rule {
                namespace, rule, ..
            } => used = used.joined(&rule_reach_used(*namespace, rule, reach)),
            object => widen(&mut used, object),
        }
    }
    used
}

/// The first thing that a rule names and the reach has.
fn rule_reach_used(namespace: Namespace, rule: &Rule, reach: &Reach) -> Reach {
    let address = |network| Reach {
        address: vec![NetworkPattern::one(network)],
        ..Reach::default()
    };
    if let Some(source) = rule.source.filter(|source| reach.has_address(*source)) {
        return address(source);
    }
    if let Some(to) = rule.destination.filter(|to| reach.has_destination(*to)) {
        return Reach {
            destination: vec![NetworkPattern::one(to)],
            ..Reach::default()
        };
    }
    let mut links = rule.links();
    match links.find(|name| reach.has_link(namespace, name)) {
        Some(name) => Reach {
            link: vec![LinkPattern::one(namespace, name.clone())],
            ..Reach::default()
        },
        None => address(rule.version.everything()),
    }
}
