//! Containers that each have a link of their own to the host.

use std::fs;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::router;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const DRIVER: &str = "wasm-ptp";
const MAC: &str = "aa:bb:cc:dd:ee:ff";
/// The host's end of the container's link.
const END: &str = "end0";
const FORWARDING: [&str; 2] = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("ptp/{name}"), NEEDS, test);
    test("packets between containers, host and neighbour", packets)
        .proves("ptp", &["host_interface_name"]);
    test("addresses and routes", addresses_and_routes);
    test("options", options).proves("ptp", &["mtu", "metric", "no_default_route"]);
    test("several subnets", several_subnets);
    test("ipam none", ipam_none);
    test("forwarding", forwarding);
    test("router advertisements", router_advertisements);
    test("create refuses", create_refuses);
}

fn dual() -> Connection {
    Connection::new(DRIVER)
        .without_network("network_interface")
        .subnet("10.77.0.0/24", "10.77.0.1")
        .subnet("fd77::/64", "fd77::1")
        .ip("10.77.0.2")
        .ip("fd77::2")
        .join("options", json!({"host_interface_name": END}))
}

/// The same network for another container, with the addresses that end in 3.
fn another(connection: &Connection) -> Connection {
    connection
        .clone()
        .container("0123456789abcdef")
        .without_join("options")
        .join("static_ips", vec!["10.77.0.3", "fd77::3"])
}

fn forwards(netns: &Netns) -> [String; 2] {
    netns.run(|| FORWARDING.map(|setting| read(&format!("/proc/sys/net/{setting}"))))
}

fn read(file: &str) -> String {
    let text = fs::read_to_string(file).expect("it can be read");
    text.trim_end().to_owned()
}

/// A host that forwards already, and a neighbour that knows the way.
fn world() -> World {
    let world = World::new();
    world.host.forward();
    let host =
        format!("addr add 10.89.0.250/16 dev {PARENT}\naddr add fd89::250/64 dev {PARENT} nodad");
    world.host.ip_batch(&[], &host);
    world.neighbour.ip_batch(
        &[],
        "route add 10.77.0.0/24 via 10.89.0.250\nroute add fd77::/64 via fd89::250",
    );
    world
}

/// Two containers at once: the second goes on when the first is gone.
fn packets() {
    let world = world();
    let installed = Installed::example(&world, "ptp");
    let before = world.dump();
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let (one, two) = (dual(), another(&dual()));
    installed.connect(&one);
    let netavark = &installed.netavark;
    netavark
        .setup_at(&two, &other.path())
        .expect("setup succeeds");
    for (own, others, gateway, beyond) in [
        ("10.77.0.2", "10.77.0.3", "10.77.0.1", "10.89.0.1"),
        ("fd77::2", "fd77::3", "fd77::1", "fd89::1"),
    ] {
        let container = (&world.container, own);
        echo::exchange(container, (&world.host, gateway));
        echo::exchange((&world.host, gateway), container);
        echo::exchange(container, (&other, others));
        echo::exchange((&other, others), container);
        installed.reaches(own, beyond);
    }
    installed.disconnect(&one);
    for (others, gateway, beyond) in [
        ("10.77.0.3", "10.77.0.1", "10.89.0.1"),
        ("fd77::3", "fd77::1", "fd89::1"),
    ] {
        echo::exchange((&other, others), (&world.host, gateway));
        echo::exchange((&world.neighbour, beyond), (&other, others));
    }
    netavark
        .teardown_at(&two, &other.path())
        .expect("teardown succeeds");
    world.assert_unchanged(&before);
    assert_unchanged(&other, &other_before, "the other container");
}

/// As with CNI's.
fn addresses_and_routes() {
    let world = world();
    let installed = Installed::example(&world, "ptp");
    installed.try_out(&dual(), |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind(INTERFACE), "veth");
        assert_eq!(container.cidrs(INTERFACE), ["10.77.0.2/24", "fd77::2/64"]);
        assert_eq!(container.setting("ipv6/conf/eth0/autoconf"), Some("0"));
        assert_eq!(
            container.made_routes(),
            [
                "10.77.0.0/24 via 10.77.0.1 dev eth0 metric 100",
                "10.77.0.1 dev eth0 metric 100",
                "default via 10.77.0.1 dev eth0 metric 100",
                "default via fd77::1 dev eth0 metric 100",
                "fd77::/64 via fd77::1 dev eth0 metric 100",
                "fd77::1 dev eth0 metric 100",
            ]
        );
        let host = Dump::of(&world.host);
        assert_eq!(host.kind(END), "veth");
        assert_eq!(host.cidrs(END), ["10.77.0.1/32", "fd77::1/128"]);
        let routes = host.made_routes();
        for route in [
            "10.77.0.2 dev end0 metric 100",
            "fd77::2 dev end0 metric 100",
        ] {
            assert!(routes.iter().any(|made| made == route), "{routes:?}");
        }
    });
}

