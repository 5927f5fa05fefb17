//! The operator's policy: the vocabulary of calls, the grant file of a driver, and
//! [`decide`], which every call goes through. The crate reads no network state, and knows
//! nothing of WebAssembly.
//!
//! A grant is complete by itself. Nothing is merged into it, an unknown key is an error,
//! and a call that isn't listed is denied. Only `"*"` stands for all objects. A grant is
//! bound to the digest of the component.

#![deny(unsafe_code)]

mod calls;
mod decide;
mod edit;
mod file;
mod limits;
mod pattern;
mod place;
mod reach;
mod read;
mod risk;

pub use calls::{Call, KernelFeature, ReachKey, UnfitReach, UnknownCall};
pub use decide::{
    Authority, Cause, Denial, Object, Permit, RequestReach, UsedVf, decide, describe, reach_used,
    reached_only_as,
};
pub use edit::{Edit, Widening};
pub use file::{Grant, GrantError, line};
pub use limits::{LimitError, Limits};
pub use pattern::{
    InvalidPattern, KeyPattern, LinkPattern, NetworkPattern, PlacePattern, PortPattern,
    SecretPattern, TablePattern, VlanPattern, VniPattern,
};
pub use place::{Place, Problem};
pub use reach::{PatternError, Reach};
pub use read::{Wish, read_plain, read_wishes};
pub use risk::Risk;
