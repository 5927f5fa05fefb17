//! The options of `tbf` and the rates that queues have, as `linux/pkt_sched.h`
//! lays them out.

use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32, parse_u64,
};

use crate::netlink::nla::{Fields, fill};

const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_BURST: u16 = 6;

/// A rate (`struct tc_ratespec`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RateSpec {
    pub(super) cell_log: u8,
    /// `enum tc_link_layer`: with one the kernel calculates, and needs no table.
    pub(super) linklayer: u8,
    pub(super) overhead: u16,
    pub(super) cell_align: i16,
    pub(super) mpu: u16,
    /// Bytes per second. Those beyond 32 bits have an attribute besides.
    pub(super) rate: u32,
}

impl RateSpec {
    pub(super) const LENGTH: usize = 12;

    pub(super) fn bytes(self) -> Vec<u8> {
        [
            &[self.cell_log, self.linklayer][..],
            &self.overhead.to_ne_bytes(),
            &self.cell_align.to_ne_bytes(),
            &self.mpu.to_ne_bytes(),
            &self.rate.to_ne_bytes(),
        ]
        .concat()
    }

    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let [cell_log, linklayer] = fields.next()?;
        Ok(Self {
            cell_log,
            linklayer,
            overhead: u16::from_ne_bytes(fields.next()?),
            cell_align: i16::from_ne_bytes(fields.next()?),
            mpu: u16::from_ne_bytes(fields.next()?),
            rate: fields.number()?,
        })
    }
}

/// Parameters of a token bucket filter (`struct tc_tbf_qopt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TbfParms {
    pub(super) rate: RateSpec,
    pub(super) peakrate: RateSpec,
    /// Bytes that may wait.
    pub(super) limit: u32,
    /// Bursts, as long as they take; an attribute has their bytes.
    pub(super) buffer: u32,
    pub(super) mtu: u32,
}

impl TbfParms {
    const LENGTH: usize = 2 * RateSpec::LENGTH + 3 * size_of::<u32>();

    fn bytes(&self) -> Vec<u8> {
        let numbers = [self.limit, self.buffer, self.mtu];
        let mut bytes = [self.rate.bytes(), self.peakrate.bytes()].concat();
        bytes.extend(numbers.into_iter().flat_map(u32::to_ne_bytes));
        bytes
    }

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields(value);
        Ok(Self {
            rate: RateSpec::parse(&mut fields)?,
            peakrate: RateSpec::parse(&mut fields)?,
            limit: fields.number()?,
            buffer: fields.number()?,
            mtu: fields.number()?,
        })
    }
}

/// Options of a token bucket filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TbfOption {
    Parms(TbfParms),
    /// Bytes per second.
    Rate64(u64),
    /// Bytes of a burst.
    Burst(u32),
    Other(DefaultNla),
}

impl Nla for TbfOption {
    fn value_len(&self) -> usize {
        match self {
            Self::Parms(_) => TbfParms::LENGTH,
            Self::Rate64(_) => size_of::<u64>(),
            Self::Burst(_) => size_of::<u32>(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Parms(_) => TCA_TBF_PARMS,
            Self::Rate64(_) => TCA_TBF_RATE64,
            Self::Burst(_) => TCA_TBF_BURST,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Parms(parms) => fill(buffer, &parms.bytes()),
            Self::Rate64(rate) => fill(buffer, &rate.to_ne_bytes()),
            Self::Burst(burst) => fill(buffer, &burst.to_ne_bytes()),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for TbfOption {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let value = buffer.value();
        Ok(match buffer.kind() {
            TCA_TBF_PARMS => Self::Parms(TbfParms::parse(value)?),
            TCA_TBF_RATE64 => Self::Rate64(parse_u64(value)?),
            TCA_TBF_BURST => Self::Burst(parse_u32(value)?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::nla::assert_round_trip;

    #[test]
    fn options_are_read_as_they_were_written() {
        let rate = RateSpec {
            cell_log: 3,
            linklayer: 1,
            overhead: 4,
            cell_align: -1,
            mpu: 64,
            rate: 1_000_000,
        };
        let parms = TbfParms {
            rate,
            peakrate: RateSpec::default(),
            limit: 65_000,
            buffer: 46,
            mtu: 5,
        };
        let bytes = assert_round_trip(&[
            TbfOption::Parms(parms),
            TbfOption::Rate64(5_000_000_000),
            TbfOption::Burst(15_000),
            TbfOption::Other(DefaultNla::new(2, vec![1, 2, 3])),
        ]);
        let header = [40, 0, 1, 0, 3, 1, 4, 0, 0xff, 0xff, 64, 0];
        assert_eq!(bytes.get(..12), Some(&header[..]));
        assert!(TbfParms::parse(&[0; 35]).is_err());
    }
}
