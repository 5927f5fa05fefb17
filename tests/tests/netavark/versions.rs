//! Drivers that were built for earlier versions of the interface. They never change,
//! and must keep working.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::flow::{self, Transport};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Netavark];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("versions/{name}"), NEEDS, test);
    test("0.2 macvlan", macvlan);
    test("0.2 macvlan-c", macvlan_c);
    test("0.2 bridge", bridge);
    test("0.2 ptp", ptp);
}

fn installed<'a>(world: &'a World, version: &str, driver: &str, grant: &str) -> Installed<'a> {
    granted(world, version, driver, &Grant::example(grant))
}

fn granted<'a>(world: &'a World, version: &str, driver: &str, grant: &Grant) -> Installed<'a> {
    let wasmvark = Wasmvark::new(world);
    let (file, name) = (places::frozen(version, driver), format!("wasm-{driver}"));
    wasmvark.install_file(&file, &name, grant);
    Installed {
        netavark: wasmvark.netavark(),
        wasmvark,
        world,
    }
}

/// In 0.2 a request has the network's options, the container's, and those that apply. The
/// driver refuses some of the container's.
fn macvlan() {
    let world = World::new();
    let installed = installed(&world, "0.2", "macvlan", "macvlan");
    let connection = Connection::dual("wasm-macvlan")
        .option("mode", "bridge")
        .option("txqlen", "77")
        .option("promisc", "true")
        .join("options", json!({"txqlen": "55"}));
    installed.try_out(&connection, |container| {
        assert_eq!(container.queue_length(INTERFACE), 55);
        assert!(container.has_flag(INTERFACE, "PROMISC"));
        installed.reaches("10.88.0.2", "10.88.0.1");
        installed.reaches("fd88::2", "fd88::1");
    });
    let own = Connection::dual("wasm-macvlan").join("options", json!({"mode": "bridge"}));
    let error = installed.netavark.setup(&own).expect_err("it's refused");
    assert!(error.contains("option for one container: mode"), "{error}");
}

fn macvlan_c() {
    let world = World::new();
    let installed = installed(&world, "0.2", "macvlan-c", "macvlan");
    installed.try_out_parent(Connection::dual("wasm-macvlan-c"));
    let wrong = Connection::dual("wasm-macvlan-c").option("mode", "sideways");
    installed.refuses(&wrong, "sideways");
}

fn bridge() {
    let world = World::forwarding();
    let installed = installed(&world, "0.2", "bridge", "bridge");
    let connection = Connection::dual("wasm-bridge")
        .network("network_interface", "br0")
        .option("isolate", "true");
    installed.try_out(&connection, |container| {
        assert_eq!(container.mtu(INTERFACE), 1500);
        for gateway in ["10.88.0.1:80", "[fd88::1]:80"] {
            let host = (&world.host, gateway);
            flow::connect(Transport::Tcp, flow::from(&world.container), gateway, host);
        }
    });
}

/// Gateways have no prefix length in 0.2, and a link has no name.
fn ptp() {
    let world = World::forwarding();
    let grant = Grant::example("ptp").call("links.info", "{}");
    let installed = granted(&world, "0.2", "ptp", &grant);
    let connection = Connection::dual("wasm-ptp");
    installed.try_out(&connection, |_| {
        for gateway in ["10.88.0.1:80", "[fd88::1]:80"] {
            let host = (&world.host, gateway);
            flow::connect(Transport::Tcp, flow::from(&world.container), gateway, host);
        }
    });
}
