//! The fixed part of a driver's table in a container's namespace: the filters of links
//! whose packets don't pass the host's firewall.
//!
//! ```text
//! input:  ct direction reply return
//!         ip6 hoplimit 255 icmpv6 type 133-137 return
//!         ip6 hoplimit 1 icmpv6 type 130-132 return
//!         ip6 hoplimit 1 icmpv6 type 143 return
//!         meta l4proto igmp return
//!         ct state related meta l4proto icmp return
//!         ct state related meta l4proto icmpv6 return
//!         jump incoming
//! output: (the same)
//!         jump outgoing
//! ```
//!
//! The rules are for all packets of a link, and not only for those of the container's
//! addresses. Otherwise neighbours could reach the container at its link-local address,
//! and an address that a DHCP server gives would come without a filter. So the packets
//! that keep the link working must pass by rules of their own.

use super::expression::{
    Expression, FIRST, Fate, IGMP, is, is_icmp_error, is_listener_discovery,
    is_neighbour_discovery, is_protocol, verdict,
};
use super::lacking::{CtKey, REPLY, ct};
use super::table::{Chain, INCOMING, OUTGOING, Rule, base, inner};

const INPUT: &str = "input";
const OUTPUT: &str = "output";

/// The numbers of the hooks are NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT.
pub(super) const CHAINS: &[Chain] = &[
    inner(OUTGOING),
    inner(INCOMING),
    base(INPUT, "filter", 1, 0),
    base(OUTPUT, "filter", 3, 0),
];

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (from, to) in [(INPUT, INCOMING), (OUTPUT, OUTGOING)] {
        for mut passing in passing() {
            passing.push(verdict(Fate::Return));
            rules.push((from, passing));
        }
        rules.push((from, vec![verdict(Fate::Jump(to))]));
    }
    rules
}

/// Returns matches for the packets that pass every filter.
fn passing() -> Vec<Vec<Expression>> {
    let answers = vec![ct(CtKey::Direction, FIRST), is(&[REPLY])];
    let mut passing = vec![answers, is_neighbour_discovery()];
    passing.extend(is_listener_discovery());
    passing.push(is_protocol(IGMP).to_vec());
    passing.extend(is_icmp_error());
    passing
}
