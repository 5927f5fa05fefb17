//! What a rule of a driver becomes in its table.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::expression::{
    Expression, FIRST, Fate, Side, bytes, has_any, is_family, is_in, is_not_in, load, verdict,
};
use super::lacking::{CtKey, INVALID, Masquerade, Nat, NatKind};
use super::table::{DROPPED, SOURCES};
use crate::kernel::{FirewallRule, Translation};

/// One object of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    /// A rule.
    Rule {
        chain: &'static str,
        expressions: Vec<Expression>,
    },
}

/// All that a rule becomes.
pub(super) fn objects(rule: &FirewallRule) -> Vec<Object> {
    match rule {
        FirewallRule::Translate(translation) => translate(translation),
    }
}

/// As netavark does it: not for multicast, and not between the network's own
/// members. A packet that belongs to no connection can't be translated, and
/// would leave with an address that means nothing elsewhere.
fn translate(translation: &Translation) -> Vec<Object> {
    let Translation {
        source,
        except,
        address,
    } = translation;
    let same_family = except
        .iter()
        .filter(|except| except.max_prefix_len() == source.max_prefix_len());
    let mut matches = is_family(source).to_vec();
    matches.extend(is_in(source, Side::Source));
    for staying in [*source, multicast(source)].iter().chain(same_family) {
        matches.extend(is_not_in(staying, Side::Destination));
    }
    let new_address = match address {
        None => vec![Masquerade.into()],
        Some(address) => vec![load(&bytes(*address), FIRST), source_nat(*address)],
    };
    let invalid = has_any(CtKey::State, INVALID);
    let dropped = [invalid, vec![verdict(Fate::Drop)]].concat();
    [(SOURCES, new_address), (DROPPED, dropped)]
        .map(|(chain, rest)| Object::Rule {
            chain,
            expressions: [matches.clone(), rest].concat(),
        })
        .into()
}

fn source_nat(address: IpAddr) -> Expression {
    Nat {
        kind: NatKind::Source,
        family: match address {
            IpAddr::V4(_) => 2,
            IpAddr::V6(_) => 10,
        },
        address: FIRST,
        port: None,
    }
    .into()
}

/// 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291).
fn multicast(like: &IpNet) -> IpNet {
    match like {
        IpNet::V4(_) => Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4).into(),
        IpNet::V6(_) => {
            let all = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
            Ipv6Net::new_assert(all, 8).into()
        }
    }
}
