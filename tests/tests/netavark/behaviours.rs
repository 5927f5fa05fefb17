//! The options that every driver has, for a network and for one container.

use std::fs;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::{self, Transport};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::rate;
use wasmvark_tests::sriov;
use wasmvark_tests::world::World;

use crate::driver::Installed;
use crate::wireguard;

/// A driver, and a connection that it can make.
#[derive(Clone, Copy)]
struct Case {
    driver: &'static str,
    needs: &'static [Need],
    connection: fn(Connection) -> Connection,
    /// Whether rates are limited at the host's end of its link.
    has_host_end: bool,
}

const fn case(
    driver: &'static str,
    needs: &'static [Need],
    connection: fn(Connection) -> Connection,
) -> Case {
    Case {
        driver,
        needs,
        connection,
        has_host_end: false,
    }
}

const fn with_host_end(case: Case) -> Case {
    Case {
        has_host_end: true,
        ..case
    }
}

const CASES: &[Case] = &[
    case(
        "macvlan",
        &[Need::Root, Need::Netavark, Need::Macvlan],
        |it| it,
    ),
    case(
        "ipvlan",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Ipvlan)],
        |it| it,
    ),
    case(
        "vlan",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Vlan)],
        |it| it.option("vlan", "7"),
    ),
    case(
        "vrf",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Vrf)],
        |it| it.option("vrf_name", "blue"),
    ),
    with_host_end(case("bridge", &[Need::Root, Need::Netavark], |it| {
        it.network("network_interface", "br0")
    })),
    with_host_end(case("ptp", &[Need::Root, Need::Netavark], |it| {
        it.without_network("network_interface")
    })),
    case("host-device", &[Need::Root, Need::Netavark], |it| it),
    case("sriov", &[Need::Root, Need::Netavark, Need::Vfs], |it| it),
    case(
        "dummy",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Dummy)],
        |it| it.without_network("network_interface"),
    ),
    case(
        "vxlan",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Vxlan)],
        |it| it.option("id", "7"),
    ),
    case("tap", &[Need::Root, Need::Netavark], |it| {
        it.without_network("network_interface")
    }),
    case(
        "wireguard",
        &[Need::Root, Need::Netavark, Need::Link(Kind::Wireguard)],
        wireguard::in_a_tunnel,
    ),
];

const TUNING: &[&str] = &["sysctl.KEY", "txqlen", "promisc", "allmulti"];
const RATES: &[&str] = &[
    "ingress_rate",
    "ingress_burst",
    "egress_rate",
    "egress_burst",
];
const SUBNETS: &[&str] = &["shaped_subnets", "unshaped_subnets"];
const ROUTING: &[&str] = &["source_routing", "source_table"];

/// Bits per second, and bytes: what measuring takes a second for.
const RATE: u32 = 8_000_000;
const BURST: usize = 20_000;
const BYTES: usize = 1_000_000;

pub(crate) fn register(suite: &mut Suite) {
    for case in CASES {
        let mut test = |name: &str, test: fn(&Case)| {
            let name = format!("behaviours/{name}/{}", case.driver);
            suite.test(name, case.needs, move || test(case))
        };
        test("tuning", tuning).proves(case.driver, TUNING);
        test("rates", rates).proves(case.driver, RATES);
        test("rates of some subnets", rates_of_subnets).proves(case.driver, SUBNETS);
        if case.driver != "vrf" {
            test("source routing", source_routing).proves(case.driver, ROUTING);
        }
        test("own options", own_options).proves(case.driver, &["mtu"]);
    }
    let named = |driver: &str| {
        let mut cases = CASES.iter();
        cases.find(|case| case.driver == driver).expect("a case")
    };
    for driver in ["macvlan", "bridge", "ptp", "host-device"] {
        let case = named(driver);
        let name = format!("behaviours/measured rates/{driver}");
        suite
            .test(name, case.needs, || measured(case))
            .proves(driver, RATES);
        let name = format!("behaviours/measured rates of some subnets/{driver}");
        suite
            .test(name, case.needs, || measured_subnets(case))
            .proves(driver, SUBNETS);
    }
    let macvlan = named("macvlan");
    suite.test(
        "behaviours/rates that a container takes off",
        macvlan.needs,
        taken_off,
    );
    suite
        .test("behaviours/two networks", macvlan.needs, two_networks)
        .proves("macvlan", &["source_routing", "metric", "no_default_route"]);
    suite.test("behaviours/refused", macvlan.needs, refused);
    suite.test("behaviours/not granted", macvlan.needs, not_granted);
}

