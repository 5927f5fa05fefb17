//! The effect of a link's name on what a driver may reach.

use types::{LinkName, Namespace};

use super::{Authority, Object, requested, widened};
use crate::{Call, Reach};

/// Returns a call that reaches a foreign link under a new name and doesn't reach it under
/// its old one. Grants and requests mean the link that somebody else gave the name.
pub fn reached_only_as(
    authority: &Authority,
    namespace: Namespace,
    old: &LinkName,
    new: &LinkName,
) -> Option<Call> {
    let reaches = |call: Call, reach: &Reach, name| {
        let link = Object::Link {
            namespace,
            name,
            own: false,
        };
        requested(call, &link, &authority.request) || widened(call, &link, reach)
    };
    let calls = authority.grant.calls().iter();
    let mut others = calls.filter(|(call, _)| **call != Call::LinksRename);
    let found =
        others.find(|(call, reach)| reaches(**call, reach, new) && !reaches(**call, reach, old));
    found.map(|(call, _)| *call)
}
