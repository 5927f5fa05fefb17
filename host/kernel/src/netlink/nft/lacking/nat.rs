//! The expression `nat`.

use netlink_packet_netfilter::nftables::Register;
use rtnetlink::packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32_be};

use crate::netlink::nla::fill;

const NFTA_NAT_TYPE: u16 = 1;
const NFTA_NAT_FAMILY: u16 = 2;
const NFTA_NAT_REG_ADDR_MIN: u16 = 3;
const NFTA_NAT_REG_PROTO_MIN: u16 = 5;

const NFT_NAT_SNAT: u32 = 0;
const NFT_NAT_DNAT: u32 = 1;

/// Which end of a packet is translated (`enum nft_nat_types`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::netlink::nft) enum NatType {
    SourceNat,
    DestinationNat,
    Other(u32),
}

impl From<NatType> for u32 {
    fn from(kind: NatType) -> Self {
        match kind {
            NatType::SourceNat => NFT_NAT_SNAT,
            NatType::DestinationNat => NFT_NAT_DNAT,
            NatType::Other(number) => number,
        }
    }
}

impl From<u32> for NatType {
    fn from(number: u32) -> Self {
        match number {
            NFT_NAT_SNAT => Self::SourceNat,
            NFT_NAT_DNAT => Self::DestinationNat,
            number => Self::Other(number),
        }
    }
}

/// Attributes of `nat` (`enum nft_nat_attributes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nat {
    Type(NatType),
    Family(u32),
    /// Where the new address is.
    RegisterAddressMin(Register),
    /// Where the new port is.
    RegisterProtoMin(Register),
    Other(DefaultNla),
}

impl Nla for Nat {
    fn value_len(&self) -> usize {
        match self {
            Self::Other(attribute) => attribute.value_len(),
            _ => size_of::<u32>(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Type(_) => NFTA_NAT_TYPE,
            Self::Family(_) => NFTA_NAT_FAMILY,
            Self::RegisterAddressMin(_) => NFTA_NAT_REG_ADDR_MIN,
            Self::RegisterProtoMin(_) => NFTA_NAT_REG_PROTO_MIN,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        let number = match self {
            Self::Type(kind) => (*kind).into(),
            Self::Family(family) => *family,
            Self::RegisterAddressMin(register) | Self::RegisterProtoMin(register) => {
                (*register).into()
            }
            Self::Other(attribute) => return attribute.emit_value(buffer),
        };
        fill(buffer, &number.to_be_bytes());
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Nat {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let number = || parse_u32_be(buffer.value());
        Ok(match buffer.kind() {
            NFTA_NAT_TYPE => Self::Type(number()?.into()),
            NFTA_NAT_FAMILY => Self::Family(number()?),
            NFTA_NAT_REG_ADDR_MIN => Self::RegisterAddressMin(number()?.into()),
            NFTA_NAT_REG_PROTO_MIN => Self::RegisterProtoMin(number()?.into()),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}
