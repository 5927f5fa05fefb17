//! Containers in a VXLAN, whose packets the host sends and receives.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Vxlan)];
const DRIVER: &str = "wasm-vxlan";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("vxlan/{name}"), NEEDS, test);
    test("remote IPv4", || {
        packets("remote 10.89.0.200", &[("remote", "10.89.0.1")]);
    })
    .proves("vxlan", &["id", "remote"]);
    test("remote IPv6", || {
        packets("remote fd89::200", &[("remote", "fd89::1")]);
    })
    .proves("vxlan", &["id", "remote"]);
    test("local, port and parent", || {
        let options = [
            ("remote", "10.89.0.1"),
            ("local", "10.89.0.200"),
            ("port", "8472"),
            ("parent", PARENT),
        ];
        packets("remote 10.89.0.200 dstport 8472", &options);
    })
    .proves("vxlan", &["local", "port", "parent"]);
    test("group IPv4", || {
        let options = [("group", "239.1.1.1"), ("parent", PARENT)];
        packets("group 239.1.1.1 dev n0", &options);
    })
    .proves("vxlan", &["group", "parent"]);
    test("group IPv6", || {
        let options = [("group", "ff05::7"), ("parent", PARENT)];
        packets("group ff05::7 dev n0", &options);
    })
    .proves("vxlan", &["group", "parent"]);
    let others = ["learning", "ttl", "mtu", "metric", "no_default_route"];
    test("options", options).proves("vxlan", &others);
    test("one container only", one_container_only);
    test("create refuses", create_refuses);
}

fn dual() -> Connection {
    Connection::new(DRIVER)
        .subnet("10.70.0.0/16", "10.70.0.1")
        .subnet("fd70::/64", "fd70::1")
        .ip("10.70.0.2")
        .ip("fd70::2")
        .without_network("network_interface")
        .option("id", "7")
}

/// The host and the neighbour have addresses on their wire; the neighbour is
/// the other end.
pub(crate) fn lay_vxlan(world: &World, how: &str) {
    let host = [
        format!("addr add 10.89.0.200/16 dev {PARENT}"),
        format!("addr add fd89::200/64 dev {PARENT} nodad"),
    ];
    world.host.ip_batch(&[], &host.join("\n"));
    let port = if how.contains("dstport") {
        ""
    } else {
        "dstport 4789"
    };
    let neighbour = [
        &format!("link add vx0 type vxlan id 7 {how} {port}"),
        "addr add 10.70.0.1/16 dev vx0",
        "addr add fd70::1/64 dev vx0 nodad",
        "link set vx0 up",
    ];
    world.neighbour.ip_batch(&[], &neighbour.join("\n"));
}

fn packets(neighbour: &str, options: &[(&str, &str)]) {
    let world = World::new();
    lay_vxlan(&world, neighbour);
    let installed = Installed::example(&world, "vxlan");
    let others = options.iter().filter(|(option, _)| *option != "parent");
    let mut connection = others.fold(dual(), |connection, (option, value)| {
        connection.option(option, value)
    });
    if let Some((_, parent)) = options.iter().find(|(option, _)| *option == "parent") {
        connection = installed.on_parent(connection, parent);
    }
    installed.try_out(&connection, |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind(INTERFACE), "vxlan");
        assert_eq!(container.kind_data(INTERFACE, "id"), 7);
        assert_eq!(container.cidrs(INTERFACE), ["10.70.0.2/16", "fd70::2/64"]);
        for (inside, outside) in [
            ("10.70.0.2", "10.70.0.1"),
            ("10.70.0.2", "192.0.2.1"),
            ("fd70::2", "fd70::1"),
            ("fd70::2", "2001:db8::1"),
        ] {
            installed.reaches(inside, outside);
        }
    });
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "vxlan");
    let given = dual()
        .join("static_mac", MAC)
        .option("learning", "false")
        .option("ttl", "9")
        .option("mtu", "1400")
        .option("metric", "77");
    installed.try_out(&given, |container| {
        assert_eq!(container.mac(INTERFACE), MAC);
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert_eq!(container.kind_data(INTERFACE, "ttl"), 9);
        assert_eq!(container.kind_data(INTERFACE, "port"), 4789);
        assert_eq!(container.kind_data(INTERFACE, "learning"), false);
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.70.0.1 dev eth0 metric 77",
                "default via fd70::1 dev eth0 metric 77"
            ]
        );
    });
    let without = dual().option("no_default_route", "true");
    installed.try_out(&without, |container| {
        assert_eq!(container.kind_data(INTERFACE, "learning"), true);
        assert!(container.made_routes().is_empty());
    });
}

/// A host has each VXLAN once for each port, in whatever namespace.
fn one_container_only() {
    let world = World::new();
    let installed = Installed::example(&world, "vxlan");
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let another = dual()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.70.0.3", "fd70::3"]);
    installed.try_out(&dual(), |_| {
        let error = installed
            .netavark
            .setup_at(&another, &other.path())
            .unwrap_err();
        let why = "another container or the host has VXLAN 7 on this port already";
        assert!(error.contains(why), "{error}");
    });
    assert_unchanged(&other, &other_before, "the other container");
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "vxlan");
    for (option, value, why) in [
        ("id", "16777216", "is not a whole number from 0 to 16777215"),
        ("id", "x", "unable to parse \"id\""),
        ("remote", "x", "unable to parse \"remote\""),
        ("remote", "239.1.1.1", "give it as group"),
        ("group", "10.89.0.1", "give it as remote"),
        ("group", "239.1.1.1", "give -o parent=NAME"),
        ("local", "x", "unable to parse \"local\""),
        ("port", "65536", "unable to parse \"port\""),
        ("learning", "2", "unable to parse \"learning\""),
        ("ttl", "256", "unable to parse \"ttl\""),
        ("mode", "x", "unsupported wasm-vxlan network option: mode"),
        ("parent", "nope", "parent interface nope does not exist"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    let without = Connection::dual(DRIVER);
    installed.refuses(&without, "give -o id=ID");
    let mixed = dual()
        .option("remote", "10.89.0.1")
        .option("local", "fd89::200");
    installed.refuses(&mixed, "fd89::200 can't send to 10.89.0.1");
    let both = dual()
        .option("remote", "10.89.0.1")
        .option("group", "239.1.1.1");
    installed.refuses(&both, "remote and group can't be given together");
}