impl Case {
    fn connection(&self) -> Connection {
        let connection = Connection::dual(&format!("wasm-{}", self.driver));
        (self.connection)(connection)
    }

    /// A connection with limits that are measured.
    fn limited(&self) -> Connection {
        let (rate, burst) = (RATE.to_string(), BURST.to_string());
        self.connection()
            .option("ingress_rate", &rate)
            .option("ingress_burst", &burst)
            .option("egress_rate", &rate)
            .option("egress_burst", &burst)
    }

    /// The other end of what is measured. Where the host routes, the gateways are its own.
    fn outside<'a>(&self, world: &'a World) -> &'a Netns {
        match self.has_host_end {
            true => &world.host,
            false => &world.neighbour,
        }
    }

    fn installed<'a>(&self, world: &'a World) -> Installed<'a> {
        let installed = Installed::example(world, self.driver);
        if self.driver == "wireguard" {
            wireguard::keep_secrets(&installed.wasmvark);
            wireguard::without_redirects(world);
        }
        installed
    }

    /// Drivers of which the host forwards leave that on.
    fn world(&self) -> World {
        match self.has_host_end {
            true => World::forwarding(),
            false if self.driver == "sriov" => sriov::world(1),
            false => World::new(),
        }
    }
}

fn tuned(connection: Connection) -> Connection {
    connection
        .option("sysctl.net.ipv4.conf.IFNAME.arp_filter", "1")
        .option("txqlen", "77")
        .option("promisc", "true")
        .option("allmulti", "true")
}

fn tuning(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let setting = |name: &str| {
        let file = format!("/proc/sys/net/ipv4/conf/{INTERFACE}/{name}");
        let read = || fs::read_to_string(&file).expect("the setting is there");
        world.container.run(read).trim().to_owned()
    };
    installed.try_out(&case.connection(), |container| {
        assert_ne!(container.queue_length(INTERFACE), 77);
        assert!(!container.has_flag(INTERFACE, "PROMISC"));
        assert!(!container.has_flag(INTERFACE, "ALLMULTI"));
        assert_eq!(setting("arp_filter"), "0");
    });
    installed.try_out(&tuned(case.connection()), |container| {
        assert_eq!(container.queue_length(INTERFACE), 77);
        assert!(container.has_flag(INTERFACE, "PROMISC"));
        assert!(container.has_flag(INTERFACE, "ALLMULTI"));
        assert_eq!(setting("arp_filter"), "1");
    });
    let own = tuned(case.connection()).join(
        "options",
        json!({
            "sysctl.net.ipv4.conf.IFNAME.arp_filter": "0",
            "sysctl.net.ipv4.conf.IFNAME.log_martians": "1",
            "txqlen": "55",
            "promisc": "false",
        }),
    );
    installed.try_out(&own, |container| {
        assert_eq!(container.queue_length(INTERFACE), 55);
        assert!(!container.has_flag(INTERFACE, "PROMISC"));
        assert!(container.has_flag(INTERFACE, "ALLMULTI"));
        assert_eq!(setting("arp_filter"), "0");
        assert_eq!(setting("log_martians"), "1");
    });
}

