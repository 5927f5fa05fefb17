//! The decision about each call.
//!
//! | rule | a call may touch an object |
//! |---|---|
//! | 1 | never, if the grant doesn't list the call and the call needs a grant |
//! | 2 | if the driver made or moved it for this container |
//! | 3 | if the request names it for this call (`requested`) |
//! | 4 | if the grant's reach for the call has it (`widened`) |

mod allow_list;
mod object;
mod renaming;
mod request_scope;
mod setting;
#[cfg(test)]
mod tests;
mod usage;

use std::fmt;

pub use object::{Object, describe};
pub use renaming::reached_only_as;
pub use request_scope::{RequestReach, UsedVf};
pub use usage::reach_used;

use super::file::line;
use super::{Call, Grant, Reach};
use allow_list::{widen, widened};
use request_scope::requested;

/// The basis of all decisions of a run.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The operator's grant.
    pub grant: Grant,
    /// The request's reach.
    pub request: RequestReach,
}

/// The proof that a call was allowed. Only [`decide`] makes one, and the gate opens the
/// kernel only for a permit.
#[derive(Debug)]
pub struct Permit(());

/// The number of objects that the proposed line of a denial allows. Comparing each with
/// each takes time, and nobody reads more.
const PROPOSED_MAX: usize = 64;

/// The denial of a call, with the line that would allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The call.
    pub call: Call,
    /// The objects, as text.
    pub object: String,
    /// The cause.
    pub cause: Cause,
    /// The line of the grant file that would allow the call.
    pub line: String,
    /// Another call that does the same with less reach.
    pub instead: Option<Call>,
    /// The reach that the grant lacks.
    pub lacking: Box<Reach>,
}

/// Why a call was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The grant doesn't list the call.
    NotGranted,
    /// An object is neither own, nor named by the request, nor in the grant's reach.
    OutOfReach,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGranted => "the grant doesn't list this call",
            Self::OutOfReach => {
                "it is neither the driver's own, nor named by the request, nor in the grant"
            }
        })
    }
}

/// Decides whether a call may touch all of the objects.
pub fn decide(authority: &Authority, call: Call, objects: &[Object<'_>]) -> Result<Permit, Denial> {
    let Authority { grant, request } = authority;
    let nothing = Reach::default();
    let free = (!call.needs_grant()).then_some(&nothing);
    let granted = grant.calls().get(&call).or(free);
    let reach = granted.unwrap_or(&nothing);
    let beyond: Vec<_> = objects
        .iter()
        .filter(|object| {
            !object.is_own() && !requested(call, object, request) && !widened(call, object, reach)
        })
        .collect();
    let cause = match granted {
        None => Cause::NotGranted,
        Some(_) if !beyond.is_empty() => Cause::OutOfReach,
        Some(_) => return Ok(Permit(())),
    };
    let (mut wanted, mut lacking) = (reach.clone(), Reach::default());
    for object in beyond.iter().take(PROPOSED_MAX) {
        widen(&mut wanted, object);
        widen(&mut lacking, object);
    }
    Err(Denial {
        call,
        object: describe(objects),
        cause,
        line: line(call, &wanted),
        instead: beyond.iter().find_map(|object| instead(object)),
        lacking: Box::new(lacking),
    })
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on {} is denied: {}",
            self.call, self.object, self.cause
        )?;
        match self.instead {
            Some(call) => write!(f, " (on an own link, {call} sets it)"),
            None => Ok(()),
        }
    }
}

/// Returns the call that is made for an object, if there is one.
fn instead(object: &Object<'_>) -> Option<Call> {
    match object {
        Object::Key {
            key,
            of_own_link: true,
            ..
        } => setting::call_for(key),
        _ => None,
    }
}
