//! What `netlink-packet-netfilter` lacks, with the numbers and names of
//! `linux/netfilter/nf_tables.h`. `upstream/` has it as changes to that crate.

mod ct;
mod fib;
mod filter;
mod nat;

use ipnet::IpNet;
use netlink_packet_netfilter::nftables::{Expressions, Register};
use rtnetlink::packet_core::Nla;

use self::ct::Ct;
pub(super) use self::ct::CtKey;
use self::fib::{Fib, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR, NFTA_FIB_F_SADDR};
pub(super) use self::filter::{of_udp, with_status};
use self::nat::Nat;
pub(super) use self::nat::NatType;
use super::expression::{Expression, Side};
use crate::netlink::nla::plain;

/// A direction: packets of the end that didn't open the connection
/// (IP_CT_DIR_REPLY in `linux/netfilter/nf_conntrack_tuple_common.h`).
pub(super) const REPLY: u8 = 1;
/// A state: a connection of which nothing is known (NF_CT_STATE_INVALID_BIT).
pub(super) const INVALID: u32 = 1;
/// A state: a packet about a connection, such as an ICMP error
/// (NF_CT_STATE_BIT(IP_CT_RELATED)).
pub(super) const RELATED: u32 = 1 << 2;
/// The type of an address of the host (RTN_LOCAL in `linux/rtnetlink.h`).
pub(super) const LOCAL: u32 = 2;
/// The type of a broadcast address of one of the host's links (RTN_BROADCAST).
pub(super) const BROADCAST: u32 = 3;
/// The type of a multicast address (RTN_MULTICAST).
pub(super) const MULTICAST: u32 = 5;

/// NFPROTO_IPV4 or NFPROTO_IPV6.
pub(super) fn family_number(of: &IpNet) -> u32 {
    match of {
        IpNet::V4(_) => 2,
        IpNet::V6(_) => 10,
    }
}

/// Translates the source to what a register has.
pub(super) fn source_nat(of: &IpNet, address: Register) -> Expression {
    nat(NatType::SourceNat, of, address, None)
}

/// Translates the destination to what two registers have.
pub(super) fn destination_nat(of: &IpNet, address: Register, port: Register) -> Expression {
    nat(NatType::DestinationNat, of, address, Some(port))
}

fn nat(kind: NatType, of: &IpNet, address: Register, port: Option<Register>) -> Expression {
    let mut attributes = vec![
        Nat::Type(kind),
        Nat::Family(family_number(of)),
        Nat::RegisterAddressMin(address),
    ];
    attributes.extend(port.map(Nat::RegisterProtoMin));
    expression("nat", &attributes)
}

/// Gives a packet the address of the link that it leaves through.
pub(super) fn masquerade() -> Expression {
    expression::<Nat>("masq", &[])
}

/// Loads a fact about the packet's connection.
pub(super) fn ct(key: CtKey, to: Register) -> Expression {
    expression("ct", &[Ct::Key(key), Ct::DestinationRegister(to)])
}

/// Loads the type of an address of the packet (RTN_* in `linux/rtnetlink.h`).
pub(super) fn address_type(side: Side, to: Register) -> Expression {
    let flags = match side {
        Side::Source => NFTA_FIB_F_SADDR,
        Side::Destination => NFTA_FIB_F_DADDR,
    };
    let attributes = [
        Fib::Flags(flags),
        Fib::Result(NFT_FIB_RESULT_ADDRTYPE),
        Fib::DestinationRegister(to),
    ];
    expression("fib", &attributes)
}

fn expression<T: Nla>(name: &str, attributes: &[T]) -> Expression {
    Expressions::Other {
        expression_type: name.to_owned(),
        attributes: attributes.iter().map(plain).collect(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::nla::assert_round_trip;
    use netlink_packet_netfilter::nftables::{
        ExpressionAttribute, NfTablesMessage, RuleAttribute, RuleMessage,
    };
    use rtnetlink::packet_core::{DefaultNla, Emitable, ParseableParametrized};

    const V4: IpNet = IpNet::V4(ipnet::Ipv4Net::new_assert(
        std::net::Ipv4Addr::UNSPECIFIED,
        0,
    ));

    /// Writes an expression into a rule's message and reads it back.
    #[track_caller]
    fn round_trip(expression: Expression) -> Vec<u8> {
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
        let nat = source_nat(&V4, Register::Reg1);
        let nft = "08000100 00000000 08000200 00000002 08000300 00000001";
        assert_eq!(hex(&round_trip(nat)), nft);
        assert_eq!(hex(&round_trip(masquerade())), "");
        let ct = ct(CtKey::State, Register::Reg1);
        assert_eq!(hex(&round_trip(ct)), "08000200 00000000 08000100 00000001");
        let local = address_type(Side::Destination, Register::Reg1);
        let nft = "08000300 00000002 08000200 00000003 08000100 00000001";
        assert_eq!(hex(&round_trip(local)), nft);
        // nft also sends a flag that the kernel adds itself.
        let port = destination_nat(&V4, Register::Reg1, Register::Reg2);
        let nft = "08000100 00000001 08000200 00000002 08000300 00000001 08000500 00000002";
        assert_eq!(hex(&round_trip(port)), nft);
    }

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let unknown = DefaultNla::new(99, vec![1, 2, 3]);
        assert_round_trip(&[
            Nat::Type(NatType::SourceNat),
            Nat::Type(NatType::DestinationNat),
            Nat::Type(NatType::Other(7)),
            Nat::Family(10),
            Nat::RegisterAddressMin(Register::Reg1),
            Nat::RegisterProtoMin(Register::Reg32_01),
            Nat::Other(unknown.clone()),
        ]);
        assert_round_trip(&[
            Ct::Key(CtKey::State),
            Ct::Key(CtKey::Direction),
            Ct::Key(CtKey::Status),
            Ct::Key(CtKey::Other(17)),
            Ct::DestinationRegister(Register::Reg2),
            Ct::Other(unknown.clone()),
        ]);
        assert_round_trip(&[
            Fib::Flags(NFTA_FIB_F_SADDR),
            Fib::Result(NFT_FIB_RESULT_ADDRTYPE),
            Fib::DestinationRegister(Register::Reg3),
            Fib::Other(unknown),
        ]);
    }

    fn hex(bytes: &[u8]) -> String {
        let words = bytes.chunks(4).map(|word| {
            let digits = word.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
