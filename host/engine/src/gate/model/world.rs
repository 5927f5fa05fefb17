//! The machine of the model: a host with links of its own, of other drivers, of another
//! container and of another network.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::kinds::{IpvlanIsolation, IpvlanMode};
use kernel::{
    AddressState, Feature, FirewallEntry, FirewallOwner, FirewallRule, FoundNeighbour, FoundRoute,
    Isolation, LinkInfo, LinkState, MAIN_TABLE, NeighbourTable, ParentUse, PortState, PortVlans,
    Publication, Queues, RootQueue, RouteScope, SurveyedLink, TableRoute, Tie, Translation,
    VfLinkState, VfState, VfVlan, VlanNumbers, WireguardState,
};
use sim::{Imagined, ImaginedLink, ImaginedNamespace};
use types::{IpVersion, Mac, PciAddress, PortRange, Protocol, Route, RouteKind, Rule};

/// A network that another container is on.
pub(super) const SHARED_NETWORK: &str = "sharednetwork";
/// The other container.
pub(super) const OTHER_CONTAINER: &str = "othercontainer";
/// The shared bridge of that network, and its index.
pub(super) const SHARED_BRIDGE: (&str, u32) = ("br-own", 10);
/// The other container's port of the bridge, and its index.
pub(super) const OTHER_PORT: (&str, u32) = ("vethctr2", 11);
/// The table of the host's VRF.
pub(super) const VRF_TABLE: u32 = 100;
/// RTPROT_KERNEL of `linux/rtnetlink.h`.
const BY_KERNEL: u8 = 2;
/// RTPROT_STATIC of `linux/rtnetlink.h`.
const BY_HAND: u8 = 4;

/// The settings that every link has.
const LINK_SETTINGS: [(&str, &str); 17] = [
    ("ipv4/rp_filter", "2"),
    ("ipv4/route_localnet", "0"),
    ("ipv4/proxy_arp", "0"),
    ("ipv4/forwarding", "0"),
    ("ipv4/accept_local", "0"),
    ("ipv4/arp_notify", "0"),
    ("ipv4/arp_ignore", "0"),
    ("ipv4/accept_redirects", "0"),
    ("ipv6/autoconf", "1"),
    ("ipv6/accept_ra", "1"),
    ("ipv6/accept_dad", "1"),
    ("ipv6/forwarding", "0"),
    ("ipv6/disable_ipv6", "0"),
    ("ipv6/keep_addr_on_down", "0"),
    ("ipv6/ndisc_notify", "0"),
    ("ipv6/proxy_ndp", "0"),
    ("ipv6/mtu", "1500"),
];

/// The settings that belong to no link.
const SETTINGS: [(&str, &str); 3] = [
    ("ipv4/ip_forward", "0"),
    ("ipv4/tcp_syncookies", "1"),
    ("core/somaxconn", "4096"),
];
/// A setting that only the host has.
const HOST_SETTING: (&str, &str) = ("ipv4/neigh/eth0/gc_stale_time", "60");

/// Returns the machine for a driver.
pub(super) fn world(driver: &str) -> Imagined {
    Imagined {
        host: host(),
        container: container(),
        firewall: firewall(driver),
    }
}

fn host() -> ImaginedNamespace {
    let links = vec![
        link(1, "lo", None).with(&["127.0.0.1/8", "::1/128"]),
        link(2, "eth0", None)
            .with(&["192.168.1.10/24", "2001:db8:1::10/64"])
            .hardware()
            .neighbour("192.168.1.1", Some(0xa1)),
        link(3, "eth1", None)
            .with(&["10.5.0.2/24"])
            .hardware()
            .vfs()
            .neighbour("10.5.0.77", None),
        link(4, "eth2", None).hardware(),
        link(5, "eth0.100", Some("vlan"))
            .with(&["10.100.0.1/24"])
            .on(2),
        link(6, "br-other", Some("bridge"))
            .with(&["10.200.0.1/24"])
            .mac(7),
        link(7, "vethother", Some("veth")).elsewhere(2).port_of(6),
        link(8, "vrf-blue", Some("vrf")).table(VRF_TABLE),
        link(9, "eth3", None)
            .with(&["10.66.0.1/24"])
            .hardware()
            .master(8),
        link(SHARED_BRIDGE.1, SHARED_BRIDGE.0, Some("bridge"))
            .with(&["10.89.0.1/24", "fd89::1/64"])
            .mac(11),
        link(OTHER_PORT.1, OTHER_PORT.0, Some("veth"))
            .elsewhere(2)
            .port_of(SHARED_BRIDGE.1),
        link(12, "ipvl0", Some("ipvlan")).on(4).mac(4),
        link(13, "macv0", Some("macvlan"))
            .with(&["192.168.1.11/24"])
            .on(2),
        link(14, "wg-other", Some("wireguard"))
            .with(&["10.9.0.1/24"])
            .wireguard(),
        link(15, "vethnet2", Some("veth")).pair(3),
        link(16, "dummy0", Some("dummy")).with(&["10.42.0.1/24"]),
        link(17, "eth1v0", None).vf_of(3, 0),
        link(18, "eth1v1", None).vf_of(3, 1),
    ];
    let mut routes = connected(&links);
    routes.extend([
        route("0.0.0.0/0", Some("192.168.1.1"), 2, MAIN_TABLE),
        route("10.77.0.0/16", Some("10.5.0.1"), 3, MAIN_TABLE),
        route("10.101.0.0/16", Some("10.100.0.254"), 5, MAIN_TABLE),
        route("10.90.0.0/24", None, 15, MAIN_TABLE),
        route("10.67.0.0/16", Some("10.66.0.254"), 9, VRF_TABLE),
        route("0.0.0.0/0", Some("192.168.1.254"), 2, 200),
    ]);
    let mut own = settings();
    let (key, value) = HOST_SETTING;
    own.settings.insert(key.to_owned(), value.to_owned());
    ImaginedNamespace {
        links: links.into_iter().map(|link| link.0).collect(),
        routes,
        rules: vec![Rule {
            version: IpVersion::Ipv4,
            source: Some(net("10.42.0.0/24")),
            destination: None,
            incoming: None,
            outgoing: None,
            mark: None,
            priority: 1000,
            table: 200,
        }],
        ..own
    }
}

