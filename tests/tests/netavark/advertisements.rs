//! Router advertisements that containers take or ignore.

use std::net::Ipv6Addr;

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::poll;
use wasmvark_tests::router;
use wasmvark_tests::sriov;
use wasmvark_tests::wire::NEIGHBOUR;
use wasmvark_tests::world::World;

use crate::driver::Installed;
use crate::{bridge, vlan, vxlan};

/// The network that the router advertises.
const ADVERTISED: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0);

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |driver: &'static str, need: Need, test: fn(&str)| {
        let needs = [Need::Root, Need::Netavark, need];
        suite
            .test(format!("advertisements/{driver}"), &needs, move || {
                test(driver);
            })
            .proves(driver, &["accept_ra"]);
    };
    let on_the_wire = |driver: &str| {
        let connection = Connection::v4(&format!("wasm-{driver}"));
        obeys(&World::new(), driver, &connection, NEIGHBOUR);
    };
    test("macvlan", Need::Macvlan, on_the_wire);
    test("ipvlan", Need::Link(Kind::Ipvlan), on_the_wire);
    test("host-device", Need::Root, on_the_wire);
    test("sriov", Need::Vfs, |driver| {
        let connection = Connection::v4("wasm-sriov");
        obeys(&sriov::world(1), driver, &connection, NEIGHBOUR);
    });
    test("vrf", Need::Link(Kind::Vrf), |driver| {
        let connection = Connection::v4("wasm-vrf").option("vrf_name", "blue");
        obeys(&World::new(), driver, &connection, NEIGHBOUR);
    });
    test("bridge", Need::Root, |driver| {
        let world = World::new();
        bridge::lay_bridge(&world);
        let connection = Connection::v4("wasm-bridge")
            .network("network_interface", bridge::BRIDGE)
            .option("mode", "unmanaged");
        obeys(&world, driver, &connection, NEIGHBOUR);
    });
    test("vxlan", Need::Link(Kind::Vxlan), |driver| {
        let world = World::new();
        vxlan::lay_vxlan(&world, &format!("remote 10.89.0.200 dev {NEIGHBOUR}"));
        let connection = Connection::v4("wasm-vxlan")
            .without_network("network_interface")
            .option("id", "7")
            .option("remote", "10.89.0.1");
        obeys(&world, driver, &connection, "vx0");
    });
    test("vlan", Need::Link(Kind::Vlan), |driver| {
        let world = World::new();
        vlan::lay_vlan(&world, "802.1Q");
        let connection = Connection::v4("wasm-vlan").option("vlan", "7");
        obeys(&world, driver, &connection, "tagged");
    });
}

/// What a container has of a router: an address from its network, and the default route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    address: bool,
    route: bool,
}

fn obeys(world: &World, driver: &str, connection: &Connection, router: &str) {
    for link in Dump::of(&world.host).link_names() {
        // The host is not what the router is for.
        world.host.set(&format!("ipv6/conf/{link}/accept_ra"), "0");
    }
    let installed = Installed::example(world, driver);
    let cases = [
        (Some("true"), true, true),
        (None, false, true),
        (Some("false"), false, false),
    ];
    for (option, address, route) in cases {
        let connection = match option {
            Some(value) => connection.clone().option("accept_ra", value),
            None => connection.clone(),
        };
        let expected = Taken { address, route };
        installed.try_out(&connection, |_| takes(world, router, expected));
    }
}

fn takes(world: &World, router: &str, expected: Taken) {
    let taken = || {
        router::advertise(&world.neighbour, router, Some(ADVERTISED));
        let show = |command: &str| world.container.ip_batch(&["-6"], command);
        Taken {
            address: show(&format!("addr show dev {INTERFACE}")).contains("fd77:"),
            route: show("route show default table all").contains("proto ra"),
        }
    };
    // What is ignored doesn't come later either.
    if !expected.route {
        (0..5).for_each(|_| assert_eq!(taken(), expected));
        return;
    }
    let seen = poll::until(taken, |seen| *seen == expected);
    assert_eq!(seen, expected);
}
