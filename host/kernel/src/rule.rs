//! Policy routing rules as the kernel has them.

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use types::{Namespace, Rule};

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

/// Reading policy routing rules.
pub trait RulesRead {
    /// Lists the rules that can be told, IPv4 before IPv6, in the kernel's order.
    /// Equivalent to `ip rule show`.
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError>;
    /// Whether a rule is there, or one that the kernel would remove in its place.
    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError>;
    /// Saves a rule, whoever made it, for restoring it.
    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError>;
}

/// Adding and removing policy routing rules.
pub trait Rules {
    /// Adds a rule. Equivalent to `ip rule add`.
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a rule that was added here.
    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError>;
    /// Removes a saved rule.
    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError>;
    /// Restores a saved rule unless it is there.
    fn put_back_rule(&mut self, namespace: Namespace, saved: &SavedRule)
    -> Result<(), KernelError>;
}
