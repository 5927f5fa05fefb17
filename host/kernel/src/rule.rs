//! Policy routing rules as the kernel has them.

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use types::Rule;

use super::KernelError;

impl KernelError {
    /// The kernel would take another rule for the one that is to be removed.
    pub fn would_remove_other(other: &Rule) -> Self {
        Self::Refused {
            errno: Errno::EBUSY,
            text: format!(
                "the kernel would remove another rule of the same priority and table, {other}: \
                 remove that one first"
            ),
        }
    }
}

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
