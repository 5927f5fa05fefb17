//! What the shapes of drivers are in the numbers of `tbf` and `htb`.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::tc::{TcAttribute, TcOption};
use rtnetlink::packet_core::{DefaultNla, Nla};

use super::htb::{HtbGlob, HtbOption, HtbParms};
use super::tbf::{RateSpec, TbfOption, TbfParms};
use crate::netlink::nla::plain;
use crate::{Shape, Tbf};

/// `enum tc_link_layer`, TC_LINKLAYER_ETHERNET: the kernel calculates, and needs
/// no table of ours.
const ETHERNET: u8 = 1;

/// The version of `struct tc_htb_glob`, and how many bytes of rate make one of
/// a class's turn where it doesn't say (tc's own 10).
const HTB_VERSION: u32 = 3;
const RATE_TO_QUANTUM: u32 = 10;

/// Bytes of a class's turn: what the kernel takes without a complaint.
const QUANTUM: std::ops::RangeInclusive<u64> = 1_000..=200_000;

/// How long packets wait in a class's queue, in milliseconds, and the bytes that it has
/// at least: two packets that the network card segments.
const QUEUED_TIME: u128 = 100;
const QUEUED_BYTES: u32 = 128 * 1024;

/// The options of a queueing discipline (`rtnetlink.h`). Those of `bfifo` are no
/// attributes (`struct tc_fifo_qopt`).
const TCA_OPTIONS: u16 = 2;

/// Nanoseconds of a tick, as a power of two (`pkt_sched.h`, PSCHED_SHIFT).
const TICK: u32 = 6;

const NANOSECONDS: u128 = 1_000_000_000;

/// A token bucket filter.
pub(super) fn tbf(tbf: &Tbf) -> Vec<TcAttribute> {
    let shape = tbf.shape;
    let waiting = u128::from(shape.rate()) * u128::from(tbf.latency) / 1000;
    let parms = TbfParms {
        rate: rate(shape.rate()),
        limit: saturated(waiting + u128::from(shape.burst())),
        ..TbfParms::default()
    };
    let options = [
        TbfOption::Parms(parms),
        TbfOption::Rate64(shape.rate()),
        TbfOption::Burst(shape.burst()),
    ];
    with_kind("tbf", &options)
}

/// A hierarchical token bucket whose class `rest` takes what no filter leads
/// elsewhere.
pub(super) fn htb(rest: u16) -> Vec<TcAttribute> {
    let init = HtbGlob {
        version: HTB_VERSION,
        rate2quantum: RATE_TO_QUANTUM,
        defcls: rest.into(),
        ..HtbGlob::default()
    };
    with_kind("htb", &[HtbOption::Init(init)])
}

/// A queue for a class of one, which has bytes of packets.
pub(super) fn queue_of(shape: Shape) -> Vec<TcAttribute> {
    let waiting = u128::from(shape.rate()) * QUEUED_TIME / 1000 + u128::from(shape.burst());
    let limit = saturated(waiting).max(QUEUED_BYTES);
    let limit = DefaultNla::new(TCA_OPTIONS, limit.to_ne_bytes().to_vec());
    vec![
        TcAttribute::Kind("bfifo".to_owned()),
        TcAttribute::Other(limit),
    ]
}

/// A class of one.
pub(super) fn htb_class(assured: Shape, ceiling: Shape) -> Vec<TcAttribute> {
    let quantum =
        (assured.rate() / u64::from(RATE_TO_QUANTUM)).clamp(*QUANTUM.start(), *QUANTUM.end());
    let parms = HtbParms {
        rate: rate(assured.rate()),
        ceil: rate(ceiling.rate()),
        buffer: ticks(assured),
        cbuffer: ticks(ceiling),
        quantum: saturated(quantum.into()),
        ..HtbParms::default()
    };
    let options = [
        HtbOption::Parms(parms),
        HtbOption::Rate64(assured.rate()),
        HtbOption::Ceil64(ceiling.rate()),
    ];
    with_kind("htb", &options)
}

/// The parts of a network that are compared, 32 bits each with their mask.
pub(super) fn words(network: IpNet) -> Vec<(u32, u32)> {
    let (address, mask) = (bits(network.addr()), bits(network.netmask()));
    address.into_iter().zip(mask).collect()
}

