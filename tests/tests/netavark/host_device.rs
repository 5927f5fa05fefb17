//! An interface of the host that is moved into the container and back.

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
    suite
        .test("host-device/by MAC address", NEEDS, by_mac_address)
        .proves("host-device", &["hwaddr"]);
    suite.test("host-device/container's choice", NEEDS, containers_choice);
    suite.test("host-device/create", NEEDS, create);
    suite.test("host-device/create refuses", NEEDS, create_refuses);
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

/// The parent as [`dress_parent`] has it.
fn by_mac(connection: Connection) -> Connection {
    connection
        .without_network("network_interface")
        .option("hwaddr", "02:00:00:00:00:77")
}

/// It goes and comes with its address, also when the container asks for
/// another.
fn by_mac_address() {
    let connection = by_mac(Connection::dual(DRIVER));
    let check = |world: &World, container: &Dump| {
        assert_eq!(container.mac(INTERFACE), "02:00:00:00:00:77");
        reaches(world, "10.88.0.2", "192.0.2.1");
        reaches(world, "fd88::2", "2001:db8::1");
    };
    move_and_give_back(&connection, check);
    let other = connection.join("static_mac", MAC);
    move_and_give_back(&other, |_, container| {
        assert_eq!(container.mac(INTERFACE), MAC);
    });
}

/// One network, and each container names its own interface.
fn containers_choice() {
    let world = World::new();
    dress_parent(&world);
    let other = "link add x0 address 02:00:00:00:00:f0 type veth peer x1";
    world.host.ip(other);
    let netavark = installed(&world).netavark();
    let before = world.dump();
    let choice = serde_json::json!({"hwaddr": "02:00:00:00:00:f0"});
    for network in [Connection::v4(DRIVER), by_mac(Connection::v4(DRIVER))] {
        let connection = network.join("options", choice.clone());
        netavark.setup(&connection).expect("setup succeeds");
        let container = Dump::of(&world.container);
        assert_eq!(container.mac(INTERFACE), "02:00:00:00:00:f0");
        netavark.teardown(&connection).expect("teardown succeeds");
        world.assert_unchanged(&before);
    }
}

/// What the network names needn't be there yet.
fn create() {
    let world = World::new();
    dress_parent(&world);
    let installed = Installed::example(&world, "host-device");
    let without = || Connection::dual(DRIVER).without_network("network_interface");
    let named = without().option("parent", PARENT);
    let network = installed.netavark.create(&named).expect("it's there");
    assert_eq!(network["network_interface"], PARENT);
    for (option, value) in [
        ("parent", "nope"),
        ("hwaddr", "02:00:00:00:00:77"),
        ("hwaddr", "02:00:00:00:00:78"),
        ("pci", "0000:00:1f.6"),
        ("kernelpath", "/sys/devices/pci0000:00/0000:00:1f.6"),
    ] {
        let connection = without().option(option, value);
        match installed.netavark.create(&connection) {
            Ok(network) if option == "parent" => assert_eq!(network["network_interface"], value),
            Ok(network) => assert_eq!(network["options"][option], value),
            Err(error) => panic!("{option}={value}: {error}"),
        }
    }
}

fn create_refuses() {
    let world = World::new();
    dress_parent(&world);
    let double = "link add x0 address 02:00:00:00:00:77 type veth peer x1";
    world.host.ip(double);
    let installed = Installed::example(&world, "host-device");
    let without = || Connection::dual(DRIVER).without_network("network_interface");
    installed.refuses(&without(), "no network interface is specified: give one of");
    installed.refuses(
        &Connection::dual(DRIVER).option("pci", "0000:00:1f.6"),
        "the parent interface is named in more than one way",
    );
    for (option, value, why) in [
        ("hwaddr", "02:00", "unable to parse \"hwaddr\""),
        ("hwaddr", "02:00:00:00:00:77", "p0, x0 all have"),
        ("pci", "p0", "unable to parse \"pci\""),
        (
            "kernelpath",
            "/sys/class/net/p0",
            "not the path of a device",
        ),
        (
            "mode",
            "bridge",
            "unsupported wasm-host-device network option: mode",
        ),
    ] {
        let connection = match option {
            "mode" => Connection::dual(DRIVER),
            _ => without(),
        };
        installed.refuses(&connection.option(option, value), why);
    }
}

fn reaches(world: &World, inside: &str, outside: &str) {
    echo::exchange((&world.container, inside), (&world.neighbour, outside));
    echo::exchange((&world.neighbour, outside), (&world.container, inside));
}
