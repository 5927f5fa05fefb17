//! Policy routing rules as the kernel has them.

use serde::{Deserialize, Serialize};

use crate::net::Rule;

/// A rule that the kernel has, and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRule {
    /// The rule.
    pub rule: Rule,
    /// The protocol (`rtnetlink.h`, RTPROT_*).
    pub protocol: u8,
}

/// A rule that was there, as a message of the kernel's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRule(pub(super) Vec<u8>);
