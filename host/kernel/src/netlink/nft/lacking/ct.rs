//! The expression `ct`.

use netlink_packet_netfilter::nftables::Register;
use rtnetlink::packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32_be};

use crate::netlink::nla::fill;

const NFTA_CT_DREG: u16 = 1;
const NFTA_CT_KEY: u16 = 2;

const NFT_CT_STATE: u32 = 0;
const NFT_CT_DIRECTION: u32 = 1;
const NFT_CT_STATUS: u32 = 2;

/// Which fact about the packet's connection is loaded (`enum nft_ct_keys`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::netlink::nft) enum CtKey {
    State,
    Direction,
    Status,
    Other(u32),
}

impl From<CtKey> for u32 {
    fn from(key: CtKey) -> Self {
        match key {
            CtKey::State => NFT_CT_STATE,
            CtKey::Direction => NFT_CT_DIRECTION,
            CtKey::Status => NFT_CT_STATUS,
            CtKey::Other(number) => number,
        }
    }
}

impl From<u32> for CtKey {
    fn from(number: u32) -> Self {
        match number {
            NFT_CT_STATE => Self::State,
            NFT_CT_DIRECTION => Self::Direction,
            NFT_CT_STATUS => Self::Status,
            number => Self::Other(number),
        }
    }
}

/// Attributes of `ct` (`enum nft_ct_attributes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ct {
    DestinationRegister(Register),
    Key(CtKey),
    Other(DefaultNla),
}

impl Nla for Ct {
    fn value_len(&self) -> usize {
        match self {
            Self::Other(attribute) => attribute.value_len(),
            _ => size_of::<u32>(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::DestinationRegister(_) => NFTA_CT_DREG,
            Self::Key(_) => NFTA_CT_KEY,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        let number: u32 = match self {
            Self::DestinationRegister(register) => (*register).into(),
            Self::Key(key) => (*key).into(),
            Self::Other(attribute) => return attribute.emit_value(buffer),
        };
        fill(buffer, &number.to_be_bytes());
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Ct {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let number = || parse_u32_be(buffer.value());
        Ok(match buffer.kind() {
            NFTA_CT_DREG => Self::DestinationRegister(number()?.into()),
            NFTA_CT_KEY => Self::Key(number()?.into()),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}
