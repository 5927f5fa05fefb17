//! The kinds of widenings that a grant can have.

use super::Call;

/// What a grant can name beyond own objects and the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReachKey {
    /// Names of links.
    Link,
    /// Where on the host new links may be.
    Place,
    /// Networks that addresses, and sources of rules, may come from.
    Address,
    /// Networks that routes may lead to, and rules be about.
    Destination,
    /// Routing tables of the host.
    Table,
    /// Numbers of VLANs.
    Vlan,
    /// Numbers of VXLANs.
    Vni,
    /// Names of kernel settings.
    Key,
    /// Names of secrets.
    Secret,
    /// Ports of the host.
    Port,
}

impl ReachKey {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 10] = [
        Self::Link,
        Self::Place,
        Self::Address,
        Self::Destination,
        Self::Table,
        Self::Vlan,
        Self::Vni,
        Self::Key,
        Self::Secret,
        Self::Port,
    ];

    /// Whether its patterns can be numbers, which need no quotes.
    pub(crate) fn has_numbers(self) -> bool {
        matches!(self, Self::Table | Self::Vlan | Self::Vni)
    }

    /// A pattern as a value of the grant file.
    pub(crate) fn value(self, pattern: &str) -> String {
        match pattern.parse::<u32>() {
            Ok(_) if self.has_numbers() => pattern.to_owned(),
            _ => format!("\"{pattern}\""),
        }
    }

    /// The key in the grant file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Place => "place",
            Self::Address => "address",
            Self::Destination => "destination",
            Self::Table => "table",
            Self::Vlan => "vlan",
            Self::Vni => "vni",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Port => "port",
        }
    }
}

/// A reach that a call hasn't got.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{call} has no reach {:?}: {}", key.name(), .call.reach_keys_in_words())]
pub struct UnfitReach {
    call: Call,
    key: ReachKey,
}

impl Call {
    /// Refuses a widening that could never apply: it would only look like one.
    pub fn check_reach_key(self, key: ReachKey) -> Result<(), UnfitReach> {
        match self.reach_keys().contains(&key) {
            true => Ok(()),
            false => Err(UnfitReach { call: self, key }),
        }
    }

    fn reach_keys_in_words(self) -> String {
        let names: Vec<_> = self.reach_keys().iter().map(|key| key.name()).collect();
        match names.is_empty() {
            true => "it can't be widened, write {}".to_owned(),
            false => format!("it can be widened by {}", names.join(", ")),
        }
    }
}