fn options() {
    let world = world();
    let installed = Installed::example(&world, "ptp");
    let given = dual()
        .join("static_mac", MAC)
        .option("mtu", "1400")
        .option("metric", "77")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.77.0.1"}));
    installed.try_out(&given, |container| {
        assert_eq!(container.mac(INTERFACE), MAC);
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert_eq!(Dump::of(&world.host).mtu(END), 1400);
        let routes = container.made_routes();
        for route in [
            "default via 10.77.0.1 dev eth0 metric 77",
            "default via fd77::1 dev eth0 metric 77",
            "10.90.0.0/24 via 10.77.0.1 dev eth0 metric 100",
        ] {
            assert!(routes.iter().any(|made| made == route), "{routes:?}");
        }
    });
    // The others of the network can be reached all the same.
    let without = dual().option("no_default_route", "true");
    let other = Netns::new();
    let second = another(&without);
    installed.try_out(&without, |container| {
        assert!(!container.made_routes().concat().contains("default"));
        let netavark = &installed.netavark;
        netavark
            .setup_at(&second, &other.path())
            .expect("setup succeeds");
        for (own, others, beyond) in [
            ("10.77.0.2", "10.77.0.3", "10.89.0.1"),
            ("fd77::2", "fd77::3", "fd89::1"),
        ] {
            echo::exchange((&world.container, own), (&other, others));
            echo::silence((&world.container, own), (&world.neighbour, beyond));
        }
        netavark
            .teardown_at(&second, &other.path())
            .expect("teardown succeeds");
    });
}

fn several_subnets() {
    let world = world();
    let installed = Installed::example(&world, "ptp");
    let connection = dual()
        .subnet("10.78.0.0/24", "10.78.0.1")
        .ip("10.78.0.9")
        .ip("10.77.0.5");
    installed.try_out(&connection, |container| {
        let expected = ["10.77.0.2/24", "10.77.0.5/24", "10.78.0.9/24", "fd77::2/64"];
        assert_eq!(container.cidrs(INTERFACE), expected);
        for address in ["10.77.0.2", "10.77.0.5", "10.78.0.9"] {
            for gateway in ["10.77.0.1", "10.78.0.1"] {
                echo::exchange((&world.container, address), (&world.host, gateway));
            }
        }
    });
}

fn ipam_none() {
    let world = world();
    let installed = Installed::example(&world, "ptp");
    let connection = dual().ipam("none").without_join("static_ips");
    installed.try_out(&connection, |container| {
        assert!(container.is_up(INTERFACE));
        assert!(container.cidrs(INTERFACE).is_empty());
        assert!(container.made_routes().is_empty());
        let host = Dump::of(&world.host);
        assert!(host.is_up(END));
        assert!(host.cidrs(END).is_empty());
    });
}

/// It's turned on for the families that the container has, and stays; not so
/// where nothing may get out.
fn forwarding() {
    let world = World::new();
    let installed = Installed::example(&world, "ptp");
    assert_eq!(forwards(&world.host), ["0", "0"]);
    let internal = dual().network("internal", true);
    installed.try_out(&internal, |container| {
        assert!(!container.made_routes().concat().contains("default"));
        for (own, gateway) in [("10.77.0.2", "10.77.0.1"), ("fd77::2", "fd77::1")] {
            echo::exchange((&world.container, own), (&world.host, gateway));
        }
    });
    assert_eq!(forwards(&world.host), ["0", "0"]);
    let only_v4 = Connection::new(DRIVER)
        .without_network("network_interface")
        .subnet("10.77.0.0/24", "10.77.0.1")
        .ip("10.77.0.2");
    for (connection, expected) in [(only_v4, ["1", "0"]), (dual(), ["1", "1"])] {
        installed.connect(&connection);
        assert_eq!(forwards(&world.host), expected);
        installed.disconnect(&connection);
        assert_eq!(forwards(&world.host), expected);
    }
}

/// A container can't become the host's router by saying that it is one.
fn router_advertisements() {
    let world = World::new();
    let installed = Installed::example(&world, "ptp");
    let connection = dual().network("internal", true);
    installed.try_out(&connection, |_| {
        let setting = format!("/proc/sys/net/ipv6/conf/{END}/accept_ra");
        assert_eq!(world.host.run(|| read(&setting)), "0");
        let way_out = || {
            router::advertise(&world.container, INTERFACE, None);
            world.host.ip_batch(&["-6"], "route show default")
        };
        for _ in 0..5 {
            assert_eq!(way_out(), "");
        }
        // It's the setting that keeps it from that.
        world
            .host
            .run(|| fs::write(&setting, "1"))
            .expect("it can be set");
        let route = poll::until(way_out, |route| !route.is_empty());
        assert!(route.contains(END), "{route}");
    });
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "ptp");
    for (option, value, why) in [
        (
            "parent",
            "p0",
            "unsupported wasm-ptp network option: parent",
        ),
        ("mtu", "x", "mtu"),
        ("metric", "-1", "metric"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    let internal = Connection::new(DRIVER)
        .without_network("network_interface")
        .network("internal", true)
        .subnet("10.77.0.0/24", "");
    installed.refuses(&internal, "subnet 10.77.0.0/24 has no gateway");
}
