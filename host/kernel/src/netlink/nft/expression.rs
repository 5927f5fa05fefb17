//! What rules consist of: expressions that load something of a packet into a
//! register, compare it, look it up, or end the rule with a verdict. Each is
//! made as nft(8) makes it, so that it can be read there.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, ExpressionAttribute, Expressions, Immediate, ListAttribute,
    Lookup, Meta, MetaKey, Operator, Payload, Register, Verdict, VerdictAttribute,
};

use super::lacking::{CtKey, RELATED, ct, family_number};

/// One expression.
pub(super) type Expression = ListAttribute<ExpressionAttribute>;

/// The first register, and those that begin some bytes after it.
pub(super) const FIRST: Register = Register::Reg1;
pub(super) const AFTER_4: Register = Register::Reg32_01;
pub(super) const AFTER_8: Register = Register::Reg32_02;
pub(super) const AFTER_16: Register = Register::Reg2;
pub(super) const AFTER_20: Register = Register::Reg32_05;
pub(super) const AFTER_24: Register = Register::Reg32_06;
pub(super) const AFTER_32: Register = Register::Reg3;
pub(super) const AFTER_36: Register = Register::Reg32_09;

/// Bytes of a link's name in a register (IFNAMSIZ).
pub(super) const LINK_NAME_LENGTH: usize = 16;

/// NFT_PAYLOAD_LL_HEADER
pub(super) const LINK_HEADER: u32 = 0;
/// NFT_PAYLOAD_NETWORK_HEADER
pub(super) const NETWORK_HEADER: u32 = 1;
/// NFT_PAYLOAD_TRANSPORT_HEADER
const TRANSPORT_HEADER: u32 = 2;

/// NFT_LOOKUP_F_INV
const LOOKUP_INVERTED: u32 = 1;

/// IPPROTO_ICMP and IPPROTO_IGMP (`linux/in.h`), IPPROTO_ICMPV6 (`linux/in6.h`)
pub(super) const ICMP: u8 = 1;
pub(super) const IGMP: u8 = 2;
pub(super) const ICMPV6: u8 = 58;

/// The hop limits of neighbour discovery (RFC 4861) and of multicast listener discovery
/// (RFC 3810): nobody has led such packets on.
const DISCOVERY_HOPS: u8 = 255;
const LISTENER_HOPS: u8 = 1;

/// NF_DROP
const NF_DROP: u32 = 0;

/// An address of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Drop,
    /// Back to the chain that jumped here; from a base chain, on to the next.
    Return,
    Jump(&'static str),
}

/// Loads a fact about the packet.
pub(super) fn meta(key: MetaKey, to: Register) -> Expression {
    Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(to)]).into()
}

/// Sets a fact about the packet.
pub(super) fn set_meta(key: MetaKey, from: Register) -> Expression {
    Expressions::Meta(vec![Meta::Key(key), Meta::SourceRegister(from)]).into()
}

/// Loads bytes of the packet.
pub(super) fn payload(base: u32, offset: u32, length: u32, to: Register) -> Expression {
    Expressions::Payload(vec![
        Payload::DestinationRegister(to),
        Payload::Base(base),
        Payload::Offset(offset),
        Payload::Len(length),
    ])
    .into()
}

/// Loads a value.
pub(super) fn load(value: &[u8], to: Register) -> Expression {
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(to),
        Immediate::Data(DataAttribute::Value(value.to_vec())),
    ])
    .into()
}

fn compare(operator: Operator, value: &[u8], from: Register) -> Expression {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(from),
        Cmp::Op(operator),
        Cmp::Data(DataAttribute::Value(value.to_vec())),
    ])
    .into()
}

/// Goes on only if a register has this value.
pub(super) fn is(value: &[u8]) -> Expression {
    compare(Operator::Equal, value, FIRST)
}

/// Goes on only if a register has a value from this one to that one, in the order
/// of the network.
fn is_between(first: &[u8], last: &[u8]) -> [Expression; 2] {
    [
        compare(Operator::GreatherThanEqual, first, FIRST),
        compare(Operator::LessThanEqual, last, FIRST),
    ]
}

/// Goes on only if a register has another value.
pub(super) fn is_not(value: &[u8]) -> Expression {
    compare(Operator::NotEqual, value, FIRST)
}

/// Keeps only some bits of a register.
fn mask(mask: Vec<u8>) -> Expression {
    let length = u32::try_from(mask.len()).unwrap_or_default();
    let nothing = vec![0; mask.len()];
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(FIRST),
        Bitwise::DestinationRegister(FIRST),
        Bitwise::Length(length),
        Bitwise::Mask(DataAttribute::Value(mask)),
        Bitwise::Xor(DataAttribute::Value(nothing)),
    ])
    .into()
}

/// Goes on only if a set has what the registers hold from the first on.
pub(super) fn is_member(set: &str) -> Expression {
    Expressions::Lookup(vec![
        Lookup::Set(set.to_owned()),
        Lookup::SourceRegister(FIRST),
    ])
    .into()
}

/// Goes on only if a set lacks it.
pub(super) fn is_no_member(set: &str) -> Expression {
    Expressions::Lookup(vec![
        Lookup::Set(set.to_owned()),
        Lookup::SourceRegister(FIRST),
        Lookup::Flags(LOOKUP_INVERTED),
    ])
    .into()
}