/// Where which limit is: at the end of the link that can't get around it, or at
/// the container's where there is only that.
fn rates(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let connection = case
        .connection()
        .option("ingress_rate", "16m")
        .option("ingress_burst", "64k")
        .option("egress_rate", "8000k");
    let limits = |container: &Dump| {
        let host = Dump::of(&world.host);
        let (dump, end) = match case.has_host_end {
            true => (
                host.clone(),
                host.links_of_kind("veth").pop().map(str::to_owned),
            ),
            false => (container.clone(), Some(INTERFACE.to_owned())),
        };
        let end = dump.token_bucket(&end.expect("an end on the host"));
        let other = dump.links_of_kind("ifb").pop().map(str::to_owned);
        let other = other.and_then(|ifb| dump.token_bucket(&ifb));
        match case.has_host_end {
            true => (end, other),
            false => (other, end),
        }
    };
    installed.try_out(&connection, |container| {
        let (ingress, egress) = limits(container);
        assert_limit(ingress, 16_000_000, 65_536);
        assert_limit(egress, 8_000_000, 32_768);
    });
    let own = json!({"egress_rate": "4m", "egress_burst": "40k"});
    installed.try_out(&connection.join("options", own), |container| {
        let (ingress, egress) = limits(container);
        assert_limit(ingress, 16_000_000, 65_536);
        assert_limit(egress, 4_000_000, 40_960);
    });
}

/// `tc` computes the burst from a time that the kernel rounds.
#[track_caller]
fn assert_limit(limit: Option<(u64, u64)>, rate: u64, burst: u64) {
    let (is, bytes) = limit.expect("a token bucket");
    assert_eq!(is, rate);
    assert!(bytes.abs_diff(burst) <= burst / 100, "{bytes}, not {burst}");
}

/// Both directions, both families.
fn measured(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let outside = case.outside(&world);
    installed.try_out(&case.limited(), |_| {
        let ends = |inside, gateway| ((&world.container, inside), (outside, gateway));
        let (inside, gateway) = ends("10.88.0.2", "10.88.0.1");
        rate::assert_limited(RATE, inside, gateway, BURST, BYTES);
        let (inside, gateway) = ends("fd88::2", "fd88::1");
        rate::assert_limited(RATE, gateway, inside, BURST, BYTES);
    });
}

/// Both ends have classes, and are as before afterwards.
fn rates_of_subnets(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let limited = || {
        let connection = case.connection().option("ingress_rate", "16m");
        connection.option("egress_rate", "8m")
    };
    for option in SUBNETS {
        let connection = limited().option(option, "192.0.2.0/24 2001:db8::/32");
        installed.try_out(&connection, |container| {
            let dump = match case.has_host_end {
                true => Dump::of(&world.host),
                false => container.clone(),
            };
            let end = match case.has_host_end {
                true => dump
                    .links_of_kind("veth")
                    .pop()
                    .expect("an end on the host"),
                false => INTERFACE,
            };
            let ifb = dump.links_of_kind("ifb").pop().expect("an ifb link");
            for link in [end, ifb] {
                assert_eq!(dump.root_queue(link), Some("htb"), "{link}");
            }
        });
    }
}

/// One family has a limit, and the other hasn't, in both directions.
fn measured_subnets(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let outside = case.outside(&world);
    let v4 = ((&world.container, "10.88.0.2"), (outside, "10.88.0.1"));
    let v6 = ((&world.container, "fd88::2"), (outside, "fd88::1"));
    for (option, subnets, limited, free) in [
        ("unshaped_subnets", "192.0.2.0/24 fd88::/64", v4, v6),
        ("shaped_subnets", "fd99::/64 10.88.0.1/32", v4, v6),
        ("shaped_subnets", "fd88::1/128", v6, v4),
    ] {
        installed.try_out(&case.limited().option(option, subnets), |_| {
            rate::assert_limited(RATE, limited.0, limited.1, BURST, BYTES);
            rate::assert_limited(RATE, limited.1, limited.0, BURST, BYTES);
            for (from, to) in [free, (free.1, free.0)] {
                let rest = rate::measure(from, to, BURST, BYTES);
                assert!(rest > f64::from(RATE) * 3.0, "{option} {subnets}: {rest}");
            }
        });
    }
}

