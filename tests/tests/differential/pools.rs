//! What arguments are drawn from: few values, so that it comes to collisions, and
//! among them such as the kernel refuses.

use std::net::IpAddr;

use fastrand::Rng;
use ipnet::IpNet;
use types::{LinkName, Mac, Namespace, SettingKey};

use crate::operation::Name;
use crate::probe::{Feature, Features};

const NAMES: [&str; 6] = ["a0", "a1", "a2", "b0", "b1", "eth0"];
const MACS: [&str; 6] = [
    "02:00:00:00:00:01",
    "02:00:00:00:00:02",
    "02:00:00:00:00:03",
    "06:11:22:33:44:55",
    // A group's, and none.
    "01:00:5e:00:00:01",
    "00:00:00:00:00:00",
];
const MTUS: [u32; 14] = [
    0,
    1,
    67,
    68,
    576,
    1279,
    1280,
    1400,
    1500,
    1500,
    9000,
    65_535,
    65_536,
    u32::MAX,
];
/// Without 0.0.0.0: of it some kernels say that it was added to a link that isn't
/// there.
const ADDRESSES: [&str; 21] = [
    "10.0.0.1/24",
    "10.0.0.2/24",
    "10.0.0.1/32",
    "10.0.0.1/16",
    "10.0.0.129/25",
    "10.0.0.255/24",
    "10.0.1.1/24",
    "10.0.1.1/31",
    "192.168.0.1/30",
    "127.0.0.2/8",
    "169.254.0.1/16",
    "224.0.0.1/24",
    "255.255.255.255/32",
    "fd00::1/64",
    "fd00::2/64",
    "fd00::1/128",
    "fd00::1/48",
    "fd00:1::1/64",
    "fe80::1/64",
    "ff02::7/128",
    "::1/128",
];
const DESTINATIONS: [&str; 18] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.0.128/25",
    "10.0.0.1/32",
    "10.0.0.2/32",
    "10.0.0.255/32",
    "10.0.9.0/24",
    "127.0.0.0/8",
    "224.0.0.0/4",
    "::/0",
    "fd00::/64",
    "fd00::/48",
    "fd00::1/128",
    "fd09::/64",
    "fe80::/64",
];
const GATEWAYS: [&str; 12] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.77",
    "10.0.0.255",
    "10.0.1.77",
    "127.0.0.2",
    "0.0.0.0",
    "224.0.0.1",
    "fd00::1",
    "fd00::77",
    "fe80::77",
    "::",
];
/// Without the table of local addresses, which the kernel keeps together with the
/// main one for as long as there are no rules (`fib_trie_unmerge`).
const TABLES: [u32; 5] = [254, 254, 254, 77, 1077];
const METRICS: [u32; 4] = [0, 100, 256, 1024];
const SETTINGS: [&str; 12] = [
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.default.disable_ipv6",
    "net.ipv6.conf.all.accept_ra",
    "net.ipv4.conf.a0.rp_filter",
    "net.ipv6.conf.a1.disable_ipv6",
    "net.ipv4.conf.nobody.rp_filter",
    "net.nonsense",
];

/// A source of arguments. The same seed gives the same ones.
pub(crate) struct Draw {
    rng: Rng,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
        }
    }

    pub(crate) fn one<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.rng.usize(..all.len())].clone()
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.rng.u32(..end)
    }

    pub(crate) fn on(&mut self) -> bool {
        self.rng.bool()
    }

    /// One time in five.
    pub(crate) fn seldom(&mut self) -> bool {
        self.below(5) == 0
    }

    pub(crate) fn seldom_some<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.seldom().then(|| draw(self))
    }

    pub(crate) fn namespace(&mut self) -> Namespace {
        match self.seldom() {
            true => Namespace::Container,
            false => Namespace::Host,
        }
    }

    /// The name of a link that may be there; seldom the loopback link.
    pub(crate) fn link(&mut self) -> LinkName {
        match self.below(20) {
            0 => parsed("lo"),
            _ => parsed(self.one(&NAMES)),
        }
    }

    pub(crate) fn name(&mut self) -> Name {
        Name {
            namespace: self.namespace(),
            link: self.link(),
        }
    }

    /// A link that one in a namespace can lie on: the host's, or one beside it.
    pub(crate) fn parent(&mut self, namespace: Namespace, features: &Features) -> Name {
        let is_beside = self.seldom() || !features.has(Feature::NamesWhereMade);
        let namespace = if is_beside {
            namespace
        } else {
            Namespace::Host
        };
        let link = self.link();
        Name { namespace, link }
    }

    pub(crate) fn mac(&mut self) -> Mac {
        // The last ones are refused, and soon known.
        match self.seldom() {
            true => parsed(self.one(&MACS)),
            false => self.right_mac(),
        }
    }

    pub(crate) fn right_mac(&mut self) -> Mac {
        parsed(self.one(&MACS[..4]))
    }

    pub(crate) fn mtu(&mut self) -> u32 {
        self.one(&MTUS)
    }

    pub(crate) fn address(&mut self) -> IpNet {
        parsed(self.one(&ADDRESSES))
    }

    pub(crate) fn ip(&mut self) -> IpAddr {
        match self.on() {
            true => self.address().addr(),
            false => parsed(self.one(&GATEWAYS)),
        }
    }

    /// The other end of a tunnel. No group: joining one takes a route.
    pub(crate) fn remote(&mut self) -> IpAddr {
        parsed(self.one(&["10.0.0.77", "fd00::77", "fe80::77"]))
    }

    pub(crate) fn destination(&mut self) -> IpNet {
        parsed(self.one(&DESTINATIONS))
    }

    /// A gateway of the destination's family.
    pub(crate) fn gateway(&mut self, destination: IpNet) -> IpAddr {
        let is_v4 = destination.addr().is_ipv4();
        let all = GATEWAYS.map(parsed::<IpAddr>);
        let fitting: Vec<IpAddr> = all.into_iter().filter(|ip| ip.is_ipv4() == is_v4).collect();
        self.one(&fitting)
    }

    pub(crate) fn source(&mut self, destination: IpNet) -> IpAddr {
        let is_v4 = destination.addr().is_ipv4();
        let all = ADDRESSES.map(parsed::<IpNet>);
        let all = all.iter().map(IpNet::addr);
        let fitting: Vec<IpAddr> = all.filter(|ip| ip.is_ipv4() == is_v4).collect();
        self.one(&fitting)
    }

    pub(crate) fn table(&mut self) -> u32 {
        self.one(&TABLES)
    }

    pub(crate) fn metric(&mut self) -> u32 {
        self.one(&METRICS)
    }

    pub(crate) fn key(&mut self) -> SettingKey {
        parsed(self.one(&SETTINGS))
    }

    pub(crate) fn value(&mut self) -> &'static str {
        self.one(&["0", "0", "1", "1", "2", "-1", "nonsense"])
    }
}

/// The addresses that pools have; others are the kernel's own choice.
pub(crate) fn is_given(mac: Mac) -> bool {
    MACS.map(parsed::<Mac>).contains(&mac)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
