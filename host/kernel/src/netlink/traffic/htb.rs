//! The options of `htb` and of its classes, as `linux/pkt_sched.h` lays them out.

use rtnetlink::packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u64};

use super::tbf::RateSpec;
use crate::netlink::nla::{Fields, fill};

const TCA_HTB_PARMS: u16 = 1;
const TCA_HTB_INIT: u16 = 2;
const TCA_HTB_RATE64: u16 = 6;
const TCA_HTB_CEIL64: u16 = 7;

/// Parameters of a class (`struct tc_htb_opt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HtbParms {
    pub(super) rate: RateSpec,
    pub(super) ceil: RateSpec,
    /// Bursts at the rate and at the ceiling, as long as they take.
    pub(super) buffer: u32,
    pub(super) cbuffer: u32,
    /// Bytes of a turn.
    pub(super) quantum: u32,
    pub(super) level: u32,
    pub(super) prio: u32,
}

impl HtbParms {
    const LENGTH: usize = 2 * RateSpec::LENGTH + 5 * size_of::<u32>();

    fn bytes(&self) -> Vec<u8> {
        let numbers = [
            self.buffer,
            self.cbuffer,
            self.quantum,
            self.level,
            self.prio,
        ];
        let mut bytes = [self.rate.bytes(), self.ceil.bytes()].concat();
        bytes.extend(numbers.into_iter().flat_map(u32::to_ne_bytes));
        bytes
    }

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields(value);
        Ok(Self {
            rate: RateSpec::parse(&mut fields)?,
            ceil: RateSpec::parse(&mut fields)?,
            buffer: fields.number()?,
            cbuffer: fields.number()?,
            quantum: fields.number()?,
            level: fields.number()?,
            prio: fields.number()?,
        })
    }
}

/// Parameters of the qdisc (`struct tc_htb_glob`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HtbGlob {
    /// The version of this structure.
    pub(super) version: u32,
    /// How many bytes of rate make one of a class's turn where it doesn't say.
    pub(super) rate2quantum: u32,
    /// The class that takes what no filter leads elsewhere.
    pub(super) defcls: u32,
    pub(super) debug: u32,
    pub(super) direct_pkts: u32,
}

impl HtbGlob {
    const LENGTH: usize = 5 * size_of::<u32>();

    fn bytes(&self) -> Vec<u8> {
        let numbers = [
            self.version,
            self.rate2quantum,
            self.defcls,
            self.debug,
            self.direct_pkts,
        ];
        numbers.into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields(value);
        Ok(Self {
            version: fields.number()?,
            rate2quantum: fields.number()?,
            defcls: fields.number()?,
            debug: fields.number()?,
            direct_pkts: fields.number()?,
        })
    }
}

/// Options of a hierarchical token bucket and of its classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HtbOption {
    Parms(HtbParms),
    Init(HtbGlob),
    /// Bytes per second.
    Rate64(u64),
    /// Bytes per second at most.
    Ceil64(u64),
    Other(DefaultNla),
}

impl Nla for HtbOption {
    fn value_len(&self) -> usize {
        match self {
            Self::Parms(_) => HtbParms::LENGTH,
            Self::Init(_) => HtbGlob::LENGTH,
            Self::Rate64(_) | Self::Ceil64(_) => size_of::<u64>(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Parms(_) => TCA_HTB_PARMS,
            Self::Init(_) => TCA_HTB_INIT,
            Self::Rate64(_) => TCA_HTB_RATE64,
            Self::Ceil64(_) => TCA_HTB_CEIL64,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Parms(parms) => fill(buffer, &parms.bytes()),
            Self::Init(glob) => fill(buffer, &glob.bytes()),
            Self::Rate64(rate) | Self::Ceil64(rate) => fill(buffer, &rate.to_ne_bytes()),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for HtbOption {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let value = buffer.value();
        Ok(match buffer.kind() {
            TCA_HTB_PARMS => Self::Parms(HtbParms::parse(value)?),
            TCA_HTB_INIT => Self::Init(HtbGlob::parse(value)?),
            TCA_HTB_RATE64 => Self::Rate64(parse_u64(value)?),
            TCA_HTB_CEIL64 => Self::Ceil64(parse_u64(value)?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::nla::{assert_round_trip, parse_all};

    #[test]
    fn options_are_read_as_they_were_written() {
        let rate = RateSpec {
            linklayer: 1,
            rate: 1_000_000,
            ..RateSpec::default()
        };
        let parms = HtbParms {
            rate,
            ceil: rate,
            buffer: 1,
            cbuffer: 2,
            quantum: 3,
            level: 4,
            prio: 5,
        };
        let glob = HtbGlob {
            version: 3,
            rate2quantum: 10,
            defcls: 0x30,
            debug: 1,
            direct_pkts: 2,
        };
        assert_round_trip(&[
            HtbOption::Parms(parms),
            HtbOption::Init(glob),
            HtbOption::Rate64(1_000_000),
            HtbOption::Ceil64(5_000_000_000),
            HtbOption::Other(DefaultNla::new(5, vec![1, 2, 3])),
        ]);
    }

    /// What Linux 6.18 answers to `tc class show` for
    /// `htb rate 8mbit ceil 40gbit burst 10000 cburst 20000 prio 2`.
    #[test]
    fn a_class_is_read_as_the_kernel_describes_it() {
        let bytes = [
            &[48, 0, 1, 0][..],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0x40, 0x42, 0x0f, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            &[0x5a, 0x62, 2, 0, 0x3e, 0, 0, 0, 0xa0, 0x86, 1, 0],
            &[0, 0, 0, 0, 2, 0, 0, 0],
            &[12, 0, 7, 0, 0, 0xf2, 5, 0x2a, 1, 0, 0, 0],
        ];
        let read: Vec<HtbOption> = parse_all(&bytes.concat()).unwrap();
        let [HtbOption::Parms(parms), HtbOption::Ceil64(5_000_000_000)] = read.as_slice() else {
            panic!("{read:?}");
        };
        assert_eq!((parms.rate.rate, parms.ceil.rate), (1_000_000, u32::MAX));
        assert_eq!((parms.buffer, parms.cbuffer), (156_250, 62));
        assert_eq!((parms.quantum, parms.prio), (100_000, 2));
    }
}
