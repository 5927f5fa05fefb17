//! The values from which arguments are drawn. They are few, and many clash with the
//! machine's objects.

use fastrand::Rng;
use policy::Call;
use wasmtime::component::Resource;

use super::dice::Dice;
use super::words::{INTERFACE, Words};
use crate::driver::wit::types::{IpVersion, Namespace, Place, Port, Protocol, Route, RouteKind};
use crate::gate::LinkHandle;

const HOST_LINKS: [&str; 16] = [
    "lo",
    "eth0",
    "eth1",
    "eth2",
    "eth3",
    "eth0.100",
    "br-other",
    "vethother",
    "vrf-blue",
    "br-own",
    "vethctr2",
    "macv0",
    "ipvl0",
    "wg-other",
    "vethnet2",
    "dummy0",
];
const CONTAINER_LINKS: [&str; 3] = ["lo", "eth1", "eth0"];
const NEW_NAMES: [&str; 7] = ["x0", "x1", "x2", "eth9", "wlan0", "a/b", "muchtoolonganame"];
const MACS: [&str; 6] = [
    "02:00:00:00:aa:02",
    "02:00:00:00:aa:04",
    "00:00:00:00:00:01",
    "06:11:22:33:44:55",
    "01:00:5e:00:00:01",
    "nonsense",
];
const ADDRESSES: [&str; 18] = [
    "192.168.1.10/24",
    "192.168.1.1/24",
    "192.168.1.1/32",
    "192.168.1.77/24",
    "10.5.0.2/24",
    "10.5.0.77/32",
    "127.0.0.1/8",
    "10.200.0.1/24",
    "10.66.0.1/24",
    "10.89.0.1/24",
    "10.89.0.9/24",
    "10.42.0.1/24",
    "8.8.8.8/32",
    "172.16.0.1/16",
    "2001:db8:1::10/64",
    "fe80::1/64",
    "255.255.255.255/32",
    "nonsense",
];
const NETWORKS: [&str; 24] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "::/0",
    "192.168.1.0/24",
    "192.168.0.0/16",
    "192.168.1.10/32",
    "192.168.1.128/25",
    "10.5.0.0/24",
    "10.5.0.0/16",
    "10.5.0.2/32",
    "10.77.0.0/16",
    "10.77.1.0/24",
    "10.101.0.0/16",
    "10.200.0.0/24",
    "10.89.0.0/24",
    "10.89.0.9/32",
    "10.42.0.0/24",
    "10.67.0.0/16",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "2001:db8:1::/64",
    "fd00::/8",
    "10.0.0.0/8",
];
const GATEWAYS: [&str; 6] = [
    "192.168.1.1",
    "10.5.0.1",
    "10.200.0.1",
    "10.100.0.254",
    "fe80::1",
    "10.90.0.1",
];
const TABLES: [u32; 8] = [254, 255, 253, 0, 100, 200, 777, 778];
const MTUS: [u32; 7] = [0, 68, 1279, 1400, 1500, 9000, u32::MAX];
const LINK_KEYS: [&str; 16] = [
    "ipv4/rp_filter",
    "ipv4/route_localnet",
    "ipv4/proxy_arp",
    "ipv4/forwarding",
    "ipv4/accept_local",
    "ipv4/arp_notify",
    "ipv4/arp_ignore",
    "ipv4/accept_redirects",
    "ipv6/autoconf",
    "ipv6/accept_ra",
    "ipv6/forwarding",
    "ipv6/disable_ipv6",
    "ipv6/keep_addr_on_down",
    "ipv6/ndisc_notify",
    "ipv6/proxy_ndp",
    "ipv6/mtu",
];
const KEYS: [&str; 9] = [
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.accept_local",
    "net.core.somaxconn",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.neigh.eth0.gc_stale_time",
    "net.nonsense",
    "kernel.hostname",
];

/// A handle that a step got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The number of the step.
    pub(super) step: u32,
    /// The position among the handles that the step got.
    pub(super) part: u32,
    /// The call of the step.
    pub(super) call: Call,
    pub(super) rep: u32,
}

/// The draw of one step's arguments. They depend only on the step's seed, and on the
/// texts of an input. A drawn handle stays the same if steps that got other handles are
/// dropped.
pub(super) struct Draw<'a> {
    dice: Dice,
    /// Values besides those of the pools.
    texts: &'a [String],
    words: &'a Words,
    held: &'a [Held],
}

impl<'a> Draw<'a> {
    pub(super) fn new(seed: u64, words: &'a Words, held: &'a [Held]) -> Self {
        Self {
            dice: Dice::Seeded(Rng::with_seed(seed)),
            texts: &[],
            words,
            held,
        }
    }