/// A limit in the container's namespace stands for those who can't change that.
fn taken_off() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let connection = Connection::dual("wasm-macvlan").option("egress_rate", "8m");
    let take_off = |capabilities: &str| {
        let mut setpriv = world.container.command("setpriv");
        setpriv.args(["--bounding-set", capabilities, "--inh-caps", "-all"]);
        let output = process::run(
            setpriv.args(["tc", "qdisc", "del", "dev", INTERFACE, "root"]),
            b"",
        );
        output.code == Some(0)
    };
    installed.try_out(&connection, |container| {
        assert!(container.token_bucket(INTERFACE).is_some());
        assert!(!take_off("-all"));
        let container = Dump::of(&world.container);
        assert!(container.token_bucket(INTERFACE).is_some());
        assert!(take_off("-all,+net_admin"));
        let container = Dump::of(&world.container);
        assert_eq!(container.token_bucket(INTERFACE), None);
    });
}

/// All routes but the container's own addresses are in another table.
fn source_routing(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let taken =
        "rule add from 192.0.2.9 lookup 100 priority 500\nroute add 192.0.2.8 dev lo table 101";
    world.container.ip_batch(&[], taken);
    let connection = case
        .connection()
        .option("source_routing", "true")
        // So that the dummy driver has one, too.
        .option("no_default_route", "false");
    let table = |container: &Dump, number: u32| {
        let rules = container.source_rules();
        for (priority, address) in [(499, "10.88.0.2"), (32765, "fd88::2")] {
            let rule = format!("{priority} {address} {number}");
            assert!(rules.contains(&rule), "{rule}: {rules:?}");
        }
        let both = |command: &str| {
            let netns = &world.container;
            netns.ip_batch(&["-4"], command) + &netns.ip_batch(&["-6"], command)
        };
        let main = both("route show");
        for line in main.lines().filter(|line| !line.starts_with("fe80:")) {
            assert!(line.contains("dev lo"), "{main}");
        }
        let routes = both(&format!("route show table {number}"));
        for destination in ["10.88.0.0/16 ", "fd88::/64 "] {
            assert!(routes.contains(destination), "{routes}");
        }
        assert!(
            routes.contains("default ") || case.driver == "tap",
            "{routes}"
        );
    };
    installed.try_out(&connection, |container| table(container, 102));
    let chosen = connection.join("options", json!({"source_table": "77"}));
    installed.try_out(&chosen, |container| table(container, 77));
}

/// What the host parses for every driver.
fn own_options(case: &Case) {
    let world = case.world();
    let installed = case.installed(&world);
    let connection = case.connection().option("mtu", "1400");
    let own = connection.join(
        "options",
        json!({"mtu": "1300", "no_default_route": "true"}),
    );
    installed.try_out(&own, |container| {
        assert_eq!(container.mtu(INTERFACE), 1300);
        let routes = container.made_routes();
        assert!(
            !routes.iter().any(|route| route.contains("default")),
            "{routes:?}"
        );
    });
    let unknown = case.connection().join("options", json!({"colour": "red"}));
    let error = installed
        .netavark
        .setup(&unknown)
        .expect_err("it isn't known");
    assert!(
        error.contains("option for one container: colour"),
        "{error}"
    );
}

