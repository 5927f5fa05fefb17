//! Duplicate address detection. Where nobody else can have an address it's usable when
//! setup returns, and elsewhere setup can wait for that. Other tests have it off.

use std::io::ErrorKind;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE, mapping};
use wasmvark_tests::echo::{self, bind};
use wasmvark_tests::flow::Transport::{Tcp, Udp};
use wasmvark_tests::flow::{connect_at_once, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::poll;
use wasmvark_tests::sriov;
use wasmvark_tests::world::World;

use crate::driver::Installed;
use crate::{bridge, nat};

/// The addresses of a container and of its gateway.
const CONTAINER: &str = "fd88::2";
const GATEWAY: &str = "fd88::1";

/// The drivers whose containers are on a wire with others.
const ON_A_WIRE: &[(&str, Need)] = &[
    ("host-device", Need::Root),
    ("ipvlan", Need::Link(Kind::Ipvlan)),
    ("macvlan", Need::Macvlan),
    ("macvlan-c", Need::Macvlan),
    ("sriov", Need::Vfs),
    ("vlan", Need::Link(Kind::Vlan)),
    ("vrf", Need::Link(Kind::Vrf)),
    ("vxlan", Need::Link(Kind::Vxlan)),
];

pub(crate) fn register(suite: &mut Suite) {
    let needs = [Need::Root, Need::Netavark];
    for driver in ["bridge", "ptp"] {
        let mut test = |name: &str, test: fn(&str)| {
            let name = format!("dad/{driver}: {name}");
            suite.test(name, &needs, move || test(driver))
        };
        test("addresses at once", addresses_at_once).proves(driver, &["accept_dad"]);
        test("ports at once", ports_at_once);
        test("a second container at once", second_at_once);
        test("accepted", accepted).proves(driver, &["accept_dad", "wait_dad"]);
    }
    suite.test("dad/bridge: announced at once", &needs, announced_at_once);
    suite
        .test("dad/bridge: unmanaged", &needs, unmanaged)
        .proves("bridge", &["accept_dad", "wait_dad"]);
    for (driver, need) in ON_A_WIRE {
        let needs = [Need::Root, Need::Netavark, *need];
        suite
            .test(format!("dad/{driver}: waits"), &needs, || waits(driver))
            .proves(driver, &["wait_dad"]);
    }
    suite.test(
        "dad/macvlan: a carrier that comes later",
        &[Need::Root, Need::Netavark, Need::Macvlan],
        || late_carrier("macvlan"),
    );
    for (driver, need) in ON_A_WIRE
        .iter()
        .filter(|(driver, _)| is_beside_others(driver))
    {
        let needs = [Need::Root, Need::Netavark, *need];
        suite
            .test(format!("dad/{driver}: a duplicate"), &needs, || {
                duplicate(driver);
            })
            .proves(driver, &["wait_dad"]);
    }
}

/// Whether the container is on the neighbour's wire without a tag or a tunnel.
fn is_beside_others(driver: &str) -> bool {
    !["vlan", "vxlan"].contains(&driver)
}

/// The parent gets its carrier only after setup. Nothing is lost behind a static route
/// once the address can be used (moby 49593).
fn late_carrier(driver: &str) {
    let world = detecting(World::new());
    let behind = "fd90::1";
    world.neighbour.ip("link set n0 down");
    let installed = installed(&world, driver);
    let route = json!({"destination": "fd90::/64", "gateway": GATEWAY});
    let connection = on_a_wire(driver).route(route);
    installed.connect(&connection);
    assert!(bind((&world.container, CONTAINER)).is_err());
    let lines = format!(
        "addr add {behind}/128 dev lo nodad\nlink set n0 up\naddr replace {GATEWAY}/64 dev n0 nodad"
    );
    world.neighbour.ip_batch(&[], &lines);
    let usable = poll::until(|| bind((&world.container, CONTAINER)).is_ok(), |it| *it);
    assert!(usable, "{CONTAINER} can't be used");
    echo::exchange_at_once((&world.container, CONTAINER), (&world.neighbour, behind));
    installed.disconnect(&connection);
}

/// The world of a driver.
fn wire(driver: &str) -> World {
    match driver {
        "sriov" => sriov::world(1),
        _ => World::new(),
    }
}

/// A world in which new links detect duplicates, as on other machines.
fn detecting(world: World) -> World {
    for netns in [&world.host, &world.container] {
        netns.detect_duplicates();
    }
    world
}

fn installed<'a>(world: &'a World, driver: &str) -> Installed<'a> {
    match driver {
        // It has the grant of the one in Rust.
        "macvlan-c" => Installed::with(world, driver, &Grant::example("macvlan")),
        driver => Installed::example(world, driver),
    }
}

fn behind_the_host(driver: &str) -> Connection {
    let connection = Connection::dual(&format!("wasm-{driver}"));
    match driver {
        "bridge" => connection.network("network_interface", "br0"),
        _ => connection.without_network("network_interface"),
    }
}

/// From both ends, and as the first packets.
fn addresses_at_once(driver: &str) {
    let world = detecting(World::forwarding());
    let installed = installed(&world, driver);
    installed.try_out(&behind_the_host(driver), |_| {
        let container = (&world.container, CONTAINER);
        let gateway = (&world.host, GATEWAY);
        echo::exchange_at_once(container, gateway);
    });
    installed.try_out(&behind_the_host(driver), |_| {
        let container = (&world.container, CONTAINER);
        let gateway = (&world.host, GATEWAY);
        echo::exchange_at_once(gateway, container);
    });
    // A route of its own leads to the gateway.
    let routed = behind_the_host(driver).option("source_routing", "true");
    installed.try_out(&routed, |_| {
        assert!(bind((&world.container, CONTAINER)).is_ok());
    });
}