/// Goes on only if a map has what the registers hold. The value takes their place.
pub(super) fn find(map: &str) -> Expression {
    Expressions::Lookup(vec![
        Lookup::Set(map.to_owned()),
        Lookup::SourceRegister(FIRST),
        Lookup::DestinationRegister(FIRST),
    ])
    .into()
}

/// Loads the protocol and the destination port, into a register each. TCP, UDP
/// and SCTP have the port in the same place.
pub(super) fn protocol_and_port(protocol: Register, port: Register) -> [Expression; 2] {
    [
        meta(MetaKey::L4Proto, protocol),
        payload(TRANSPORT_HEADER, 2, 2, port),
    ]
}

/// Goes on only for packets of a protocol (IPPROTO_* in `linux/in.h`).
pub(super) fn is_protocol(number: u8) -> [Expression; 2] {
    [meta(MetaKey::L4Proto, FIRST), is(&[number])]
}

/// Goes on only for destination ports from this one to that one. TCP, UDP and
/// SCTP have the port in the same place.
pub(super) fn is_port_between(first: u16, last: u16) -> Vec<Expression> {
    let mut expressions = vec![payload(TRANSPORT_HEADER, 2, 2, FIRST)];
    expressions.extend(is_between(&first.to_be_bytes(), &last.to_be_bytes()));
    expressions
}

/// Goes on only for neighbour discovery (RFC 4861): ICMPv6 of the types 133 to 137
/// that nobody has led on.
pub(super) fn is_neighbour_discovery() -> Vec<Expression> {
    is_icmpv6(DISCOVERY_HOPS, 133, 137)
}

/// Goes on only for multicast listener discovery (RFC 2710, RFC 3810): ICMPv6 of the
/// types 130 to 132 and 143. A switch that listens to it leads neighbour discovery only
/// to links that take part.
pub(super) fn is_listener_discovery() -> [Vec<Expression>; 2] {
    [(130, 132), (143, 143)].map(|(first, last)| is_icmpv6(LISTENER_HOPS, first, last))
}

fn is_icmpv6(hops: u8, first: u8, last: u8) -> Vec<Expression> {
    let any = IpNet::from(Ipv6Net::default());
    let mut expressions = is_family(&any).to_vec();
    expressions.extend([payload(NETWORK_HEADER, 7, 1, FIRST), is(&[hops])]);
    expressions.extend(is_protocol(ICMPV6));
    expressions.push(payload(TRANSPORT_HEADER, 0, 1, FIRST));
    expressions.extend(is_between(&[first], &[last]));
    expressions
}

/// Ends the rule.
pub(super) fn verdict(fate: Fate) -> Expression {
    let attributes = match fate {
        Fate::Drop => vec![VerdictAttribute::Code(Verdict::Other(NF_DROP))],
        Fate::Return => vec![VerdictAttribute::Code(Verdict::Return)],
        Fate::Jump(chain) => vec![
            VerdictAttribute::Code(Verdict::Jump),
            VerdictAttribute::Chain(chain.to_owned()),
        ],
    };
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(attributes)),
    ])
    .into()
}

/// Goes on only for packets of a family.
pub(super) fn is_family(of: &IpNet) -> [Expression; 2] {
    let [_, _, _, number] = family_number(of).to_be_bytes();
    [meta(MetaKey::Nfproto, FIRST), is(&[number])]
}

/// Loads an address of the packet.
pub(super) fn address(of: &IpNet, side: Side, to: Register) -> Expression {
    let (offset, length) = match (of, side) {
        (IpNet::V4(_), Side::Source) => (12, 4),
        (IpNet::V4(_), Side::Destination) => (16, 4),
        (IpNet::V6(_), Side::Source) => (8, 16),
        (IpNet::V6(_), Side::Destination) => (24, 16),
    };
    payload(NETWORK_HEADER, offset, length, to)
}

/// Goes on only if an address is in a network. The family must be known.
pub(super) fn is_in(network: &IpNet, side: Side) -> Vec<Expression> {
    with_network(network, side, Operator::Equal)
}

/// Goes on only if an address is in another network.
pub(super) fn is_not_in(network: &IpNet, side: Side) -> Vec<Expression> {
    with_network(network, side, Operator::NotEqual)
}

fn with_network(network: &IpNet, side: Side, operator: Operator) -> Vec<Expression> {
    let mut expressions = vec![address(network, side, FIRST)];
    if network.prefix_len() < network.max_prefix_len() {
        expressions.push(mask(bytes(network.netmask())));
    }
    expressions.push(compare(operator, &bytes(network.network()), FIRST));
    expressions
}

/// An address in the order of the network.
pub(super) fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Returns matches for ICMP errors about known connections, of IPv4 and IPv6.
pub(super) fn is_icmp_error() -> [Vec<Expression>; 2] {
    [ICMP, ICMPV6].map(|protocol| {
        let mut error = has_any(CtKey::State, RELATED);
        error.extend(is_protocol(protocol));
        error
    })
}

/// Goes on only if the packet's connection has one of these bits.
pub(super) fn has_any(key: CtKey, bits: u32) -> Vec<Expression> {
    vec![
        ct(key, FIRST),
        mask(bits.to_ne_bytes().to_vec()),
        is_not(&[0; 4]),
    ]
}
