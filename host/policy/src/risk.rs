//! How much there is to lose by granting a call.

use std::fmt;

use serde::Serialize;

use super::{Call, Reach};

/// How much there is to lose by granting a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// It changes nothing.
    Reads,
    /// It changes the container, and what the driver made itself.
    Low,
    /// It changes the host, in what the request asks for, or makes a link there.
    Medium,
    /// It takes something from the host or opens it, uses secrets, or changes
    /// what the grant names beyond the request.
    High,
}

impl Risk {
    /// Of a call with a reach: whatever changes something of the host's beyond
    /// the request is a high one.
    pub fn of(call: Call, reach: &Reach) -> Self {
        match call.risk() {
            Self::Reads => Self::Reads,
            _ if reach.is_of_host() => Self::High,
            Self::Low if !reach.place.is_empty() => Self::Medium,
            risk => risk,
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reads => "reads",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReachKey;

    fn risk(call: Call, link: &str) -> Risk {
        let mut reach = Reach::default();
        reach.add(ReachKey::Link, link).unwrap();
        Risk::of(call, &reach)
    }

    #[test]
    fn what_is_beyond_the_request_counts_only_on_the_host() {
        assert_eq!(Risk::of(Call::LinksSetMtu, &Reach::default()), Risk::Low);
        assert_eq!(risk(Call::LinksSetMtu, "container:*"), Risk::Low);
        assert_eq!(risk(Call::LinksSetMtu, "eth0"), Risk::High);
        assert_eq!(risk(Call::LinksGet, "*"), Risk::Reads);
    }

    #[test]
    fn a_link_on_the_host_is_a_change_of_the_host() {
        let mut reach = Reach::default();
        reach.add(ReachKey::Place, "host").unwrap();
        assert_eq!(Risk::of(Call::LinksCreateIfb, &reach), Risk::Medium);
        assert_eq!(Risk::of(Call::LinksCreateVeth, &reach), Risk::Medium);
        reach.add(ReachKey::Link, "br0").unwrap();
        assert_eq!(Risk::of(Call::LinksCreateIfb, &reach), Risk::High);
    }

    #[test]
    fn the_words_say_whether_something_is_changed() {
        for call in Call::ALL {
            let reads = call.effect().starts_with("reads");
            assert_eq!(call.risk() == Risk::Reads, reads, "{call}");
        }
    }
}
