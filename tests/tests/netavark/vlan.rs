//! Containers with a VLAN of the host's interface.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Vlan)];
const DRIVER: &str = "wasm-vlan";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("vlan/{name}"), NEEDS, test);
    test("dot1q", || tagged("dot1q", "802.1Q")).proves("vlan", &["vlan", "protocol"]);
    test("dot1ad", || tagged("dot1ad", "802.1ad")).proves("vlan", &["vlan", "protocol"]);
    test("options", options).proves("vlan", &["mtu", "metric", "no_default_route"]);
    test("parent by its option", parent_by_its_option).proves("vlan", &["parent"]);
    test("parent by the default route", parent_by_default_route);
    test("one container only", one_container_only);
    // These need no such link.
    let needs = &[Need::Root, Need::Netavark];
    suite.test("vlan/create refuses", needs, create_refuses);
}

fn dual() -> Connection {
    Connection::dual(DRIVER).option("vlan", "7")
}

/// The neighbour has the gateways' addresses in the VLAN, and nowhere else.
pub(crate) fn lay_vlan(world: &World, protocol: &str) {
    let commands = [
        &format!("link add tagged link n0 type vlan id 7 protocol {protocol}"),
        "addr del 10.88.0.1/16 dev n0",
        "addr del fd88::1/64 dev n0",
        "addr add 10.88.0.1/16 dev tagged",
        "addr add fd88::1/64 dev tagged nodad",
        "link set tagged up",
    ];
    world.neighbour.ip_batch(&[], &commands.join("\n"));
}

fn tagged(protocol: &str, shown: &str) {
    let world = World::new();
    lay_vlan(&world, shown);
    let installed = Installed::example(&world, "vlan");
    let connection = dual().option("protocol", protocol);
    installed.try_out(&connection, |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind(INTERFACE), "vlan");
        assert_eq!(container.kind_data(INTERFACE, "id"), 7);
        assert_eq!(container.kind_data(INTERFACE, "protocol"), shown);
        assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
        for (inside, outside) in [
            ("10.88.0.2", "10.88.0.1"),
            ("10.88.0.2", "192.0.2.1"),
            ("fd88::2", "fd88::1"),
            ("fd88::2", "2001:db8::1"),
        ] {
            installed.reaches(inside, outside);
        }
    });
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "vlan");
    let given = dual()
        .join("static_mac", MAC)
        .option("mtu", "1400")
        .option("metric", "77");
    installed.try_out(&given, |container| {
        assert_eq!(container.mac(INTERFACE), MAC);
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.88.0.1 dev eth0 metric 77",
                "default via fd88::1 dev eth0 metric 77"
            ]
        );
    });
    installed.try_out(&dual(), |container| {
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.88.0.1 dev eth0 metric 99",
                "default via fd88::1 dev eth0 metric 99"
            ]
        );
    });
    let without = dual().option("no_default_route", "true");
    installed.try_out(&without, |container| {
        assert!(container.made_routes().is_empty());
    });
}

fn parent_by_its_option() {
    let world = World::new();
    lay_vlan(&world, "802.1Q");
    Installed::example(&world, "vlan").try_out_parent(dual());
}

fn parent_by_default_route() {
    let world = World::new();
    world.give_host_a_default_route();
    let installed = Installed::example(&world, "vlan");
    let connection = dual().without_network("network_interface");
    installed.try_out(&connection, |container| {
        assert_eq!(container.kind(INTERFACE), "vlan");
    });
}

/// A parent has each VLAN once, in whatever namespace.
fn one_container_only() {
    let world = World::new();
    let installed = Installed::example(&world, "vlan");
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let another = dual()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
    installed.try_out(&dual(), |_| {
        let error = installed
            .netavark
            .setup_at(&another, &other.path())
            .unwrap_err();
        let why = "another container or the host has VLAN 7 of this parent already";
        assert!(error.contains(why), "{error}");
    });
    assert_unchanged(&other, &other_before, "the other container");
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "vlan");
    for (option, value, why) in [
        (
            "vlan",
            "4095",
            "\"4095\" is not a whole number from 0 to 4094",
        ),
        ("vlan", "x", "unable to parse \"vlan\""),
        ("protocol", "dot1x", "\"dot1x\" is not dot1q or dot1ad"),
        (
            "mode",
            "bridge",
            "unsupported wasm-vlan network option: mode",
        ),
        ("mtu", "x", "mtu"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    installed.refuses(&Connection::dual(DRIVER), "give -o vlan=ID");
    let nowhere = dual().network("network_interface", "nope");
    installed.refuses(&nowhere, "parent interface nope does not exist");
}
