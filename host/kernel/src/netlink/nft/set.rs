//! Sets and maps: their types and their elements.

use std::net::IpAddr;

use types::{LinkName, Mac, Protocol};

use super::expression::{LINK_NAME_LENGTH, bytes};

/// A set, or a map if it has values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) key: &'static [Kind],
    pub(super) value: &'static [Kind],
}

/// The type of a part of a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Protocol,
    Port,
    Ipv4,
    Ipv6,
    Mac,
    Link,
}

/// The bits of one type's number in the number of a concatenation (TYPE_BITS in
/// nft).
const KIND_BITS: u32 = 6;
/// The alignment of parts, in bytes (NFT_REG32_SIZE).
const ALIGNMENT: usize = 4;

impl Kind {
    /// Returns nft's number for the type (`enum datatypes`). The kernel only
    /// stores it.
    fn number(self) -> u32 {
        match self {
            Self::Ipv4 => 7,
            Self::Ipv6 => 8,
            Self::Mac => 9,
            Self::Protocol => 12,
            Self::Port => 13,
            Self::Link => 41,
        }
    }

    /// Returns the length in bytes.
    fn length(self) -> usize {
        match self {
            Self::Protocol => 1,
            Self::Port => 2,
            Self::Ipv4 => 4,
            Self::Mac => 6,
            Self::Ipv6 => 16,
            Self::Link => LINK_NAME_LENGTH,
        }
    }
}

/// Returns nft's number for a concatenation of these types.
pub(super) fn number(kinds: &[Kind]) -> u32 {
    let numbers = kinds.iter().map(|kind| kind.number());
    numbers.fold(0, |all, number| (all << KIND_BITS) | number)
}

/// Returns the length of a concatenation in bytes. Several parts are aligned, a
/// single one isn't.
pub(super) fn length(kinds: &[Kind]) -> usize {
    match kinds {
        [one] => one.length(),
        kinds => kinds
            .iter()
            .map(|kind| kind.length().next_multiple_of(ALIGNMENT))
            .sum(),
    }
}

/// An element of a set, or of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) set: &'static str,
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
    /// The description for error messages.
    pub(super) title: String,
}

/// One part of a key or of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Protocol(Protocol),
    Port(u16),
    Address(IpAddr),
    Mac(Mac),
    Link(&'a LinkName),
}

/// Joins parts and aligns each.
pub(super) fn join(parts: &[Part<'_>]) -> Vec<u8> {
    let aligned = |part: &Part<'_>| {
        let mut part = raw(*part);
        part.resize(part.len().next_multiple_of(ALIGNMENT), 0);
        part
    };
    parts.iter().flat_map(aligned).collect()
}

fn raw(part: Part<'_>) -> Vec<u8> {
    match part {
        Part::Protocol(protocol) => vec![protocol.number()],
        Part::Port(port) => port.to_be_bytes().to_vec(),
        Part::Address(address) => bytes(address),
        Part::Mac(mac) => mac.bytes().to_vec(),
        Part::Link(link) => {
            let mut name = link.as_str().as_bytes().to_vec();
            name.resize(LINK_NAME_LENGTH, 0);
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nft 1.0.6 writes `inet_proto . inet_service : ipv4_addr . inet_service`
    /// and `ifname . ifname`.
    #[test]
    fn parts_are_joined_as_nft_joins_them() {
        let key = join(&[Part::Protocol(Protocol::Tcp), Part::Port(8080)]);
        assert_eq!(key, [6, 0, 0, 0, 0x1f, 0x90, 0, 0]);
        assert_eq!(key.len(), length(&[Kind::Protocol, Kind::Port]));
        assert_eq!(number(&[Kind::Protocol, Kind::Port]), 12 << 6 | 13);
        let value = join(&[Part::Address("10.88.0.2".parse().unwrap()), Part::Port(80)]);
        assert_eq!(value, [10, 88, 0, 2, 0, 80, 0, 0]);
        let link: LinkName = "br0".parse().unwrap();
        let name = join(&[Part::Link(&link)]);
        assert_eq!(name, *b"br0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(name.len(), length(&[Kind::Link]));
    }
}
