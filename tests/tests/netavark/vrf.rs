//! Containers whose link has a routing table of its own.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Netavark,
    Need::Macvlan,
    Need::Link(Kind::Vrf),
];
const DRIVER: &str = "wasm-vrf";
const VRF: &str = "blue";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

/// What the neighbour has, and what lies behind that.
const BEYOND: [&str; 4] = ["10.88.0.1", "192.0.2.1", "fd88::1", "2001:db8::1"];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("vrf/{name}"), NEEDS, test);
    test("packets", packets).proves("vrf", &["vrf_name"]);
    test("two networks", two_networks);
    let all = ["table", "mode", "mtu", "metric", "no_default_route"];
    test("options", options).proves("vrf", &all);
    test("parent by its option", parent_by_its_option).proves("vrf", &["parent"]);
    test("parent by the default route", parent_by_default_route);
    test("ipam none", ipam_none);
    test("the name is taken", name_is_taken);
    // These need no such link.
    let needs = &[Need::Root, Need::Netavark];
    suite.test("vrf/create refuses", needs, create_refuses);
}

fn dual() -> Connection {
    Connection::dual(DRIVER).option("vrf_name", VRF)
}

/// Whether an answer comes, within five seconds; `through` names a link or a
/// VRF.
fn pings(netns: &Netns, through: Option<&str>, address: &str) -> bool {
    let mut ping = netns.command("ping");
    ping.args(["-c", "1", "-w", "5"]);
    ping.args(through.iter().flat_map(|link| ["-I", link]));
    process::run(ping.arg(address), b"").code == Some(0)
}

/// The routes of a table, as `ip` shows them.
fn table(netns: &Netns, number: &str) -> String {
    let v4 = netns.ip_batch(&["-4"], &format!("route show table {number}"));
    let v6 = netns.ip_batch(&["-6"], &format!("route show table {number}"));
    v4 + &v6
}

/// Inside the VRF everything can be reached, and outside nothing.
fn packets() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    let before = world.dump();
    let (status, container) = installed.connect(&dual());
    let interfaces: Vec<_> = status.interfaces.keys().collect();
    assert_eq!(interfaces, [INTERFACE], "a VRF isn't one");
    assert_eq!(container.link_names(), [VRF, INTERFACE, "lo"]);
    assert_eq!(container.kind(INTERFACE), "macvlan");
    assert_eq!(container.kind(VRF), "vrf");
    assert!(container.is_up(VRF));
    assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
    assert!(container.made_routes().is_empty());
    for address in BEYOND {
        assert!(pings(&world.container, Some(VRF), address), "{address}");
    }
    for address in ["10.88.0.2", "fd88::2"] {
        assert!(pings(&world.neighbour, None, address), "{address}");
    }
    for address in ["10.88.0.1", "fd88::1"] {
        assert!(!pings(&world.container, None, address), "{address}");
    }
    installed.disconnect(&dual());
    world.assert_unchanged(&before);
}

/// Of one container, with the same subnets: each has routes of its own.
fn two_networks() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    let another = dual()
        .network("id", "1".repeat(64))
        .option("vrf_name", "red")
        .option("no_default_route", "true")
        .join("interface_name", "eth1")
        .join("static_ips", json!(["10.88.0.3", "fd88::3"]));
    installed.try_out(&dual(), |_| {
        let (_, container) = installed.connect(&another);
        let tables = [VRF, "red"].map(|vrf| container.kind_data(vrf, "table").clone());
        assert_ne!(tables[0], tables[1]);
        for (vrf, gets_out) in [(VRF, true), ("red", false)] {
            assert!(pings(&world.container, Some(vrf), "10.88.0.1"));
            assert!(pings(&world.container, Some(vrf), "fd88::1"));
            let out = pings(&world.container, Some(vrf), "192.0.2.1");
            assert_eq!(out, gets_out, "{vrf}");
        }
        installed.disconnect(&another);
        assert!(pings(&world.container, Some(VRF), "192.0.2.1"));
    });
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    let given = dual()
        .join("static_mac", MAC)
        .option("table", "77")
        .option("mode", "private")
        .option("mtu", "1400")
        .option("metric", "78")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.1"}))
        .route(json!({"destination": "10.91.0.0/24", "route_type": "blackhole"}));
    installed.try_out(&given, |container| {
        assert_eq!(container.mac(INTERFACE), MAC);
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert_eq!(container.kind_data(INTERFACE, "mode"), "private");
        assert_eq!(*container.kind_data(VRF, "table"), 77);
        assert!(container.made_routes().is_empty());
        let routes = table(&world.container, "77");
        for route in [
            "default via 10.88.0.1 dev eth0 proto static metric 78",
            "10.90.0.0/24 via 10.88.0.1 dev eth0 proto static metric 100",
            "blackhole 10.91.0.0/24 proto static metric 100",
            "default via fd88::1 dev eth0 proto static metric 78",
        ] {
            assert!(routes.contains(route), "{route}: {routes}");
        }
    });
    let without = dual()
        .option("table", "77")
        .option("no_default_route", "true");
    installed.try_out(&without, |_| {
        let routes = table(&world.container, "77");
        assert!(!routes.contains("default"), "{routes}");
        assert!(pings(&world.container, Some(VRF), "10.88.0.1"));
    });
}

fn parent_by_its_option() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    let connection = installed.on_parent(dual(), PARENT);
    installed.try_out(&connection, |_| {
        assert!(pings(&world.container, Some(VRF), "10.88.0.1"));
    });
}

fn parent_by_default_route() {
    let world = World::new();
    world.give_host_a_default_route();
    let installed = Installed::example(&world, "vrf");
    let connection = dual().without_network("network_interface");
    installed.try_out(&connection, |_| {
        assert!(pings(&world.container, Some(VRF), "10.88.0.1"));
    });
}

fn ipam_none() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    let connection = Connection::new(DRIVER)
        .ipam("none")
        .without_join("static_ips")
        .option("vrf_name", VRF);
    installed.try_out(&connection, |container| {
        assert!(container.is_up(INTERFACE));
        assert!(container.cidrs(INTERFACE).is_empty());
    });
}

fn name_is_taken() {
    let world = World::new();
    world
        .container
        .ip(&format!("link add {VRF} type vrf table 77"));
    let installed = Installed::example(&world, "vrf");
    let before = world.dump();
    let error = installed.netavark.setup(&dual()).unwrap_err();
    let why = "each network of a container needs a VRF of its own";
    assert!(error.contains(why), "{error}");
    world.assert_unchanged(&before);
    assert_eq!(Dump::of(&world.container).kind(VRF), "vrf");
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "vrf");
    for (option, value, why) in [
        ("vrf_name", "", "give -o vrf_name=NAME"),
        (
            "vrf_name",
            "much-too-long-name",
            "the option vrf_name is not valid",
        ),
        ("table", "254", "table 254 is not possible"),
        ("table", "0", "table 0 is not possible"),
        ("table", "x", "unable to parse \"table\""),
        (
            "mode",
            "x",
            "unable to parse \"mode\": \"x\" is not bridge, private",
        ),
        ("bclim", "1", "unsupported wasm-vrf network option: bclim"),
        ("mtu", "x", "mtu"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    let nowhere = dual().network("network_interface", "nope");
    installed.refuses(&nowhere, "parent interface nope does not exist");
}
