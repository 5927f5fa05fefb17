//! The part of a grant that an allowed call needs.

use types::{Namespace, Rule};

use super::allow_list::widen;
use super::request_scope::requested;
use super::{Authority, Object};
use crate::reach::join;
use crate::{Call, LinkPattern, NetworkPattern, Reach};

/// Returns the narrowest reach within the grant's that allows an allowed call. Own objects
/// and those that the request names need none.
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
            // The search can find any link of the grant's reach.
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

/// Returns the reach of the first object of a rule that the grant's reach has.
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
