//! The comparison of each driver with netavark's own, by the same requests. The
//! container and the answer must be the same.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netavark::Status;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use crate::driver::{BUILT_IN, Driver, NEEDS};

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |name: &str, connection: Connection| {
        let name = format!("{}/as netavark's own: {name}", driver.title);
        suite.test(name, NEEDS, move || {
            looks_like_built_in(driver, &connection);
        });
    };
    let v4 = || Connection::v4(driver.name);
    let dual = || Connection::dual(driver.name);
    case("IPv4", v4());
    case("IPv6", Connection::v6(driver.name));
    case("dual stack", dual());
    case("IPv6 before IPv4", v6_first(driver.name));
    for mode in ["bridge", "private", "vepa", "passthru", "source", ""] {
        case(&format!("mode {mode:?}"), dual().option("mode", mode));
    }
    case("mtu", dual().option("mtu", "1380"));
    case("mtu 0", dual().option("mtu", "0"));
    case("metric", dual().option("metric", "7"));
    case("metric 0", dual().option("metric", "0"));
    case(
        "no default route",
        dual().option("no_default_route", "true"),
    );
    case("bclim", dual().option("bclim", "0"));
    case("static MAC", dual().join("static_mac", "02:00:00:00:00:01"));
    case(
        "several addresses",
        dual().ip("fd88::5").ip("10.88.0.5").ip("10.88.3.1"),
    );
    case(
        "several subnets",
        dual().subnet("10.89.0.0/30", "10.89.0.1").ip("10.89.0.2"),
    );
    case("subnets without gateways", without_gateways(driver.name));
    case("no subnets at all", Connection::new(driver.name));
    case("addresses but no subnets", {
        Connection::new(driver.name)
            .without_network("subnets")
            .ip("10.88.0.2")
    });
    case("host routes as subnets", single_addresses(driver.name));
    case("internal", dual().network("internal", true));
    case("ipam none", dual().ipam("none").without_join("static_ips"));
    case("ipam none with addresses", dual().ipam("none"));
    case("ipam unset", dual().without_network("ipam_options"));
    case("static routes", all_kinds_of_routes(driver.name));
    case("a subnet written with host bits", host_bits(driver.name));
}

fn v6_first(driver: &str) -> Connection {
    Connection::v6(driver)
        .subnet("10.88.0.0/16", "10.88.0.1")
        .ip("10.88.0.2")
}

fn without_gateways(driver: &str) -> Connection {
    let v4 = Connection::new(driver)
        .subnet("10.88.0.0/16", "")
        .ip("10.88.0.2");
    v4.subnet("fd88::/64", "").ip("fd88::2")
}

fn single_addresses(driver: &str) -> Connection {
    let v4 = Connection::new(driver)
        .subnet("10.88.0.2/32", "")
        .ip("10.88.0.2");
    v4.subnet("fd88::2/128", "").ip("fd88::2")
}

fn host_bits(driver: &str) -> Connection {
    Connection::new(driver)
        .subnet("10.88.7.9/16", "10.88.0.1")
        .ip("10.88.0.2")
}

fn all_kinds_of_routes(driver: &str) -> Connection {
    Connection::dual(driver)
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}))
        .route(json!({"destination": "fd90::/64", "gateway": "fd88::3", "metric": 3}))
        .route(json!({"destination": "10.91.0.0/24", "gateway": "10.88.0.3", "metric": 0}))
        .route(json!({"destination": "10.92.0.0/24", "route_type": "blackhole"}))
        .route(json!({"destination": "fd93::/64", "route_type": "unreachable"}))
        .route(json!({"destination": "10.94.0.0/24", "route_type": "prohibit", "metric": 9}))
        .route(json!({"destination": "0.0.0.0/0", "gateway": "10.88.0.4", "metric": 500}))
}

fn looks_like_built_in(driver: Driver, connection: &Connection) {
    let (their_world, our_world) = (World::new(), World::new());
    let their_status = connect(&their_world, BUILT_IN, connection);
    let our_status = connect(&our_world, driver, connection);
    // The kernel finishes some of it later: carriers, IPv6 addresses.
    let (theirs, ours) = poll::until(
        || {
            let theirs = container(&their_world, connection);
            (theirs, container(&our_world, connection))
        },
        |(theirs, ours)| theirs == ours,
    );
    let differences = theirs.differences(&ours);
    assert!(
        differences.is_empty(),
        "{} differs:\n{differences}",
        driver.title
    );
    assert_eq!(their_status, our_status, "the answer");
}

/// The answer, without the MAC address unless it's asked for.
fn connect(world: &World, driver: Driver, connection: &Connection) -> Status {
    let connection = connection.clone().for_driver(driver.name);
    let setup = driver.in_world(world).netavark.setup(&connection);
    let mut status = setup.unwrap_or_else(|error| panic!("setup by {}: {error}", driver.title));
    for interface in status.interfaces.values_mut() {
        if !connection.has_static_mac() {
            interface.mac_address.clear();
        }
        // Their order means nothing.
        interface.subnets.get_or_insert_default().sort();
    }
    status
}

/// The container, without the MAC address unless it's asked for.
fn container(world: &World, connection: &Connection) -> Dump {
    let container = Dump::of(&world.container);
    match connection.has_static_mac() {
        true => container,
        false => container.without_mac(INTERFACE),
    }
}
