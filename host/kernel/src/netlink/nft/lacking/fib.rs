//! The expression `fib`.

use netlink_packet_netfilter::nftables::Register;
use rtnetlink::packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32_be};

use crate::netlink::nla::fill;

const NFTA_FIB_DREG: u16 = 1;
const NFTA_FIB_RESULT: u16 = 2;
const NFTA_FIB_FLAGS: u16 = 3;

/// What of the route is loaded (`enum nft_fib_result`): the type of the address,
/// which is one of RTN_*.
pub(super) const NFT_FIB_RESULT_ADDRTYPE: u32 = 3;

/// What of the packet is looked up (`enum nft_fib_flags`): its source address.
pub(super) const NFTA_FIB_F_SADDR: u32 = 1 << 0;
/// Likewise: its destination address.
pub(super) const NFTA_FIB_F_DADDR: u32 = 1 << 1;

/// Attributes of `fib`, which looks up a route (`enum nft_fib_attributes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fib {
    DestinationRegister(Register),
    Result(u32),
    Flags(u32),
    Other(DefaultNla),
}

impl Nla for Fib {
    fn value_len(&self) -> usize {
        match self {
            Self::Other(attribute) => attribute.value_len(),
            _ => size_of::<u32>(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::DestinationRegister(_) => NFTA_FIB_DREG,
            Self::Result(_) => NFTA_FIB_RESULT,
            Self::Flags(_) => NFTA_FIB_FLAGS,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        let number = match self {
            Self::DestinationRegister(register) => (*register).into(),
            Self::Result(number) | Self::Flags(number) => *number,
            Self::Other(attribute) => return attribute.emit_value(buffer),
        };
        fill(buffer, &number.to_be_bytes());
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Fib {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let number = || parse_u32_be(buffer.value());
        Ok(match buffer.kind() {
            NFTA_FIB_DREG => Self::DestinationRegister(number()?.into()),
            NFTA_FIB_RESULT => Self::Result(number()?),
            NFTA_FIB_FLAGS => Self::Flags(number()?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}
