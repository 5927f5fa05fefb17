//! The pools that free subnets come from (containers.conf(5), `default_subnet_pools`).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;

/// Podman's own pools, which have the same size of subnets.
const DEFAULTS: [Ipv4Net; 5] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 89, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 90, 0, 0), 15),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 92, 0, 0), 14),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 11),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 128, 0, 0), 9),
];
/// The prefix length of the subnets in Podman's own pools.
const DEFAULT_SIZE: u8 = 24;

/// The local IPv6 addresses (RFC 4193, section 3.1).
const LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0), 8);
/// The prefix length of an IPv6 subnet.
const V6_SIZE: u8 = 64;
/// The number of random subnets that are tried.
const TRIES: usize = 64;

/// A pool of IPv4 subnets of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Pool {
    base: Ipv4Net,
    /// The prefix length of the subnets, at least that of the base.
    size: u8,
}

#[derive(Deserialize)]
struct Written {
    base: Ipv4Net,
    size: u8,
}

impl TryFrom<Written> for Pool {
    type Error = String;

    fn try_from(Written { base, size }: Written) -> Result<Self, String> {
        if size > base.max_prefix_len() || size < base.prefix_len() {
            return Err(format!(
                "the subnets of the pool {base} can't have the prefix length {size}: give one from \
                 {} to {}",
                base.prefix_len(),
                base.max_prefix_len()
            ));
        }
        let base = base.trunc();
        Ok(Self { base, size })
    }
}

impl Pool {
    /// Returns Podman's own pools.
    pub(crate) fn defaults() -> Vec<Self> {
        let pool = |base| Self {
            base,
            size: DEFAULT_SIZE,
        };
        DEFAULTS.map(pool).to_vec()
    }

    /// Returns the pool's first subnet that overlaps with none of the used ones, which
    /// are sorted.
    fn first_free(&self, used: &[Ipv4Net]) -> Option<Ipv4Net> {
        let first = |network: &Ipv4Net| u64::from(network.network().to_bits());
        let last = |network: &Ipv4Net| u64::from(network.broadcast().to_bits());
        let size = 1_u64 << (self.base.max_prefix_len() - self.size);
        let mut start = first(&self.base);
        for network in used {
            if last(network) < start {
                continue;
            }
            if first(network) >= start + size {
                break;
            }
            start = (last(network) + 1).next_multiple_of(size);
        }
        let is_inside = start + size <= last(&self.base) + 1;
        let start = u32::try_from(start).ok().filter(|_| is_inside)?;
        Ipv4Net::new(Ipv4Addr::from_bits(start), self.size).ok()
    }
}

/// Returns the first subnet of pools that overlaps with none of the used ones.
pub(crate) fn first_free(pools: &[Pool], used: &[IpNet]) -> Option<IpNet> {
    let mut used: Vec<Ipv4Net> = used
        .iter()
        .filter_map(|network| match network {
            IpNet::V4(network) => Some(network.trunc()),
            IpNet::V6(_) => None,
        })
        .collect();
    used.sort_unstable();
    let free = pools.iter().find_map(|pool| pool.first_free(&used));
    free.map(IpNet::from)
}

/// Returns a random local IPv6 subnet that overlaps with none of the used ones, or
/// `None` if none was found.
///
/// # Errors
///
/// The kernel gives no random numbers.
pub(crate) fn random_free(used: &[IpNet]) -> Result<Option<IpNet>, getrandom::Error> {
    for _ in 0..TRIES {
        let mut number = [0; 7];
        getrandom::fill(&mut number)?;
        if let Some(subnet) = local_subnet(number).filter(|subnet| !is_used(used, subnet)) {
            return Ok(Some(subnet));
        }
    }
    Ok(None)
}

/// Returns the first local IPv6 subnet that overlaps with none of the used ones, or `None`
/// if none of the first ones is free. Unlike a random one, it's the same each time.
pub(crate) fn first_free_local(used: &[IpNet]) -> Option<IpNet> {
    let numbers = (0..=u8::MAX).map(|number| [0, 0, 0, 0, 0, 0, number]);
    let mut subnets = numbers.filter_map(local_subnet);
    subnets.find(|subnet| !is_used(used, subnet))
}

/// Returns the local subnet with a number, which is what follows the prefix of local
/// addresses.
fn local_subnet(number: [u8; 7]) -> Option<IpNet> {
    let mut bytes = LOCAL.addr().octets();
    bytes
        .get_mut(1..usize::from(V6_SIZE / 8))?
        .copy_from_slice(&number);
    let subnet = Ipv6Net::new(Ipv6Addr::from(bytes), V6_SIZE);
    subnet.ok().map(IpNet::from)
}

