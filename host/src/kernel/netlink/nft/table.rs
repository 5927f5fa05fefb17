//! The fixed part of a driver's table: base chains, the sets that they look
//! into, and the chains into which rules go that come and go.
//!
//! Every change carries the whole fixed part along, emptied and filled anew. So
//! a change needs to know nothing of what is there, two runs can't disagree
//! about it, and what somebody broke is whole again.
//!
//! ```text
//! postrouting: jump sources
//! forward:     jump dropped
//! ```

use super::expression::{Expression, Fate, verdict};
use crate::kernel::FirewallFamily;

/// A chain of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    pub(super) name: &'static str,
    /// Where packets come in, if they don't come from another chain.
    pub(super) hook: Option<Hook>,
}

/// Where a base chain hangs. The priorities are those of
/// `linux/netfilter_ipv4.h`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    pub(super) kind: &'static str,
    /// NF_INET_* in `linux/netfilter.h`.
    pub(super) number: u32,
    pub(super) priority: i32,
}

/// Translations of source addresses.
pub(super) const SOURCES: &str = "sources";
/// Forwarded packets that are dropped.
pub(super) const DROPPED: &str = "dropped";

/// The chains of a table, those that are jumped to first.
pub(super) fn chains(family: FirewallFamily) -> &'static [Chain] {
    match family {
        FirewallFamily::Inet => INET,
    }
}

const INET: &[Chain] = &[
    inner(SOURCES),
    inner(DROPPED),
    Chain {
        name: "postrouting",
        hook: Some(Hook {
            kind: "nat",
            number: 4,
            priority: 100,
        }),
    },
    Chain {
        name: "forward",
        hook: Some(Hook {
            kind: "filter",
            number: 2,
            priority: 0,
        }),
    },
];

const fn inner(name: &'static str) -> Chain {
    Chain { name, hook: None }
}

/// The chains whose rules come and go; those of all others are fixed.
pub(super) fn is_open(chain: &Chain) -> bool {
    [SOURCES, DROPPED].contains(&chain.name)
}

/// The fixed rules, each with its chain.
pub(super) fn rules(family: FirewallFamily) -> Vec<(&'static str, Vec<Expression>)> {
    match family {
        FirewallFamily::Inet => vec![
            ("postrouting", vec![verdict(Fate::Jump(SOURCES))]),
            ("forward", vec![verdict(Fate::Jump(DROPPED))]),
        ],
    }
}
