//! Containers with an address of one family, on networks that have subnets of both.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::world::World;

use crate::driver::Installed;

const DRIVERS: [(&str, Need); 6] = [
    ("bridge", Need::Root),
    ("host-device", Need::Root),
    ("macvlan", Need::Macvlan),
    ("macvlan-c", Need::Macvlan),
    ("ptp", Need::Root),
    ("tap", Need::Root),
];

/// An address of each family, and what its routes begin with.
const FAMILIES: [(&str, &str, [&str; 2]); 2] = [
    ("IPv4", "10.88.0.2", ["default via 10.", "10."]),
    ("IPv6", "fd88::2", ["default via fd", "fd"]),
];

pub(crate) fn register(suite: &mut Suite) {
    for (driver, need) in DRIVERS {
        let needs = [Need::Root, Need::Netavark, need];
        for (family, address, beginnings) in FAMILIES {
            let name = format!("families/{driver}: {family} only");
            suite.test(name, &needs, move || only(driver, address, beginnings));
        }
        let name = format!("families/{driver}: IPv6 is off");
        suite.test(name, &needs, move || ipv6_off(driver));
    }
}

fn installed<'a>(world: &'a World, driver: &str) -> Installed<'a> {
    match driver {
        // It has the grant of the one in Rust.
        "macvlan-c" => Installed::with(world, driver, &Grant::example("macvlan")),
        driver => Installed::example(world, driver),
    }
}

/// With a static route of each family.
fn connection(driver: &str, addresses: &[&str]) -> Connection {
    let connection = Connection::dual(&format!("wasm-{driver}"))
        .join("static_ips", addresses.to_vec())
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.1"}))
        .route(json!({"destination": "fd90::/64", "gateway": "fd88::1"}));
    match driver {
        "bridge" => connection.network("network_interface", "br0"),
        "ptp" | "tap" => connection.without_network("network_interface"),
        _ => connection,
    }
}

fn only(driver: &str, address: &str, beginnings: [&str; 2]) {
    let world = World::forwarding();
    let installed = installed(&world, driver);
    installed.try_out(&connection(driver, &[address]), |container| {
        let routes = container.made_routes();
        assert!(routes.len() >= 2, "{routes:?}");
        for route in &routes {
            let of_family = beginnings.iter().any(|begin| route.starts_with(begin));
            assert!(of_family, "{routes:?}");
        }
        assert_eq!(container.cidrs(INTERFACE).len(), 1);
        if driver == "bridge" || driver == "ptp" {
            let gateway = if address.contains(':') {
                "fd88::1"
            } else {
                "10.88.0.1"
            };
            echo::exchange((&world.container, address), (&world.host, gateway));
        }
    });
    // Both families have both routes.
    installed.try_out(
        &connection(driver, &["10.88.0.2", "fd88::2"]),
        |container| {
            let routes = container.made_routes();
            assert!(routes.len() >= 4, "{routes:?}");
        },
    );
}

/// By the user, in the container.
fn ipv6_off(driver: &str) {
    let world = World::forwarding();
    for link in ["all", "default"] {
        let setting = format!("ipv6/conf/{link}/disable_ipv6");
        world.container.set(&setting, "1");
    }
    // A moved interface has settings of its own.
    if driver == "host-device" {
        world.host.set("ipv6/conf/p0/disable_ipv6", "1");
    }
    let installed = installed(&world, driver);
    installed.try_out(&connection(driver, &["10.88.0.2"]), |container: &Dump| {
        let routes = container.made_routes();
        assert!(
            routes.iter().all(|route| !route.contains("::")),
            "{routes:?}"
        );
    });
    let before = world.dump();
    let both = connection(driver, &["10.88.0.2", "fd88::2"]);
    let error = installed.netavark.setup(&both).unwrap_err();
    let text = "IPv6 is off in the container's namespace (net.ipv6.conf.eth0.disable_ipv6 is 1)";
    assert!(error.contains(text), "{error}");
    world.assert_unchanged(&before);
}
