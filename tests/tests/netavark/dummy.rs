//! Containers with a link that leads nowhere.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Dummy)];
const DRIVER: &str = "wasm-dummy";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("dummy/{name}"), NEEDS, test);
    test("addresses", addresses);
    test("options", options).proves("dummy", &["mtu", "metric", "no_default_route"]);
    test("ipam none", ipam_none);
    // These need no such link.
    let needs = &[Need::Root, Need::Netavark];
    suite.test("dummy/create refuses", needs, create_refuses);
}

/// Packets go from one of the container's programs to another.
fn addresses() {
    let world = World::new();
    let installed = Installed::example(&world, "dummy");
    installed.try_out(&Connection::dual(DRIVER), |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind(INTERFACE), "dummy");
        assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
        assert!(container.made_routes().is_empty());
        for address in ["10.88.0.2", "fd88::2"] {
            let inside = (&world.container, address);
            echo::exchange(inside, inside);
        }
    });
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "dummy");
    let given = Connection::dual(DRIVER)
        .join("static_mac", MAC)
        .option("mtu", "1400")
        .option("metric", "77")
        .option("no_default_route", "false");
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
    let without = Connection::dual(DRIVER).option("no_default_route", "true");
    installed.try_out(&without, |container| {
        assert!(container.made_routes().is_empty());
    });
}

fn ipam_none() {
    let world = World::new();
    let installed = Installed::example(&world, "dummy");
    let connection = Connection::new(DRIVER)
        .ipam("none")
        .without_join("static_ips");
    installed.try_out(&connection, |container| {
        assert!(container.is_up(INTERFACE));
        assert!(container.cidrs(INTERFACE).is_empty());
    });
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "dummy");
    for (option, value, why) in [
        (
            "parent",
            "p0",
            "unsupported wasm-dummy network option: parent",
        ),
        ("mtu", "x", "mtu"),
        ("no_default_route", "2", "no_default_route"),
    ] {
        let connection = Connection::dual(DRIVER).without_network("network_interface");
        installed.refuses(&connection.option(option, value), why);
    }
}