fn bits(address: IpAddr) -> Vec<u32> {
    match address {
        IpAddr::V4(address) => vec![address.to_bits()],
        IpAddr::V6(address) => {
            let segments = address.segments();
            let pairs = segments.chunks_exact(2);
            pairs
                .map(|pair| {
                    pair.iter()
                        .fold(0, |bits, part| bits << 16 | u32::from(*part))
                })
                .collect()
        }
    }
}

fn rate(bytes_per_second: u64) -> RateSpec {
    RateSpec {
        linklayer: ETHERNET,
        rate: saturated(bytes_per_second.into()),
        ..RateSpec::default()
    }
}

/// How long a burst takes at its rate.
fn ticks(shape: Shape) -> u32 {
    let nanoseconds = u128::from(shape.burst()) * NANOSECONDS / u128::from(shape.rate());
    saturated(nanoseconds >> TICK)
}

fn saturated(number: u128) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn with_kind<T: Nla>(kind: &str, options: &[T]) -> Vec<TcAttribute> {
    let options = options.iter().map(plain).map(TcOption::Other);
    vec![
        TcAttribute::Kind(kind.to_owned()),
        TcAttribute::Options(options.collect()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_route::tc::TcMessage;
    use rtnetlink::packet_core::{Emitable, NlaBuffer, NlasIterator, Parseable};

    /// What stands in the options of a message once it's sent and read again.
    fn read_back(attributes: Vec<TcAttribute>) -> Vec<(u16, Vec<u8>)> {
        let mut message = TcMessage::with_index(1);
        message.attributes = attributes;
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        let attributes = NlasIterator::new(&bytes[20..]);
        let options = attributes
            .map(Result::unwrap)
            .find(|attribute: &NlaBuffer<_>| attribute.kind() == 2)
            .unwrap();
        let options = NlasIterator::new(options.value());
        options
            .map(|option| {
                let option = DefaultNla::parse(&option.unwrap()).unwrap();
                let mut value = vec![0; option.buffer_len()];
                option.emit(&mut value);
                (
                    u16::from_ne_bytes([value[2], value[3]]),
                    value[4..].to_vec(),
                )
            })
            .collect()
    }

    fn number(bytes: &[u8], at: usize) -> u32 {
        u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn a_token_bucket_is_laid_out_as_the_kernel_reads_it() {
        let shape = Shape::new(8_000_000, 15_000).unwrap();
        let options = read_back(tbf(&Tbf { shape, latency: 50 }));
        let [(1, parms), (4, rate), (6, burst)] = options.as_slice() else {
            panic!("{options:?}");
        };
        assert_eq!(parms.len(), 36);
        assert_eq!((parms[1], number(parms, 8)), (ETHERNET, 1_000_000));
        // 50 ms at the rate, and the burst.
        assert_eq!(number(parms, 24), 65_000);
        assert_eq!(*rate, 1_000_000_u64.to_ne_bytes());
        assert_eq!(*burst, 15_000_u32.to_ne_bytes());
    }

    #[test]
    fn a_class_is_laid_out_as_the_kernel_reads_it() {
        let assured = Shape::new(8_000_000, 10_000).unwrap();
        let ceiling = Shape::new(80_000_000_000, 20_000).unwrap();
        let options = read_back(htb_class(assured, ceiling));
        let [(1, parms), (6, rate), (7, ceil)] = options.as_slice() else {
            panic!("{options:?}");
        };
        assert_eq!(parms.len(), 44);
        assert_eq!(number(parms, 8), 1_000_000);
        assert_eq!(number(parms, 20), u32::MAX, "it stands elsewhere");
        // 10 ms in ticks of 64 ns.
        assert_eq!(number(parms, 24), 156_250);
        assert_eq!(number(parms, 32), 100_000, "a tenth of a second's");
        assert_eq!(*rate, 1_000_000_u64.to_ne_bytes());
        assert_eq!(*ceil, 10_000_000_000_u64.to_ne_bytes());
    }

    #[test]
    fn networks_are_compared_in_words() {
        let words = |text: &str| words(text.parse().unwrap());
        assert_eq!(words("10.88.0.0/16"), [(0x0a58_0000, 0xffff_0000)]);
        assert_eq!(
            words("fd00::1/128").first(),
            Some(&(0xfd00_0000, 0xffff_ffff))
        );
        assert_eq!(words("fd00::/8").get(1), Some(&(0, 0)));
    }
}