fn container() -> ImaginedNamespace {
    let links = vec![
        link(1, "lo", None).with(&["127.0.0.1/8", "::1/128"]),
        link(3, "eth1", Some("veth"))
            .with(&["10.90.0.5/24"])
            .pair(15),
    ];
    let mut routes = connected(&links);
    routes.push(route("10.91.0.0/16", Some("10.90.0.1"), 3, MAIN_TABLE));
    ImaginedNamespace {
        links: links.into_iter().map(|link| link.0).collect(),
        routes,
        ..settings()
    }
}

fn settings() -> ImaginedNamespace {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    ImaginedNamespace {
        settings: SETTINGS.map(owned).into(),
        link_settings: LINK_SETTINGS.map(owned).into(),
        ..ImaginedNamespace::default()
    }
}

/// Returns the firewall entries of another driver and of the driver's other container.
fn firewall(driver: &str) -> Vec<FirewallEntry> {
    let other = FirewallOwner {
        driver: "somebodys",
        network: "elsewhere",
        container: None,
    };
    let mut entries = vec![FirewallEntry::new(other, masquerade("10.200.0.0/24"))];
    let others = others_entries(driver);
    entries.extend(others.into_iter().map(|(entry, _)| entry));
    entries
}

/// Returns the firewall entries of the network's other container, each with whether
/// it's shared.
pub(super) fn others_entries(driver: &str) -> Vec<(FirewallEntry, bool)> {
    let owner = |container| FirewallOwner {
        driver,
        network: SHARED_NETWORK,
        container,
    };
    let shared = owner(None);
    let isolate = FirewallRule::Isolate {
        link: name(SHARED_BRIDGE.0),
        isolation: Isolation::Normal,
    };
    let publish = FirewallRule::Publish(Publication {
        ports: vec![PortRange {
            host_address: None,
            protocol: Protocol::Tcp,
            first: 8081,
            last: 8081,
            container_first: 80,
        }],
        address: ip("10.89.0.9"),
        from: None,
    });
    vec![
        (FirewallEntry::new(shared, masquerade("10.89.0.0/24")), true),
        (FirewallEntry::new(shared, isolate), true),
        (
            FirewallEntry::new(owner(Some(OTHER_CONTAINER)), publish),
            false,
        ),
    ]
}

