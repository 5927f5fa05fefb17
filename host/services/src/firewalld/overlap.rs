//! Sources of other zones that overlap a subnet.

use std::collections::BTreeMap;
use std::time::Instant;

use ipnet::IpNet;

use super::fault::Fault;
use super::zone::zone_name;
use super::{Firewalld, FirewalldError, Source, TRUSTED};

/// The interfaces and the sources of each zone that has any (firewalld.dbus(5),
/// `getActiveZones`).
type ActiveZones<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a str>>>;

/// A source of another zone than `trusted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The zone, shortened and without control characters.
    pub zone: String,
    /// The source.
    pub source: IpNet,
}

impl Firewalld {
    /// Returns the sources of other zones that overlap a subnet, by zone. The addresses of
    /// ipsets aren't known here.
    ///
    /// A zone with such a source may get the subnet's packets although the subnet is
    /// trusted. The first zone whose sources match gets them, in the order of priority
    /// and then of names. The length of the prefix doesn't matter.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses or doesn't answer before the deadline.
    pub fn overlaps(
        &self,
        subnet: IpNet,
        deadline: Instant,
    ) -> Result<Vec<Overlap>, FirewalldError> {
        self.read_overlaps(subnet, deadline)
            .map_err(|fault| fault.during("read the sources of firewalld's zones"))
    }

    fn read_overlaps(&self, subnet: IpNet, deadline: Instant) -> Result<Vec<Overlap>, Fault> {
        let reply = self.call_zone("getActiveZones", &(), deadline)?;
        let body = reply.body();
        let zones = body.deserialize::<ActiveZones<'_>>();
        let zones = zones.map_err(|_| Fault::Answer("it is no list of zones"))?;
        let others = zones.iter().filter(|(name, _)| **name != TRUSTED);
        let overlaps = others.flat_map(|(name, zone)| {
            let sources = zone.get("sources").into_iter().flatten();
            sources.filter_map(move |source| overlap(name, source, subnet))
        });
        Ok(overlaps.collect())
    }
}

fn overlap(zone: &str, source: &str, subnet: IpNet) -> Option<Overlap> {
    let Source::Subnet(source) = Source::read(source) else {
        return None;
    };
    let overlaps = source.contains(&subnet) || subnet.contains(&source);
    overlaps.then(|| Overlap {
        zone: zone_name(zone),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_overlap_if_one_contains_the_other() {
        let subnet = "10.88.0.0/16".parse().unwrap();
        for source in ["10.0.0.0/8", "10.88.0.0/16", "10.88.3.4"] {
            assert!(overlap("dmz", source, subnet).is_some(), "{source}");
        }
        for source in ["10.89.0.0/16", "::/0", "ipset:x", "00:11:22:33:44:55"] {
            assert!(overlap("dmz", source, subnet).is_none(), "{source}");
        }
    }
}
