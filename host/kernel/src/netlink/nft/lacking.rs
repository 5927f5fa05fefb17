//! Expressions that `netlink-packet-netfilter` lacks, with the numbers of
//! `linux/netfilter/nf_tables.h`.

use ipnet::IpNet;
use netlink_packet_netfilter::nftables::{Expressions, Register};
use rtnetlink::packet_core::DefaultNla;

use super::expression::{Expression, Side};

/// Translates an address (`enum nft_nat_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nat {
    pub(super) kind: NatKind,
    pub(super) family: u32,
    /// Where the new address is.
    pub(super) address: Register,
    /// Where the new port is, if there's one.
    pub(super) port: Option<Register>,
}

/// Which address is translated (`enum nft_nat_types`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum NatKind {
    /// NFT_NAT_SNAT
    Source = 0,
    /// NFT_NAT_DNAT
    Destination = 1,
}

/// NFPROTO_IPV4 or NFPROTO_IPV6.
pub(super) fn family_number(of: &IpNet) -> u32 {
    match of {
        IpNet::V4(_) => 2,
        IpNet::V6(_) => 10,
    }
}

/// NFTA_NAT_TYPE
const NAT_TYPE: u16 = 1;
/// NFTA_NAT_FAMILY
const NAT_FAMILY: u16 = 2;
/// NFTA_NAT_REG_ADDR_MIN
const NAT_REG_ADDR_MIN: u16 = 3;
/// NFTA_NAT_REG_PROTO_MIN
const NAT_REG_PROTO_MIN: u16 = 5;

/// Gives a packet the address of the link that it leaves through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Masquerade;

/// Loads a fact about the packet's connection (`enum nft_ct_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ct {
    pub(super) key: CtKey,
    pub(super) to: Register,
}

/// Which fact (`enum nft_ct_keys`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum CtKey {
    /// NFT_CT_STATE
    State = 0,
    /// NFT_CT_DIRECTION
    Direction = 1,
    /// NFT_CT_STATUS
    Status = 2,
}

/// NFTA_CT_DREG
const CT_DREG: u16 = 1;
/// NFTA_CT_KEY
const CT_KEY: u16 = 2;

/// A direction: packets of the end that didn't open the connection
/// (IP_CT_DIR_REPLY in `linux/netfilter/nf_conntrack_tuple_common.h`).
pub(super) const REPLY: u8 = 1;
/// A state: a connection of which nothing is known (NF_CT_STATE_INVALID_BIT).
pub(super) const INVALID: u32 = 1;
/// A status: a connection that was led elsewhere (IPS_DST_NAT in
/// `linux/netfilter/nf_conntrack_common.h`).
pub(super) const LED_ELSEWHERE: u32 = 1 << 5;

/// Loads of which kind an address of the packet is (RTN_* in
/// `linux/rtnetlink.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressKind {
    pub(super) of: Side,
    pub(super) to: Register,
}

/// RTN_LOCAL: an address of the host.
pub(super) const LOCAL: u32 = 2;

/// NFTA_FIB_DREG
const FIB_DREG: u16 = 1;
/// NFTA_FIB_RESULT
const FIB_RESULT: u16 = 2;
/// NFTA_FIB_FLAGS
const FIB_FLAGS: u16 = 3;
/// NFT_FIB_RESULT_ADDRTYPE
const ADDRESS_KIND: u32 = 3;
/// NFTA_FIB_F_SADDR
const OF_SOURCE: u32 = 1;
/// NFTA_FIB_F_DADDR
const OF_DESTINATION: u32 = 2;

impl From<Nat> for Expression {
    fn from(nat: Nat) -> Self {
        let mut attributes = vec![
            number(NAT_TYPE, nat.kind as u32),
            number(NAT_FAMILY, nat.family),
            number(NAT_REG_ADDR_MIN, nat.address.into()),
        ];
        let port = nat.port.map(u32::from);
        attributes.extend(port.map(|port| number(NAT_REG_PROTO_MIN, port)));
        expression("nat", attributes)
    }
}

impl From<Masquerade> for Expression {
    fn from(_: Masquerade) -> Self {
        expression("masq", Vec::new())
    }
}

impl From<Ct> for Expression {
    fn from(ct: Ct) -> Self {
        let attributes = vec![number(CT_KEY, ct.key as u32), number(CT_DREG, ct.to.into())];
        expression("ct", attributes)
    }
}

impl From<AddressKind> for Expression {
    fn from(kind: AddressKind) -> Self {
        let of = match kind.of {
            Side::Source => OF_SOURCE,
            Side::Destination => OF_DESTINATION,
        };
        let attributes = vec![
            number(FIB_FLAGS, of),
            number(FIB_RESULT, ADDRESS_KIND),
            number(FIB_DREG, kind.to.into()),
        ];
        expression("fib", attributes)
    }
}

fn expression(name: &str, attributes: Vec<DefaultNla>) -> Expression {
    Expressions::Other {
        expression_type: name.to_owned(),
        attributes,
    }
    .into()
}

/// Numbers are in the order of the network.
fn number(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_netfilter::nftables::{
        ExpressionAttribute, NfTablesMessage, RuleAttribute, RuleMessage,
    };
    use rtnetlink::packet_core::{Emitable, ParseableParametrized};

    /// Writes an expression into a rule's message and reads it back.
    #[track_caller]
    fn round_trip(expression: impl Into<Expression>) -> Vec<u8> {
        let expression = expression.into();
        let rule = NfTablesMessage::NewRule(RuleMessage {
            attributes: vec![RuleAttribute::Expressions(vec![expression.clone()])],
        });
        let mut bytes = vec![0; rule.buffer_len()];
        rule.emit(&mut bytes);
        let read = NfTablesMessage::parse_with_param(&bytes, rule.message_type().into());
        assert_eq!(read.unwrap(), rule);
        // Behind the headers of the list, of its element, and of the data.
        let Expression::Element(parts) = expression else {
            panic!("an expression is an element");
        };
        let name = &parts[0];
        assert!(matches!(name, ExpressionAttribute::Name(_)));
        bytes[8 + name.buffer_len() + 4..].to_vec()
    }

    /// The bytes are those that nft 1.0.6 sends.
    #[test]
    fn expressions_are_read_back_and_are_what_nft_sends() {
        let nat = Nat {
            kind: NatKind::Source,
            family: 2,
            address: Register::Reg1,
            port: None,
        };
        let nft = "08000100 00000000 08000200 00000002 08000300 00000001";
        assert_eq!(hex(&round_trip(nat)), nft);
        assert_eq!(hex(&round_trip(Masquerade)), "");
        let ct = Ct {
            key: CtKey::State,
            to: Register::Reg1,
        };
        assert_eq!(hex(&round_trip(ct)), "08000200 00000000 08000100 00000001");
        let kind = AddressKind {
            of: Side::Destination,
            to: Register::Reg1,
        };
        let nft = "08000300 00000002 08000200 00000003 08000100 00000001";
        assert_eq!(hex(&round_trip(kind)), nft);
        // nft also sends a flag that the kernel adds itself.
        let port = Nat {
            kind: NatKind::Destination,
            family: 2,
            address: Register::Reg1,
            port: Some(Register::Reg2),
        };
        let nft = "08000100 00000001 08000200 00000002 08000300 00000001 08000500 00000002";
        assert_eq!(hex(&round_trip(port)), nft);
    }

    fn hex(bytes: &[u8]) -> String {
        let words = bytes.chunks(4).map(|word| {
            let digits = word.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