fn masquerade(source: &str) -> FirewallRule {
    FirewallRule::Translate(Translation {
        source: net(source),
        except: Vec::new(),
        address: None,
    })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn name(text: &str) -> types::LinkName {
    text.parse().unwrap()
}

/// Returns a MAC address of the host.
pub(super) fn host_mac(number: u8) -> Mac {
    format!("02:00:00:00:aa:{number:02x}").parse().unwrap()
}

/// Returns the device of a card's VF.
fn vf_device(card: u32, number: u32) -> PciAddress {
    format!("0000:0{card}:10.{number}").parse().unwrap()
}

fn connected(links: &[Sketch]) -> Vec<FoundRoute> {
    let links = links.iter().map(|sketch| &sketch.0);
    let routes = links.flat_map(|link| {
        let state = &link.link.info.state;
        let table = if state.master == Some(8) {
            VRF_TABLE
        } else {
            MAIN_TABLE
        };
        let own = link.addresses.iter().filter(|_| state.index != 1);
        own.map(move |address| {
            let is_v4 = address.address.addr().is_ipv4();
            let mut found = route("0.0.0.0/0", None, state.index, table);
            found.protocol = BY_KERNEL;
            found.route.route.destination = address.address.trunc();
            found.route.route.metric = Some(if is_v4 { 0 } else { 256 });
            found.route.scope = is_v4.then_some(RouteScope::Link);
            found.route.source = is_v4.then_some(address.address.addr());
            found
        })
    });
    routes.collect()
}

fn route(destination: &str, gateway: Option<&str>, link: u32, table: u32) -> FoundRoute {
    FoundRoute {
        route: TableRoute {
            route: Route {
                destination: net(destination),
                gateway: gateway.map(ip),
                metric: Some(100),
                kind: RouteKind::Unicast,
            },
            table,
            scope: Some(match gateway {
                Some(_) => RouteScope::Global,
                None => RouteScope::Link,
            }),
            source: None,
            link: Some(link),
            on_link: false,
            next_hops: Vec::new(),
        },
        protocol: BY_HAND,
    }
}

/// A link under construction.
struct Sketch(ImaginedLink);

fn link(index: u32, link_name: &str, kind: Option<&str>) -> Sketch {
    let number = u8::try_from(index).unwrap();
    let state = LinkState {
        mac: Some(match link_name {
            "lo" => Mac::NONE,
            _ => host_mac(number),
        }),
        up: true,
        ..LinkState::new(link_name.parse().unwrap(), index)
    };
    let mut link = ImaginedLink::new(SurveyedLink {
        info: LinkInfo {
            state,
            kind: kind.map(str::to_owned),
            carrier: true,
            vlan_filtering: (kind == Some("bridge")).then_some(false),
            parent_use: (kind == Some("ipvlan"))
                .then_some(ParentUse::Ipvlan(IpvlanMode::L2, IpvlanIsolation::Bridge)),
        },
        tie: None,
        table: None,
        pci: None,
        device: None,
    });
    link.features = ["rx-gro", "tx-checksum-ip-generic"]
        .map(|name| Feature {
            name: name.to_owned(),
            on: true,
            wanted: true,
            changeable: true,
        })
        .into();
    Sketch(link)
}

impl Sketch {
    fn with(mut self, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| AddressState {
            address: net(address),
            link_scope: false,
            tentative: false,
            dad_failed: false,
        });
        self.0.addresses = addresses.collect();
        self
    }

    fn mac(mut self, number: u8) -> Self {
        self.0.link.info.state.mac = Some(host_mac(number));
        self
    }

    fn hardware(mut self) -> Self {
        let state = &mut self.0.link.info.state;
        state.permanent_mac = state.mac;
        let index = state.index;
        self.0.link.pci = Some(format!("0000:00:0{index}.0").parse().unwrap());
        let device = format!("/sys/devices/pci0000:00/0000:00:0{index}.0");
        self.0.link.device = Some(device.parse().unwrap());
        if index == 3 {
            self.0.queues = Queues {
                root: Some(RootQueue::Foreign),
                ingress: false,
            };
        }
        self
    }

    fn tie(mut self, is_pair: bool, index: u32, elsewhere: bool) -> Self {
        self.0.link.tie = Some(Tie {
            is_pair,
            index,
            elsewhere,
        });
        self
    }

    fn on(self, lower: u32) -> Self {
        self.tie(false, lower, false)
    }

    /// Puts the peer in a third namespace.
    fn elsewhere(self, index: u32) -> Self {
        self.tie(true, index + 1000, true)
    }

    /// Puts the peer in the other one of the two namespaces.
    fn pair(self, index: u32) -> Self {
        self.tie(true, index, true)
    }

    fn master(mut self, master: u32) -> Self {
        self.0.link.info.state.master = Some(master);
        self
    }

    fn port_of(mut self, bridge: u32) -> Self {
        self.0.port = Some(PortState {
            hairpin: false,
            isolated: false,
            learning: true,
        });
        self.0.vlans = vec![PortVlans {
            numbers: VlanNumbers::new(1, 1).unwrap(),
            pvid: true,
            untagged: true,
        }];
        self.master(bridge)
    }

    fn table(mut self, table: u32) -> Self {
        self.0.link.table = Some(table);
        self
    }

    fn vfs(mut self) -> Self {
        let vf = |number| VfState {
            number,
            mac: Mac::NONE,
            vlan: VfVlan::default(),
            spoof_check: true,
            trust: false,
            link_state: VfLinkState::Auto,
            min_rate: 0,
            max_rate: 0,
        };
        self.0.vfs = vec![vf(0), vf(1)];
        self.0.vf_devices = vec![vf_device(3, 0), vf_device(3, 1)];
        self
    }

    fn vf_of(mut self, card: u32, number: u32) -> Self {
        let state = &mut self.0.link.info.state;
        state.permanent_mac = state.mac;
        self.0.link.pci = Some(vf_device(card, number));
        self
    }

    fn wireguard(mut self) -> Self {
        self.0.wireguard = Some(WireguardState::default());
        self.0.link.info.state.mac = None;
        self
    }

    /// Adds a permanent neighbour, or a proxy entry if there is no MAC address.
    fn neighbour(mut self, address: &str, mac: Option<u8>) -> Self {
        self.0.neighbours.push(FoundNeighbour {
            address: ip(address),
            mac: mac.map(host_mac),
            permanent: mac.is_some(),
            table: match mac {
                Some(_) => NeighbourTable::Entries,
                None => NeighbourTable::Proxies,
            },
        });
        self
    }
}
