//! Policy routing rules.

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use types::{Namespace, Rule};

use super::KernelError;

impl KernelError {
    /// Returns the error for a removal by which the kernel would remove another
    /// rule.
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

/// A rule that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRule {
    /// The rule.
    pub rule: Rule,
    /// The protocol (`rtnetlink.h`, RTPROT_*).
    pub protocol: u8,
}

/// A saved rule, as a netlink message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRule(pub(super) Vec<u8>);

/// Reading policy routing rules.
pub trait RulesRead {
    /// Lists the rules that a [`Rule`] can express, IPv4 before IPv6, in the
    /// kernel's order. Equivalent to `ip rule show`.
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError>;
    /// Whether a rule exists, or one that the kernel would remove in its place.
    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError>;
    /// Saves a rule for restoring it, even if it's foreign.
    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError>;
}

/// Adding and removing policy routing rules.
pub trait Rules {
    /// Adds a rule. Equivalent to `ip rule add`.
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a rule that this program added.
    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a saved rule.
    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError>;
    /// Restores a saved rule, unless it exists.
    fn put_back_rule(&mut self, namespace: Namespace, saved: &SavedRule)
    -> Result<(), KernelError>;
}