    /// Draws from an input, which has its own texts.
    pub(super) fn of_input(self, seed: u64, texts: &'a [String]) -> Self {
        Self {
            dice: Dice::Digits(seed),
            texts,
            ..self
        }
    }

    /// Returns a value of a pool, or sometimes a text of the input in its place.
    pub(super) fn or_text(&mut self, value: String) -> String {
        if self.texts.is_empty() || self.dice.u8(..4) != 0 {
            return value;
        }
        let texts = self.texts;
        texts[self.dice.index(texts.len())].clone()
    }

    /// Returns a number of a pool, or sometimes a text of the input that is one.
    fn or_number<T: Copy + std::str::FromStr>(&mut self, value: T) -> T {
        match self.texts.is_empty() {
            true => value,
            false => self.or_text(String::new()).parse().unwrap_or(value),
        }
    }

    pub(super) fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.dice.index(all.len())]
    }

    pub(super) fn often(&mut self) -> bool {
        self.dice.u8(..10) < 7
    }

    pub(super) fn seldom(&mut self) -> bool {
        self.dice.u8(..10) < 2
    }

    pub(super) fn on(&mut self) -> bool {
        self.dice.bool()
    }

    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.dice.u32(..end)
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.on().then(|| draw(self))
    }

    /// Draws a handle, if there is one. Most are handles that these calls got.
    pub(super) fn link_got_by(&mut self, calls: &[Call]) -> Option<(Resource<LinkHandle>, u32)> {
        match self.often() {
            true => self.link_where(|held| calls.contains(&held.call)),
            false => None,
        }
        .or_else(|| self.link())
    }

    /// Draws a handle, if there is one.
    pub(super) fn link(&mut self) -> Option<(Resource<LinkHandle>, u32)> {
        self.link_where(|_| true)
    }

    fn link_where(&mut self, fits: impl Fn(&Held) -> bool) -> Option<(Resource<LinkHandle>, u32)> {
        let salt = self.dice.salt();
        let newest = self.on();
        let rank = |held: &&Held| {
            let which = u64::from(held.step) << 1 | u64::from(held.part);
            let hash = (which ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            match newest {
                true => (u32::MAX - held.step, hash),
                false => (0, hash),
            }
        };
        let fitting = self.held.iter().filter(|held| fits(held));
        let held = fitting.min_by_key(rank)?;
        Some((Resource::new_borrow(held.rep), held.step))
    }

    pub(super) fn namespace(&mut self) -> Namespace {
        match self.on() {
            true => Namespace::Host,
            false => Namespace::Container,
        }
    }

    pub(super) fn place(&mut self) -> Place {
        self.one(&[
            Place::Container,
            Place::Container,
            Place::Host,
            Place::Shared,
        ])
    }

    pub(super) fn version(&mut self) -> IpVersion {
        self.one(&[IpVersion::Ipv4, IpVersion::Ipv6])
    }

    /// Draws the name of a link that may exist.
    pub(super) fn name_in(&mut self, namespace: Namespace) -> String {
        let name = self.known_name_in(namespace);
        self.or_text(name)
    }

    fn known_name_in(&mut self, namespace: Namespace) -> String {
        let words = [
            self.words.parent,
            self.words.vrf,
            self.words.host_interface_name,
        ];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        if namespace == Namespace::Host && !words.is_empty() && self.often() {
            return self.one(&words).to_owned();
        }
        if self.seldom() {
            return self.one(&NEW_NAMES).to_owned();
        }
        let name = match namespace {
            Namespace::Host => self.one(&HOST_LINKS),
            Namespace::Container => self.one(&CONTAINER_LINKS),
        };
        name.to_owned()
    }

    /// Draws the name of a new link.
    pub(super) fn new_name(&mut self) -> Option<String> {
        if self.often() {
            return None;
        }
        let name = match self.below(4) {
            0 => INTERFACE,
            1 => self.one(&HOST_LINKS),
            2 => self.words.parent.unwrap_or("x0"),
            _ => self.one(&NEW_NAMES),
        };
        Some(self.or_text(name.to_owned()))
    }

    pub(super) fn mac(&mut self) -> String {
        let mac = self.one(&MACS).to_owned();
        self.or_text(mac)
    }

    pub(super) fn mac_maybe(&mut self) -> Option<String> {
        self.seldom().then(|| self.mac())
    }

    pub(super) fn mtu(&mut self) -> u32 {
        let mtu = self.one(&MTUS);
        self.or_number(mtu)
    }

    pub(super) fn mtu_maybe(&mut self) -> Option<u32> {
        self.seldom().then(|| self.mtu())
    }

    /// Draws an address with its prefix length.
    pub(super) fn address(&mut self) -> String {
        let address = self.known_address();
        self.or_text(address)
    }

    fn known_address(&mut self) -> String {
        let named = self.words.addresses.iter().chain(&self.words.gateways);
        let named: Vec<_> = named.copied().collect();
        if named.is_empty() || !self.often() {
            return self.one(&ADDRESSES).to_owned();
        }
        let address = self.one(&named);
        match self.seldom() {
            true => format!("{}/{}", address.addr(), address.max_prefix_len()),
            false => address.to_string(),
        }
    }

    /// Draws an address without a prefix length.
    pub(super) fn ip(&mut self) -> String {
        let address = self.address();
        let alone = address
            .split_once('/')
            .map(|(address, _)| address.to_owned());
        alone.unwrap_or(address)
    }

    pub(super) fn ip_maybe(&mut self) -> Option<String> {
        self.seldom().then(|| self.ip())
    }

    pub(super) fn network(&mut self) -> String {
        let network = self.known_network();
        self.or_text(network)
    }

    fn known_network(&mut self) -> String {
        let subnets = self.words.subnets.iter();
        let routes = self.words.routes.iter().map(|route| &route.destination);
        let named: Vec<_> = subnets.chain(routes).copied().collect();
        if named.is_empty() || !self.often() {
            return self.one(&NETWORKS).to_owned();
        }
        let network = self.one(&named);
        if !self.seldom() {
            return network.to_string();
        }
        // Half of the network, or twice as much.
        let length = match self.on() {
            true => network
                .prefix_len()
                .saturating_add(1)
                .min(network.max_prefix_len()),
            false => network.prefix_len().saturating_sub(1),
        };
        format!("{}/{length}", network.network())
    }

    pub(super) fn network_maybe(&mut self) -> Option<String> {
        self.maybe(Self::network)
    }

    pub(super) fn networks(&mut self) -> Vec<String> {
        (0..self.below(3)).map(|_| self.network()).collect()
    }

    pub(super) fn gateway(&mut self) -> String {
        let named: Vec<_> = self.words.gateways.clone();
        let gateway = match named.is_empty() || self.on() {
            true => self.one(&GATEWAYS).to_owned(),
            false => self.one(&named).addr().to_string(),
        };
        self.or_text(gateway)
    }

    pub(super) fn route(&mut self) -> Route {
        Route {
            destination: self.network(),
            gateway: self.maybe(Self::gateway),
            metric: self.maybe(|draw| {
                let metric = draw.one(&[0, 1, 100, 256]);
                draw.or_number(metric)
            }),
            kind: match self.seldom() {
                true => self.one(&[
                    RouteKind::Blackhole,
                    RouteKind::Unreachable,
                    RouteKind::Prohibit,
                ]),
                false => RouteKind::Unicast,
            },
        }
    }

    pub(super) fn table(&mut self) -> u32 {
        let table = self.one(&TABLES);
        self.or_number(table)
    }

    pub(super) fn table_maybe(&mut self) -> Option<u32> {
        self.seldom().then(|| self.table())
    }

    pub(super) fn key(&mut self, namespace: Namespace) -> String {
        let key = self.known_key(namespace);
        self.or_text(key)
    }

    fn known_key(&mut self, namespace: Namespace) -> String {
        if self.seldom() {
            return self.one(&KEYS).to_owned();
        }
        let name = self.name_in(namespace).replace('.', "/");
        let key = self.one(&LINK_KEYS);
        let (family, key) = key.split_once('/').unwrap_or_default();
        format!("net.{family}.conf.{name}.{key}")
    }

    pub(super) fn value(&mut self) -> String {
        let value = self.one(&["0", "1", "2", "1280", "-1"]).to_owned();
        self.or_text(value)
    }

    pub(super) fn vlan(&mut self) -> u16 {
        let vlan = self.one(&[0, 1, 7, 100, 4094, 4095]);
        self.or_number(vlan)
    }

    pub(super) fn protocol(&mut self) -> Protocol {
        self.one(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp, Protocol::Sctp])
    }

    pub(super) fn port(&mut self) -> Port {
        Port {
            host_address: self.seldom().then(|| self.ip()),
            host_port: self.one(&[8080, 8080, 8081, 22, 0, 65535]),
            container_port: self.one(&[80, 80, 22, 0]),
            protocol: self.protocol(),
        }
    }

    pub(super) fn secret(&mut self) -> String {
        let secret = self.one(&["key", "key", "othersecret", "../key", "missing"]);
        self.or_text(secret.to_owned())
    }
}