/// A container on two networks: the first one has the default route, and what
/// comes in by the second is answered there.
fn two_networks() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    world.neighbour.ip("addr add 10.89.0.1/24 dev n0");
    let first = Connection::v4("wasm-macvlan");
    let second = Connection::new("wasm-macvlan")
        .subnet("10.89.0.0/24", "10.89.0.1")
        .ip("10.89.0.2")
        .network("id", "b".repeat(64))
        .join("interface_name", "eth1")
        .option("source_routing", "true");
    let before = world.dump();
    installed.connect(&first);
    installed.netavark.setup(&second).expect("setup");
    let routes = world.container.ip_batch(&[], "route show");
    assert!(
        routes.contains("default via 10.88.0.1 dev eth0"),
        "{routes}"
    );
    assert!(!routes.contains("eth1"), "{routes}");
    let server = (&world.neighbour, "192.0.2.1:7000");
    for (address, link) in [("10.88.0.2", "eth0"), ("10.89.0.2", "eth1")] {
        let seen = flow::connect(
            Transport::Tcp,
            flow::From {
                netns: &world.container,
                address: Some(address),
            },
            "192.0.2.1:7000",
            server,
        );
        assert_eq!(seen.to_string(), address);
        let way = format!("route get 192.0.2.1 from {address}");
        let way = world.container.ip_batch(&[], &way);
        assert!(way.contains(&format!("dev {link}")), "{way}");
    }
    installed.netavark.teardown(&second).expect("teardown");
    installed.disconnect(&first);
    world.assert_unchanged(&before);
    // Which of them has the default route is also a matter of one container's.
    let first = first.join("options", json!({"no_default_route": "true"}));
    installed.netavark.setup(&first).expect("setup");
    let routes = world.container.ip_batch(&[], "route show");
    assert!(!routes.contains("default"), "{routes}");
    installed.disconnect(&first);
    let first = first.join("options", json!({"metric": "7"}));
    installed.netavark.setup(&first).expect("setup");
    let routes = world.container.ip_batch(&[], "route show");
    assert!(
        routes.contains("default via 10.88.0.1 dev eth0 proto static metric 7"),
        "{routes}"
    );
    installed.disconnect(&first);
}

fn refused() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    for (option, value, why) in [
        (
            "sysctl.kernel.hostname",
            "x",
            "no setting of a network namespace",
        ),
        ("txqlen", "x", "unable to parse \"txqlen\""),
        ("promisc", "yes", "unable to parse \"promisc\""),
        ("ingress_rate", "fast", "unable to parse \"ingress_rate\""),
        ("egress_burst", "10k", "egress_burst needs egress_rate"),
        (
            "source_table",
            "7",
            "source_table needs source_routing=true",
        ),
        ("incoming", "http", "\"http\" is not like tcp/443"),
    ] {
        let connection = Connection::dual("wasm-macvlan").option(option, value);
        installed.refuses(&connection, why);
    }
    let installed = Installed::example(&world, "vrf");
    let connection = Connection::dual("wasm-vrf").option("vrf_name", "blue");
    let refused = connection.option("source_routing", "true");
    installed.refuses(
        &refused,
        "unsupported wasm-vrf network option: source_routing",
    );
}

/// A setting that isn't the interface's own takes a line of the grant.
fn not_granted() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let connection =
        Connection::dual("wasm-macvlan").option("sysctl.net.ipv4.ip_default_ttl", "99");
    let before = world.dump();
    let error = installed
        .netavark
        .setup(&connection)
        .expect_err("it's denied");
    let line = r#""sysctl.set" = { key = "container:net.ipv4.ip_default_ttl" }"#;
    assert!(error.contains(line), "{error}");
    world.assert_unchanged(&before);
    let grant = Grant::example("macvlan").without("sysctl.set").call(
        "sysctl.set",
        r#"{ key = "container:net.ipv4.ip_default_ttl" }"#,
    );
    drop(installed);
    let world = World::new();
    let installed = Installed::with(&world, "macvlan", &grant);
    installed.try_out(&connection, |_| {
        let read = || fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl");
        let ttl = world.container.run(read).expect("the setting is there");
        assert_eq!(ttl.trim(), "99");
    });
}