fn is_used(used: &[IpNet], subnet: &IpNet) -> bool {
    used.iter().any(|used| overlap(used, subnet))
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(base: &str, size: u8) -> Pool {
        let base = base.parse().unwrap();
        Pool::try_from(Written { base, size }).unwrap()
    }

    fn free(pools: &[Pool], used: &[&str]) -> Option<String> {
        let used: Vec<IpNet> = used.iter().map(|used| used.parse().unwrap()).collect();
        first_free(pools, &used).map(|subnet| subnet.to_string())
    }

    #[test]
    fn the_first_subnet_that_nobody_has_is_free() {
        let some = |text: &str| Some(text.to_owned());
        let pools = [pool("10.0.0.0/22", 24), pool("10.9.0.0/24", 26)];
        for (used, first) in [
            (&[][..], some("10.0.0.0/24")),
            (&["10.0.0.7/32"], some("10.0.1.0/24")),
            (&["10.0.0.7/24"], some("10.0.1.0/24")),
            (&["10.0.1.0/24", "10.0.0.0/24"], some("10.0.2.0/24")),
            (&["10.0.0.0/23", "10.0.0.0/30"], some("10.0.2.0/24")),
            (&["10.0.0.255/32", "10.0.2.0/32"], some("10.0.1.0/24")),
            (&["9.0.0.0/8", "10.0.0.0/23"], some("10.0.2.0/24")),
            (&["10.0.0.0/22"], some("10.9.0.0/26")),
            (&["10.0.0.0/21", "10.9.0.0/25"], some("10.9.0.128/26")),
            (&["10.0.3.0/24", "10.0.0.0/24"], some("10.0.1.0/24")),
            (&["10.0.0.0/8"], None),
            (&["fd00::/8"], some("10.0.0.0/24")),
        ] {
            assert_eq!(free(&pools, used), first, "{used:?}");
        }
    }

    #[test]
    fn pools_at_the_ends_of_all_addresses_work() {
        let last = [pool("255.255.255.0/24", 25)];
        let second = Some("255.255.255.128/25".to_owned());
        assert_eq!(free(&last, &["255.255.255.1/32"]), second);
        assert_eq!(free(&last, &["255.255.255.0/24"]), None);
        let single = [pool("10.0.0.0/31", 32)];
        assert_eq!(free(&single, &["10.0.0.0/32"]), Some("10.0.0.1/32".into()));
        let whole = [pool("0.0.0.0/0", 0)];
        assert_eq!(free(&whole, &[]), Some("0.0.0.0/0".into()));
        assert_eq!(free(&whole, &["10.0.0.0/32"]), None);
    }

    /// The result is that of looking at one subnet after the other, as Podman does.
    #[test]
    fn whatever_is_used_the_first_free_subnet_is_found() {
        let mut random = 1_u32;
        let mut below = |limit: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % limit
        };
        for _ in 0..2000 {
            let pool = pool("10.0.0.0/24", u8::try_from(24 + below(8)).unwrap());
            let used: Vec<IpNet> = (0..below(12))
                .map(|_| {
                    let address = Ipv4Addr::from_bits(0x0a00_0000 - 16 + below(288));
                    let length = u8::try_from(22 + below(11)).unwrap();
                    IpNet::new(address.into(), length).unwrap()
                })
                .collect();
            let mut subnets = pool.base.subnets(pool.size).unwrap().map(IpNet::from);
            let plain = subnets.find(|it| !used.iter().any(|used| overlap(used, it)));
            assert_eq!(first_free(&[pool], &used), plain, "{pool:?} {used:?}");
        }
    }

    #[test]
    fn ipv6_subnets_are_local_and_random() {
        let one = random_free(&[]).unwrap().unwrap();
        let other = random_free(&[]).unwrap().unwrap();
        assert!("fd00::/8".parse::<IpNet>().unwrap().contains(&one));
        assert_eq!(one.prefix_len(), 64);
        assert_ne!(one, other);
        assert_eq!(one, one.trunc());
        assert_eq!(
            random_free(&["fc00::/7".parse().unwrap()]).unwrap(),
            None,
            "all are used"
        );
    }

    #[test]
    fn the_first_local_subnet_is_always_the_same() {
        let free = |used: &[&str]| {
            let used: Vec<IpNet> = used.iter().map(|used| used.parse().unwrap()).collect();
            first_free_local(&used).map(|subnet| subnet.to_string())
        };
        assert_eq!(free(&[]).as_deref(), Some("fd00::/64"));
        assert_eq!(free(&["fd00::/64"]).as_deref(), Some("fd00:0:0:1::/64"));
        assert_eq!(free(&["fc00::/7"]), None);
    }

    #[test]
    fn a_pool_of_no_subnets_is_an_error() {
        for text in [
            "{ base = '10.0.0.0/24', size = 16 }",
            "{ base = '10.0.0.0/24', size = 33 }",
        ] {
            let error = toml::from_str::<std::collections::BTreeMap<String, Pool>>(&format!(
                "pool = {text}"
            ));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("give one from 24 to 32"), "{error}");
        }
    }
}
