//! Default routes and static routes.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wire;
use wasmvark_tests::world::World;

use crate::driver::Driver;

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |name: &str, connection: Connection, routes: &[&'static str]| {
        let routes = routes.to_owned();
        driver.test(suite, name, move || {
            has_routes(driver, &connection, &routes);
        })
    };
    let dual = || Connection::dual(driver.name);
    let default_v4 = "default via 10.88.0.1 dev eth0 metric 99";
    let default_v6 = "default via fd88::1 dev eth0 metric 99";
    case(
        "metric",
        dual().option("metric", "200"),
        &[
            "default via 10.88.0.1 dev eth0 metric 200",
            "default via fd88::1 dev eth0 metric 200",
        ],
    )
    .proves(&["metric"]);
    case(
        "no default route",
        dual().option("no_default_route", "true"),
        &[],
    )
    .proves(&["no_default_route"]);
    case(
        "default route wanted",
        dual().option("no_default_route", "false"),
        &[default_v4, default_v6],
    )
    .proves(&["no_default_route"]);
    case("internal", dual().network("internal", true), &[]);
    case(
        "no gateway",
        Connection::new(driver.name)
            .subnet("10.88.0.0/16", "")
            .ip("10.88.0.2"),
        &[],
    );
    case(
        "the first gateway of a family",
        two_subnets(driver.name),
        &[default_v4],
    );
    case(
        "static routes",
        static_routes(driver.name),
        &[
            "10.90.0.0/24 via 10.88.0.3 dev eth0 metric 100",
            "10.91.0.0/24 via 10.88.0.4 dev eth0 metric 5",
            default_v4,
            default_v6,
            "fd90::/64 via fd88::3 dev eth0 metric 100",
            "fd91::/64 via fd88::4 dev eth0 metric 7",
        ],
    );
    case(
        "static routes that drop",
        dropping_routes(driver.name),
        &[
            "blackhole 10.92.0.0/24 metric 100",
            "blackhole fd92::/64 metric 100",
            default_v4,
            default_v6,
            "prohibit 10.94.0.0/24 metric 9",
            "prohibit fd94::/64 metric 9",
            "unreachable 10.93.0.0/24 metric 100",
            "unreachable fd93::/64 metric 100",
        ],
    );
    let internal = dual().network("internal", true).route(json!({
        "destination": "10.90.0.0/24", "gateway": "10.88.0.3",
    }));
    case(
        "static route of an internal network",
        internal,
        &["10.90.0.0/24 via 10.88.0.3 dev eth0 metric 100"],
    );
    driver.test(suite, "default routes of two networks", move || {
        two_networks(driver);
    });
}

/// Both networks of a container have their default routes, with the same
/// metric; the end of one leaves those of the other.
fn two_networks(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let one = Connection::dual(driver.name);
    installed.connect(&one);
    wire::wait_for_carrier(&world.container, INTERFACE);
    let alone = Dump::of(&world.container);
    let id = "3".repeat(64);
    let two = Connection::new(driver.name)
        .network("id", id)
        .network("ipv6_enabled", true)
        .subnet("10.89.0.0/16", "10.89.0.1")
        .subnet("fd89::/64", "fd89::1")
        .ip("10.89.0.2")
        .ip("fd89::2")
        .join("interface_name", "eth1");
    let (_, both) = installed.connect(&two);
    let expected = [
        "default via 10.88.0.1 dev eth0 metric 99",
        "default via 10.89.0.1 dev eth1 metric 99",
        "default via fd88::1 dev eth0 metric 99",
        "default via fd89::1 dev eth1 metric 99",
    ];
    assert_eq!(both.made_routes(), expected);
    installed.disconnect(&two);
    assert_unchanged(&world.container, &alone, "the container's namespace");
    installed.disconnect(&one);
    world.assert_unchanged(&before);
}

fn has_routes(driver: Driver, connection: &Connection, routes: &[&str]) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let (_, container) = installed.connect(connection);
    assert_eq!(container.made_routes(), routes);
    let protocols = container.route_protocols();
    assert!(
        protocols.iter().all(|protocol| protocol == "static"),
        "{protocols:?}"
    );
    installed.disconnect(connection);
    world.assert_unchanged(&before);
}

fn two_subnets(driver: &str) -> Connection {
    Connection::v4(driver)
        .subnet("10.89.0.0/16", "10.89.0.1")
        .ip("10.89.0.2")
}

fn static_routes(driver: &str) -> Connection {
    Connection::dual(driver)
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}))
        .route(json!({"destination": "10.91.0.0/24", "gateway": "10.88.0.4", "metric": 5}))
        .route(json!({"destination": "fd90::/64", "gateway": "fd88::3", "route_type": "unicast"}))
        .route(json!({"destination": "fd91::/64", "gateway": "fd88::4", "metric": 7}))
}

fn dropping_routes(driver: &str) -> Connection {
    Connection::dual(driver)
        .route(json!({"destination": "10.92.0.0/24", "route_type": "blackhole"}))
        .route(json!({"destination": "10.93.0.0/24", "route_type": "unreachable"}))
        .route(json!({"destination": "10.94.0.0/24", "route_type": "prohibit", "metric": 9}))
        .route(json!({"destination": "fd92::/64", "route_type": "blackhole"}))
        .route(json!({"destination": "fd93::/64", "route_type": "unreachable"}))
        .route(json!({"destination": "fd94::/64", "route_type": "prohibit", "metric": 9}))
}
