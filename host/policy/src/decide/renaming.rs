//! The effect of a link's name on what a driver may reach.

use types::{LinkName, Namespace};

use super::{Authority, Object, requested, widened};
use crate::pattern::Pattern;
use crate::{Call, Reach};

/// Returns a call that reaches a foreign link under a new name and doesn't reach it under
/// its old one. Grants and requests mean the link that somebody else gave the name.
pub fn reached_only_as(
    authority: &Authority,
    namespace: Namespace,
    old: &LinkName,
    new: &LinkName,
) -> Option<Call> {
    let calls = authority.grant.calls().iter();
    let mut others = calls.filter(|(call, _)| **call != Call::LinksRename);
    let found = others.find(|(call, reach)| {
        let is_reached = |object: &Object<'_>| {
            requested(**call, object, &authority.request) || widened(**call, object, reach)
        };
        let mut roles = roles(namespace, old).into_iter().zip(roles(namespace, new));
        roles.any(|(old, new)| is_reached(&new) && !is_reached(&old))
            || has_more_keys(reach, namespace, old, new)
    });
    found.map(|(call, _)| *call)
}

/// Returns a link as each object that a call can take it for.
fn roles(namespace: Namespace, name: &LinkName) -> [Object<'_>; 3] {
    let own = false;
    [
        Object::Link {
            namespace,
            name,
            own,
        },
        Object::Master {
            namespace,
            name,
            own,
        },
        Object::Whole {
            namespace,
            name,
            own,
        },
    ]
}

/// Whether a reach has a kernel setting of the new name that it hasn't of the old one.
fn has_more_keys(reach: &Reach, namespace: Namespace, old: &LinkName, new: &LinkName) -> bool {
    let keys = reach.key.iter().filter(|key| key.namespace() == namespace);
    let mut renamed = keys.filter_map(|key| key.with_other_link(new, old));
    renamed.any(|key| !reach.key.iter().any(|own| own.covers(&key)))
}
