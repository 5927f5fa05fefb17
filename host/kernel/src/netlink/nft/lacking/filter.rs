//! What a list of connections is filtered by
//! (`linux/netfilter/nfnetlink_conntrack.h`). Kernels that don't know it list
//! everything. By addresses it's of no use: for IPv6 the kernel compares the
//! wrong way round (`ctnetlink_filter_match_tuple`).

use netlink_packet_netfilter::conntrack::{ProtoTuple, Protocol, Status, Tuple};
use rtnetlink::packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32};

use crate::netlink::nla::{fill, nest};

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_STATUS: u16 = 3;
const CTA_FILTER: u16 = 25;
const CTA_STATUS_MASK: u16 = 26;
const CTA_FILTER_ORIG_FLAGS: u16 = 1;
/// `net/netfilter/nf_internals.h`, which libnetfilter_conntrack copies.
const CTA_FILTER_F_CTA_PROTO_NUM: u32 = 1 << 3;

/// Attributes of CTA_FILTER.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    /// Which parts of the original tuple count; in the order of the machine, unlike
    /// the rest.
    OrigFlags(u32),
    Other(DefaultNla),
}

impl Nla for Filter {
    fn value_len(&self) -> usize {
        match self {
            Self::OrigFlags(_) => size_of::<u32>(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::OrigFlags(_) => CTA_FILTER_ORIG_FLAGS,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::OrigFlags(flags) => fill(buffer, &flags.to_ne_bytes()),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Filter {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        Ok(match buffer.kind() {
            CTA_FILTER_ORIG_FLAGS => Self::OrigFlags(parse_u32(buffer.value())?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

/// Has the kernel list only connections with a status.
pub(in crate::netlink::nft) fn with_status(status: Status) -> Vec<DefaultNla> {
    let bits = status.bits().to_be_bytes();
    [CTA_STATUS, CTA_STATUS_MASK]
        .map(|kind| DefaultNla::new(kind, bits.to_vec()))
        .into()
}

/// Has the kernel list only connections of UDP.
pub(in crate::netlink::nft) fn of_udp() -> Vec<DefaultNla> {
    let number = Tuple::Proto(vec![ProtoTuple::Protocol(Protocol::Udp)]);
    let flags = Filter::OrigFlags(CTA_FILTER_F_CTA_PROTO_NUM);
    vec![nest(CTA_TUPLE_ORIG, &[number]), nest(CTA_FILTER, &[flags])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::nla::assert_round_trip;
    use rtnetlink::packet_core::Emitable;

    fn bytes(attributes: &[DefaultNla]) -> Vec<u8> {
        let mut bytes = vec![0; attributes.buffer_len()];
        attributes.emit(&mut bytes);
        bytes
    }

    #[test]
    fn a_filter_is_read_back() {
        let unknown = DefaultNla::new(2, vec![1, 2, 3, 4]);
        let filter = [
            Filter::OrigFlags(CTA_FILTER_F_CTA_PROTO_NUM),
            Filter::Other(unknown),
        ];
        assert_round_trip(&filter);
    }

    #[test]
    fn connections_of_udp_are_asked_for_as_the_kernel_reads_it() {
        let expected = [
            &[16, 0, 1, 0x80, 12, 0, 2, 0x80][..],
            &[5, 0, 1, 0, 17, 0, 0, 0],
            &[12, 0, 25, 0x80, 8, 0, 1, 0],
            &8_u32.to_ne_bytes(),
        ];
        assert_eq!(bytes(&of_udp()), expected.concat());
    }

    /// The bytes are those that conntrack 1.4.7 sends for `-L -u ASSURED`.
    #[test]
    fn connections_with_a_status_are_asked_for_as_conntrack_asks() {
        let expected = [8, 0, 3, 0, 0, 0, 0, 4, 8, 0, 26, 0, 0, 0, 0, 4];
        assert_eq!(bytes(&with_status(Status::Assured)), expected);
    }
}
