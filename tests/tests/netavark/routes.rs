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
    if driver.is_ours() {
        let without_addresses = Connection::new(driver.name)
            .ipam("none")
            .without_join("static_ips");
        case(
            "static routes without addresses",
            with_routes(without_addresses),
            &[
                "10.90.0.0/24 via 10.88.0.3 dev eth0 metric 100",
                "blackhole 10.92.0.0/24 metric 100",
                "fd90::/64 via fd88::3 dev eth0 metric 3",
            ],
        );
    }
    driver.test(suite, "default routes of two networks", move || {
        two_networks(driver);
    });
    if driver.is_ours() {
        driver.test(suite, "three networks with one metric", move || {
            three_networks(driver);
        });
    }
}

/// Both networks of a container have their default routes; the end of one leaves
/// those of the other. netavark's own driver gives all the same metric, of which
/// the kernel makes a multipath route for IPv6. With ours the first network's
/// routes come first, whichever is disconnected.
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
    let second = if driver.is_ours() { 100 } else { 99 };
    let seconds = [
        format!("default via 10.89.0.1 dev eth1 metric {second}"),
        format!("default via fd89::1 dev eth1 metric {second}"),
    ];
    let expected = [
        "default via 10.88.0.1 dev eth0 metric 99",
        seconds[0].as_str(),
        "default via fd88::1 dev eth0 metric 99",
        seconds[1].as_str(),
    ];
    assert_eq!(both.made_routes(), expected);
    if driver.is_ours() {
        leads_through(&world, "eth0");
        let multipath = world.container.ip_batch(&["-6"], "route show default");
        assert!(!multipath.contains("nexthop"), "{multipath}");
    }
    installed.disconnect(&two);
    assert_unchanged(&world.container, &alone, "the container's namespace");
    installed.netavark.setup(&two).expect("setup succeeds");
    installed.disconnect(&one);
    assert_eq!(Dump::of(&world.container).made_routes(), seconds);
    leads_through(&world, "eth1");
    // The first network comes back to its place.
    installed.netavark.setup(&one).expect("setup succeeds");
    assert_eq!(Dump::of(&world.container).made_routes(), expected);
    installed.disconnect(&two);
    installed.disconnect(&one);
    world.assert_unchanged(&before);
}

/// Checks which link packets to elsewhere leave by, in both families.
#[track_caller]
fn leads_through(world: &World, link: &str) {
    for elsewhere in ["192.0.2.1", "2001:db8::1"] {
        let way = world
            .container
            .ip_batch(&[], &format!("route get {elsewhere}"));
        assert!(way.contains(&format!("dev {link} ")), "{way}");
    }
}

/// A metric that the user gives each of them.
fn three_networks(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let networks: Vec<Connection> = (0..3).map(|number| numbered(driver, number)).collect();
    for network in &networks {
        installed.netavark.setup(network).expect("setup succeeds");
    }
    let metrics = |links: &[(u8, u32)]| {
        let route = |(number, metric): &(u8, u32)| {
            let v4 = format!("default via 10.8{number}.0.1 dev eth{number} metric {metric}");
            let v6 = format!("default via fd8{number}::1 dev eth{number} metric {metric}");
            [v4, v6]
        };
        let mut routes: Vec<String> = links.iter().flat_map(route).collect();
        routes.sort();
        routes
    };
    let made = || Dump::of(&world.container).made_routes();
    assert_eq!(made(), metrics(&[(0, 50), (1, 51), (2, 52)]));
    installed.disconnect(&networks[1]);
    assert_eq!(made(), metrics(&[(0, 50), (2, 52)]));
    installed
        .netavark
        .setup(&networks[1])
        .expect("setup succeeds");
    assert_eq!(made(), metrics(&[(0, 50), (1, 51), (2, 52)]));
    installed.disconnect(&networks[0]);
    leads_through(&world, "eth1");
    installed.disconnect(&networks[1]);
    leads_through(&world, "eth2");
    installed.disconnect(&networks[2]);
    world.assert_unchanged(&before);
}

fn with_routes(connection: Connection) -> Connection {
    connection
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}))
        .route(json!({"destination": "10.92.0.0/24", "route_type": "blackhole"}))
        .route(json!({"destination": "fd90::/64", "gateway": "fd88::3", "metric": 3}))
}

fn numbered(driver: Driver, number: u8) -> Connection {
    Connection::new(driver.name)
        .network("id", number.to_string().repeat(64))
        .network("ipv6_enabled", true)
        .subnet(
            &format!("10.8{number}.0.0/16"),
            &format!("10.8{number}.0.1"),
        )
        .subnet(&format!("fd8{number}::/64"), &format!("fd8{number}::1"))
        .ip(&format!("10.8{number}.0.2"))
        .ip(&format!("fd8{number}::2"))
        .join("interface_name", format!("eth{number}"))
        .option("metric", "50")
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