/// The host asks for the container's MAC address from a link-local address.
fn ports_at_once(driver: &str) {
    let world = detecting(nat::world());
    let installed = installed(&world, driver);
    let connection = nat::dual(driver).port(mapping("", 8080, 80, 1, "tcp,udp"));
    for transport in [Tcp, Udp] {
        installed.try_out(&connection, |_| {
            let to = nat::at(nat::HOST[1], 8080);
            let server = (&world.container, &*nat::at(nat::CONTAINER[1], 80));
            let peer = connect_at_once(transport, from(&world.neighbour), &to, server);
            assert_eq!(peer.to_string(), nat::NEIGHBOUR[1]);
        });
    }
}

/// The first container's link to the host stays as it is.
fn second_at_once(driver: &str) {
    let world = detecting(World::forwarding());
    let installed = installed(&world, driver);
    let before = world.dump();
    let first = behind_the_host(driver);
    installed.connect(&first);
    let other = wasmvark_tests::netns::Netns::new();
    other.detect_duplicates();
    let second = behind_the_host(driver)
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
    let netavark = &installed.netavark;
    netavark
        .setup_at(&second, &other.path())
        .expect("setup succeeds");
    echo::exchange_at_once((&other, "fd88::3"), (&world.host, GATEWAY));
    echo::exchange_at_once((&other, "fd88::3"), (&world.container, CONTAINER));
    netavark
        .teardown_at(&second, &other.path())
        .expect("teardown succeeds");
    installed.disconnect(&first);
    world.assert_unchanged(&before);
}

/// The option turns it on, and another one has setup wait.
fn accepted(driver: &str) {
    let world = detecting(World::forwarding());
    let installed = installed(&world, driver);
    let accepted = behind_the_host(driver).option("accept_dad", "true");
    installed.try_out(&accepted, |_| {
        let error = bind((&world.container, CONTAINER)).expect_err("it's tentative");
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    });
    installed.try_out(&accepted.option("wait_dad", "true"), |_| {
        bind((&world.container, CONTAINER)).expect("it's no longer tentative");
    });
}

/// Nothing has to be waited for.
fn announced_at_once() {
    let world = detecting(World::forwarding());
    let installed = installed(&world, "bridge");
    let connection = behind_the_host("bridge").option("announce", "true");
    installed.try_out(&connection, |_| {
        let shown = format!("addr show dev {INTERFACE}");
        let shown = world.container.ip_batch(&["-o"], &shown);
        let address = shown.lines().find(|line| line.contains(CONTAINER));
        assert!(
            address.is_some_and(|line| line.contains("nodad")),
            "{shown}"
        );
        assert!(bind((&world.container, CONTAINER)).is_ok());
    });
}

/// Other machines may be on such a bridge, so it's the other way round there.
fn unmanaged() {
    let world = detecting(World::forwarding());
    bridge::lay_bridge(&world);
    let installed = installed(&world, "bridge");
    let connection = behind_the_host("bridge").option("mode", "unmanaged");
    let ends = ((&world.container, CONTAINER), (&world.neighbour, GATEWAY));
    installed.try_out(&connection, |_| {
        let error = bind(ends.0).expect_err("it's tentative");
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    });
    let waiting = connection.clone().option("wait_dad", "true");
    installed.try_out(&waiting, |_| echo::exchange_at_once(ends.0, ends.1));
    let without = connection.clone().option("accept_dad", "false");
    installed.try_out(&without, |_| echo::exchange_at_once(ends.0, ends.1));
    world.neighbour.ip("addr add fd88::2/64 dev n0 nodad");
    let error = installed.netavark.setup(&waiting).unwrap_err();
    assert!(error.contains("another machine has fd88::2"), "{error}");
}

fn on_a_wire(driver: &str) -> Connection {
    let connection = Connection::dual(&format!("wasm-{driver}"));
    match driver {
        "vlan" => connection.option("vlan", "7"),
        "vrf" => connection.option("vrf_name", "blue"),
        "vxlan" => connection.option("id", "7"),
        _ => connection,
    }
}

fn waits(driver: &str) {
    let world = detecting(wire(driver));
    let installed = installed(&world, driver);
    // In a VRF it can be bound only together with the VRF.
    let is_tentative = || {
        let shown = format!("addr show dev {INTERFACE} tentative");
        world
            .container
            .ip_batch(&["-o"], &shown)
            .contains(CONTAINER)
    };
    installed.try_out(&on_a_wire(driver), |_| assert!(is_tentative()));
    let waiting = on_a_wire(driver).option("wait_dad", "true");
    installed.try_out(&waiting, |_| assert!(!is_tentative()));
}

fn duplicate(driver: &str) {
    let world = detecting(wire(driver));
    world.neighbour.ip("addr add fd88::2/64 dev n0 nodad");
    let installed = installed(&world, driver);
    let before = world.dump();
    let connection = on_a_wire(driver).option("wait_dad", "true");
    let error = installed.netavark.setup(&connection).unwrap_err();
    let text = "another machine has fd88::2 (duplicate address detection)";
    assert!(error.contains(text), "{error}");
    world.assert_unchanged(&before);
}
