//! Limits of a container's sending and receiving rates. This is like CNI's plugin
//! bandwidth.

mod limited;

use limited::Limited;

use crate::links::{self, Link, PlainOptions};
use crate::traffic::{self, Shape, TbfOptions};
use crate::types::{Error, Place, RequestOption};
use crate::{find, not};

/// The time that a packet may wait in the queue, in milliseconds. With CNI's 25 ms, a
/// TCP connection reaches only four fifths of the rate, because it slows down at every
/// lost packet.
const LATENCY: u32 = 100;

/// The smallest default burst in bytes, which is some of the largest usual packets.
const SMALLEST_BURST: u64 = 32 * 1024;

/// The number of default bursts per second at the full rate. The kernel refills the
/// bucket at least 100 times per second.
const BURSTS_A_SECOND: u64 = 50;

/// The end of a packet's way that is elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remote {
    Source,
    Destination,
}

/// The limit of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    /// The rate in bits per second.
    rate: u64,
    /// The burst in bytes.
    burst: u32,
}

/// The parsed options of rates. As in CNI, `ingress` is the container's receiving
/// direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rates {
    ingress: Option<Limit>,
    egress: Option<Limit>,
    /// The packets that the limits are for.
    limited: Limited,
}

impl Rates {
    pub(super) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let rates = Self {
            ingress: Limit::parse(options, "ingress_rate", "ingress_burst")?,
            egress: Limit::parse(options, "egress_rate", "egress_burst")?,
            limited: Limited::parse(options)?,
        };
        match rates.limited.option() {
            Some(key) if rates.ingress.is_none() && rates.egress.is_none() => Err(Error::Invalid(
                format!("{key} needs ingress_rate or egress_rate"),
            )),
            _ => Ok(rates),
        }
    }

    /// Limits the rates at the container's own link.
    pub(super) fn limit(&self, link: &Link) -> Result<(), Error> {
        if let Some(limit) = self.egress {
            self.limit_sending(link, limit, Remote::Destination)?;
        }
        match self.ingress {
            Some(limit) => self.limit_receiving(link, Place::Container, limit, Remote::Source),
            None => Ok(()),
        }
    }

    /// Limits the rates at the peer on the host, where the directions are reversed.
    pub(super) fn limit_port(&self, port: &Link) -> Result<(), Error> {
        if let Some(limit) = self.ingress {
            self.limit_sending(port, limit, Remote::Source)?;
        }
        match self.egress {
            Some(limit) => self.limit_receiving(port, Place::Host, limit, Remote::Destination),
            None => Ok(()),
        }
    }

    /// Limits the packets that a link sends. A limit for some of them needs classes.
    fn limit_sending(&self, link: &Link, limit: Limit, remote: Remote) -> Result<(), Error> {
        let shape = Shape {
            rate: limit.rate,
            burst: limit.burst,
        };
        if self.limited == Limited::All {
            let options = TbfOptions {
                shape,
                latency: LATENCY,
            };
            return traffic::set_tbf(link, options);
        }
        traffic::set_htb(link, shape)?;
        self.limited.filter(link, remote)
    }

    /// Limits the packets that a link receives. They are redirected to an ifb link,
    /// which limits them.
    fn limit_receiving(
        &self,
        link: &Link,
        place: Place,
        limit: Limit,
        remote: Remote,
    ) -> Result<(), Error> {
        let plain = PlainOptions {
            mac: None,
            mtu: None,
        };
        let ifb = links::create_ifb(place, None, &plain)?;
        self.limit_sending(&ifb, limit, remote)?;
        links::set_up(&ifb)?;
        traffic::redirect_ingress(link, &ifb)
    }
}

impl Limit {
    fn parse(options: &[RequestOption], rate: &str, burst: &str) -> Result<Option<Self>, Error> {
        let given = number(options, burst, 1024)?;
        let Some(rate_given) = number(options, rate, 1000)? else {
            return match given {
                Some(_) => Err(Error::Invalid(format!("{burst} needs {rate}"))),
                None => Ok(None),
            };
        };
        if rate_given < 8 {
            return Err(Error::Invalid(format!(
                "{rate} is in bits per second, at least 8: {rate_given} is too low"
            )));
        }
        let bytes = given.unwrap_or_else(|| (rate_given / 8 / BURSTS_A_SECOND).max(SMALLEST_BURST));
        match u32::try_from(bytes) {
            Ok(bytes) if bytes > 0 => Ok(Some(Self {
                rate: rate_given,
                burst: bytes,
            })),
            _ => Err(Error::Invalid(format!(
                "{burst} is in bytes, from 1 to {}: {bytes} is not possible; it takes \
                 {burst} to go with a high {rate}",
                u32::MAX
            ))),
        }
    }
}

/// Parses a number that may end with `k`, `m` or `g`. `step` is the factor of `k`.
fn number(options: &[RequestOption], key: &str, step: u64) -> Result<Option<u64>, Error> {
    let Some(text) = find(options, key) else {
        return Ok(None);
    };
    let lower = text.trim().to_ascii_lowercase();
    let units = [("k", step), ("m", step.pow(2)), ("g", step.pow(3)), ("", 1)];
    let mut split = units
        .iter()
        .filter_map(|(unit, factor)| Some((lower.strip_suffix(unit)?, *factor)));
    let parsed = split.next().and_then(|(digits, factor)| {
        let number: u64 = digits.parse().ok()?;
        number.checked_mul(factor)
    });
    match parsed {
        Some(number) => Ok(Some(number)),
        None => Err(not(
            key,
            text,
            "a whole number, which may end with k, m or g",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rate: &str, burst: &str) -> Result<Option<Limit>, String> {
        let option = |(key, value): (&str, &str)| RequestOption {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: crate::types::OptionOrigin::Network,
        };
        let given = [("egress_rate", rate), ("egress_burst", burst)];
        let given = given.into_iter().filter(|(_, value)| !value.is_empty());
        let options: Vec<_> = given.map(option).collect();
        Rates::parse(&options)
            .map(|rates| rates.egress)
            .map_err(|error| match error {
                Error::Invalid(text) => text,
                error => format!("not invalid: {error}"),
            })
    }

    #[test]
    fn rates_are_decimal_and_bursts_binary() {
        for (rate, burst, limit) in [
            ("8", "1", (8, 1)),
            ("500k", "10K", (500_000, 10_240)),
            ("2G", "1m", (2_000_000_000, 1_048_576)),
            ("1m", "", (1_000_000, 32_768)),
            ("1g", "", (1_000_000_000, 2_500_000)),
        ] {
            let parsed = parse(rate, burst).unwrap().unwrap();
            assert_eq!((parsed.rate, parsed.burst), limit, "{rate} {burst}");
        }
        assert_eq!(parse("", "").unwrap(), None);
    }

    #[test]
    fn what_makes_no_limit_is_refused() {
        for (rate, burst, why) in [
            ("", "1k", "egress_burst needs egress_rate"),
            ("7", "", "at least 8"),
            ("1m", "0", "from 1 to"),
            ("1m", "4g", "from 1 to"),
            ("x", "", "unable to parse \"egress_rate\""),
            ("1t", "", "unable to parse"),
            ("-1", "", "unable to parse"),
            ("99999999999g", "", "unable to parse"),
            ("1m", "k", "unable to parse \"egress_burst\""),
        ] {
            let error = parse(rate, burst).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
