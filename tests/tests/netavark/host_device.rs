//! Moving an interface of the host into the container and back.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netavark::assert_status_is_true;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::{Installed, NEEDS};

const DRIVER: &str = "wasm-host-device";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut case = |name: &str, connection: Connection, check: fn(&World, &Dump)| {
        suite.test(format!("host-device/{name}"), NEEDS, move || {
            move_and_give_back(&connection, check);
        })
    };
    case("IPv4", Connection::v4(DRIVER), |world, container| {
        assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16"]);
        reaches(world, "10.88.0.2", "192.0.2.1");
    });
    case("IPv6", Connection::v6(DRIVER), |world, container| {
        assert_eq!(container.cidrs(INTERFACE), ["fd88::2/64"]);
        reaches(world, "fd88::2", "2001:db8::1");
    });
    case(
        "dual stack",
        Connection::dual(DRIVER),
        |world, container| {
            assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
            reaches(world, "10.88.0.2", "192.0.2.1");
            reaches(world, "fd88::2", "2001:db8::1");
        },
    );
    let ipam_none = Connection::new(DRIVER)
        .ipam("none")
        .without_join("static_ips");
    case("ipam none", ipam_none, |_, container| {
        assert!(container.cidrs(INTERFACE).is_empty());
    });
    let mac = Connection::v4(DRIVER).join("static_mac", MAC);
    case("static MAC", mac, |_, container| {
        assert_eq!(container.mac(INTERFACE), MAC);
    });
    let mtu = Connection::v4(DRIVER).option("mtu", "1400");
    case("mtu", mtu, |_, container| {
        assert_eq!(container.mtu(INTERFACE), 1400);
    })
    .proves("host-device", &["mtu"]);
    let metric = Connection::dual(DRIVER).option("metric", "77");
    case("metric", metric, |_, container| {
        let routes = [
            "default via 10.88.0.1 dev eth0 metric 77",
            "default via fd88::1 dev eth0 metric 77",
        ];
        assert_eq!(container.made_routes(), routes);
    })
    .proves("host-device", &["metric"]);
    let without = Connection::dual(DRIVER).option("no_default_route", "true");
    case("no default route", without, |_, container| {
        assert!(container.made_routes().is_empty());
    })
    .proves("host-device", &["no_default_route"]);

    suite
        .test("host-device/parent by its option", NEEDS, || {
            let world = World::new();
            Installed::example(&world, "host-device").try_out_parent(Connection::dual(DRIVER));
        })
        .proves("host-device", &["parent"]);
    suite.test("host-device/keeps its name", NEEDS, keeps_its_name);
    suite.test("host-device/teardown twice", NEEDS, teardown_twice);
    suite.test("host-device/link that was down", NEEDS, link_that_was_down);
    suite.test(
        "host-device/name in use on the host",
        NEEDS,
        name_in_use_on_the_host,
    );
    suite.test(
        "host-device/name in use in the container",
        NEEDS,
        name_in_use_in_the_container,
    );
    suite.test(
        "host-device/failure gives the link back",
        NEEDS,
        failure_gives_back,
    );
    suite.test("host-device/no such parent", NEEDS, no_such_parent);
}

/// The parent has a state of its own, which must come back: addresses, MAC
/// address, MTU.
fn dress_parent(world: &World) {
    let (host, parent) = (&world.host, PARENT);
    host.ip(&format!(
        "link set {parent} address 02:00:00:00:00:77 mtu 1470"
    ));
    host.ip(&format!("addr add 10.88.0.200/16 broadcast + dev {parent}"));
    host.ip(&format!("addr add 10.89.0.200/24 dev {parent}"));
    host.ip(&format!("addr add 192.0.2.200/32 dev {parent}"));
    host.ip(&format!("addr add fd88::200/64 dev {parent}"));
}

fn installed(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install("host-device", DRIVER, &Grant::host_device());
    wasmvark
}

fn move_and_give_back(connection: &Connection, check: fn(&World, &Dump)) {
    let world = World::new();
    dress_parent(&world);
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let status = netavark.setup(connection).expect("setup succeeds");
    let container = Dump::of(&world.container);
    assert_status_is_true(&status, &container, connection);
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    assert_eq!(container.kind(INTERFACE), "veth");
    assert!(container.is_up(INTERFACE));
    assert!(
        !Dump::of(&world.host).has_link(PARENT),
        "the host's link has moved"
    );
    check(&world, &container);
    netavark.teardown(connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn keeps_its_name() {
    let world = World::new();
    dress_parent(&world);
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let connection = Connection::v4(DRIVER).join("interface_name", PARENT);
    netavark.setup(&connection).expect("setup succeeds");
    assert_eq!(Dump::of(&world.container).link_names(), ["lo", PARENT]);
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn teardown_twice() {
    let world = World::new();
    dress_parent(&world);
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let connection = Connection::dual(DRIVER);
    netavark.setup(&connection).expect("setup succeeds");
    netavark.teardown(&connection).expect("teardown succeeds");
    netavark
        .teardown(&connection)
        .expect("teardown succeeds again");
    world.assert_unchanged(&before);
}

fn link_that_was_down() {
    let world = World::new();
    world.host.ip(&format!("link set {PARENT} down"));
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let connection = Connection::v4(DRIVER);
    netavark.setup(&connection).expect("setup succeeds");
    assert!(Dump::of(&world.container).is_up(INTERFACE));
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// The host has a link of the name that the moved one gets: no hindrance, and
/// not to be touched.
fn name_in_use_on_the_host() {
    let world = World::new();
    world
        .host
        .ip(&format!("link add {INTERFACE} type veth peer name v1"));
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let connection = Connection::v4(DRIVER);
    netavark.setup(&connection).expect("setup succeeds");
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn name_in_use_in_the_container() {
    let world = World::new();
    dress_parent(&world);
    world
        .container
        .ip(&format!("link add {INTERFACE} type veth peer name v1"));
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let error = netavark.setup(&Connection::v4(DRIVER)).unwrap_err();
    assert!(error.contains("exists"), "{error}");
    world.assert_unchanged(&before);
}

/// The last route can't be made, after the link has moved.
fn failure_gives_back() {
    let world = World::new();
    dress_parent(&world);
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let route = serde_json::json!({"destination": "10.91.0.0/24", "gateway": "203.0.113.1"});
    let connection = Connection::v4(DRIVER)
        .option("no_default_route", "true")
        .route(route);
    netavark.setup(&connection).unwrap_err();
    world.assert_unchanged(&before);
}

fn no_such_parent() {
    let world = World::new();
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let connection = Connection::v4(DRIVER).network("network_interface", "nope");
    let error = netavark.setup(&connection).unwrap_err();
    assert!(error.contains("nope"), "{error}");
    assert_unchanged(&world.host, &before.host, "the host's namespace");
}

fn reaches(world: &World, inside: &str, outside: &str) {
    echo::exchange((&world.container, inside), (&world.neighbour, outside));
    echo::exchange((&world.neighbour, outside), (&world.container, inside));
}
