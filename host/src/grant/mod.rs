//! The operator's word: the vocabulary of calls, the grant file of a driver,
//! and [`decide`], which every call goes through. It knows nothing of
//! WebAssembly or of netlink sockets.
//!
//! A grant is complete by itself: nothing is merged into it, unknown keys are
//! errors, what it doesn't list is denied, and `"*"` must be written to mean
//! all. It is bound to the digest of the component.

mod calls;
mod decide;
mod edit;
mod file;
mod limits;
mod reach;

pub use calls::{Call, ReachKey, UnknownCall};
pub use decide::{
    Authority, Cause, Denial, Object, Permit, RequestReach, decide, describe, reach_used,
};
pub use edit::Widening;
pub use file::{Grant, GrantError};
pub use limits::Limits;
pub use reach::{KeyPattern, LinkPattern, NetworkPattern, PortPattern, Reach, TablePattern};
