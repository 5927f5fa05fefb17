//! Containers with ipvlan links.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Ipvlan)];
const DRIVER: &str = "wasm-ipvlan";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("ipvlan/{name}"), NEEDS, test);
    test("mode l2", mode_l2).proves("ipvlan", &["mode"]);
    test("mode l3", || routed("l3")).proves("ipvlan", &["mode"]);
    test("mode l3s", || routed("l3s")).proves("ipvlan", &["mode"]);
    test("flags", flags).proves("ipvlan", &["flag"]);
    test("options", options).proves("ipvlan", &["mtu", "metric", "no_default_route"]);
    test("parent by its option", parent_by_its_option).proves("ipvlan", &["parent"]);
    test("parent by the default route", parent_by_default_route);
    test("as netavark's own", as_built_in);
    test("create refuses", create_refuses);
}

fn dual() -> Connection {
    Connection::dual(DRIVER)
}

fn mode_l2() {
    let world = World::new();
    let installed = Installed::example(&world, "ipvlan");
    installed.try_out(&dual(), |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind(INTERFACE), "ipvlan");
        assert_eq!(container.kind_data(INTERFACE, "mode"), "l2");
        assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
        assert_eq!(container.mac(INTERFACE), Dump::of(&world.host).mac(PARENT));
        assert_eq!(container.setting("ipv6/conf/eth0/autoconf"), Some("0"));
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.88.0.1 dev eth0 metric 99",
                "default via fd88::1 dev eth0 metric 99"
            ]
        );
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

/// The host's routes lead out of the container, and the neighbour finds it
/// behind the host's address.
fn routed(mode: &str) {
    let world = World::new();
    let connection = behind_host(&world, mode);
    let installed = Installed::example(&world, "ipvlan");
    installed.try_out(&connection, |container| {
        assert_eq!(container.kind_data(INTERFACE, "mode"), mode);
        for (inside, outside) in [
            ("10.77.0.2", "10.88.0.1"),
            ("10.77.0.2", "192.0.2.1"),
            ("fd77::2", "fd88::1"),
            ("fd77::2", "2001:db8::1"),
        ] {
            installed.reaches(inside, outside);
        }
    });
}

/// Lays routes between the neighbour and the host for a container that the host's routes
/// lead to and from.
pub(crate) fn behind_host(world: &World, mode: &str) -> Connection {
    world.give_host_a_default_route();
    world.host.ip_batch(
        &[],
        &format!(
            "addr add fd88::250/64 dev {PARENT} nodad\nroute add 2001:db8::/32 via fd88::1\n\
             link set {PARENT} up"
        ),
    );
    world.neighbour.ip_batch(
        &[],
        "route add 10.77.0.0/24 via 10.88.0.250\nroute add fd77::/64 via fd88::250",
    );
    Connection::new(DRIVER)
        .subnet("10.77.0.0/24", "10.77.0.1")
        .subnet("fd77::/64", "fd77::1")
        .ip("10.77.0.2")
        .ip("fd77::2")
        .option("mode", mode)
}

fn flags() {
    for flag in ["bridge", "private", "vepa"] {
        let world = World::new();
        let installed = Installed::example(&world, "ipvlan");
        let connection = dual().option("flag", flag);
        let other = Netns::new();
        let another = connection
            .clone()
            .container("0123456789abcdef")
            .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
        installed.try_out(&connection, |container| {
            assert_eq!(container.kind_data(INTERFACE, flag), true);
            installed.reaches("10.88.0.2", "10.88.0.1");
            installed
                .netavark
                .setup_at(&another, &other.path())
                .expect("setup succeeds");
            for (own, others) in [("10.88.0.2", "10.88.0.3"), ("fd88::2", "fd88::3")] {
                // Nobody outside sends frames back, as `vepa` would need.
                let pass = match flag {
                    "bridge" => echo::exchange,
                    _ => echo::silence,
                };
                pass((&world.container, own), (&other, others));
            }
            installed
                .netavark
                .teardown_at(&another, &other.path())
                .expect("teardown succeeds");
        });
    }
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "ipvlan");
    let given = dual()
        .option("mode", "")
        .option("mtu", "1400")
        .option("metric", "77")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}));
    installed.try_out(&given, |container| {
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert_eq!(
            container.made_routes(),
            [
                "10.90.0.0/24 via 10.88.0.3 dev eth0 metric 100",
                "default via 10.88.0.1 dev eth0 metric 77",
                "default via fd88::1 dev eth0 metric 77"
            ]
        );
    });
    let without = dual().option("no_default_route", "true");
    installed.try_out(&without, |container| {
        assert!(container.made_routes().is_empty());
    });
    // The link has its parent's, whatever is asked for.
    let mac = dual().join("static_mac", "aa:bb:cc:dd:ee:ff");
    installed.try_out(&mac, |container| {
        assert_eq!(container.mac(INTERFACE), Dump::of(&world.host).mac(PARENT));
    });
}

fn parent_by_its_option() {
    let world = World::new();
    Installed::example(&world, "ipvlan").try_out_parent(dual());
}

fn parent_by_default_route() {
    let world = World::new();
    world.give_host_a_default_route();
    let installed = Installed::example(&world, "ipvlan");
    let connection = dual().without_network("network_interface");
    installed.try_out(&connection, |_| {
        installed.reaches("10.88.0.2", "10.88.0.1");
    });
}

/// But for the driver's name.
fn as_built_in() {
    let world = World::new();
    let installed = Installed::example(&world, "ipvlan");
    let before = world.dump();
    for connection in [dual(), dual().option("mode", "l3")] {
        let built_in = connection.clone().for_driver("ipvlan");
        let theirs = installed.connect(&built_in);
        installed.disconnect(&built_in);
        let ours = installed.connect(&connection);
        installed.disconnect(&connection);
        assert_eq!(theirs.0, ours.0, "the answers");
        let differences = theirs.1.differences(&ours.1);
        assert!(differences.is_empty(), "{differences}");
        world.assert_unchanged(&before);
    }
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "ipvlan");
    for (option, value, why) in [
        (
            "mode",
            "bridge",
            "unable to parse \"mode\": \"bridge\" is not l2, l3 or l3s",
        ),
        ("flag", "l2", "\"l2\" is not bridge, private or vepa"),
        (
            "bclim",
            "7",
            "unsupported wasm-ipvlan network option: bclim",
        ),
        ("mtu", "x", "mtu"),
        ("metric", "-1", "metric"),
        ("no_default_route", "2", "no_default_route"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    let nowhere = dual().network("network_interface", "nope");
    installed.refuses(&nowhere, "parent interface nope does not exist");
    let without = Connection::new(DRIVER).without_network("ipam_options");
    installed.refuses(&without, "wasm-ipvlan driver needs a subnet");
    let dhcp = dual().ipam("dhcp");
    installed.refuses(&dhcp, "ipam driver dhcp is not supported with wasm-ipvlan");
}
