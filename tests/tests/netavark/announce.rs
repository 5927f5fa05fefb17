//! Announcements of a new container's MAC address to neighbours that had another one.

use std::fs;
use std::io::ErrorKind;

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::sriov;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;
use crate::vlan;
use crate::vxlan;

const ADDRESSES: [&str; 2] = ["10.88.0.2", "fd88::2"];
const STALE: &str = "02:00:00:00:00:99";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |driver: &'static str, need: Need, test: fn(&str)| {
        let needs = [Need::Root, Need::Netavark, Need::Macvlan, need];
        suite
            .test(format!("announce/{driver}"), &needs, move || test(driver))
            .proves(driver, &["announce"]);
    };
    let on_the_wire = |driver: &str| {
        let world = World::new();
        let connection = Connection::dual(&format!("wasm-{driver}"));
        neighbour_learns(&world, driver, &connection, "n0");
    };
    test("macvlan", Need::Macvlan, on_the_wire);
    test("macvlan-c", Need::Macvlan, on_the_wire);
    test("ipvlan", Need::Link(Kind::Ipvlan), on_the_wire);
    test("host-device", Need::Macvlan, |driver| {
        let world = World::new();
        remember_without_carrier(&world);
        let connection = Connection::dual("wasm-host-device");
        neighbour_learns(&world, driver, &connection, "n0");
    });
    test("sriov", Need::Vfs, |driver| {
        let world = sriov::world(1);
        neighbour_learns(&world, driver, &Connection::dual("wasm-sriov"), "n0");
    });
    test("vrf", Need::Link(Kind::Vrf), |driver| {
        let world = World::new();
        let connection = Connection::dual("wasm-vrf").option("vrf_name", "blue");
        neighbour_learns(&world, driver, &connection, "n0");
    });
    test("bridge", Need::Macvlan, |driver| {
        let world = World::new();
        let bridge = format!(
            "link add br0 up type bridge\nlink set {PARENT} master br0\nlink set {PARENT} up"
        );
        world.host.ip_batch(&[], &bridge);
        let state = || world.host.ip_batch(&[], "link show br0");
        let state = poll::until(state, |state| state.contains("state UP"));
        assert!(state.contains("state UP"), "{state}");
        let connection = Connection::dual("wasm-bridge")
            .network("network_interface", "br0")
            .option("mode", "unmanaged");
        neighbour_learns(&world, driver, &connection, "n0");
    });
    test("vxlan", Need::Link(Kind::Vxlan), |driver| {
        let world = World::new();
        vxlan::lay_vxlan(&world, "remote 10.89.0.200 dev n0");
        let connection = Connection::dual("wasm-vxlan")
            .without_network("network_interface")
            .option("id", "7")
            .option("remote", "10.89.0.1");
        neighbour_learns(&world, driver, &connection, "vx0");
    });
    test("vlan", Need::Link(Kind::Vlan), |driver| {
        let world = World::new();
        vlan::lay_vlan(&world, "802.1Q");
        let connection = Connection::dual("wasm-vlan").option("vlan", "7");
        neighbour_learns(&world, driver, &connection, "tagged");
    });
    suite
        .test(
            "announce/bridge: a managed one",
            &[Need::Root, Need::Netavark],
            managed_bridge,
        )
        .proves("bridge", &["announce"]);
}

/// Has the neighbour remember others while its wire leads nowhere, as behind a
/// switch. Older kernels always do.
fn remember_without_carrier(world: &World) {
    for setting in ["ipv4/conf/n0/arp", "ipv6/conf/n0/ndisc"] {
        let file = format!("/proc/sys/net/{setting}_evict_nocarrier");
        let written = world.neighbour.run(|| fs::write(&file, "0"));
        if let Err(error) = written {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{file}: {error}");
        }
    }
}

/// The host and the other containers learn at once where an address is now, unless the
/// user says no.
fn managed_bridge() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    let network = Connection::dual("wasm-bridge").network("network_interface", "br0");
    let other = Netns::new();
    let others = network
        .clone()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
    let up = installed.netavark.setup_at(&others, &other.path());
    up.expect("setup succeeds");
    let neighbours = [(&world.host, "br0"), (&other, INTERFACE)];
    let entries = || {
        let of = |(netns, device): (&Netns, &str)| {
            ADDRESSES.map(|it| netns.ip_batch(&[], &format!("neigh show {it} dev {device}")))
        };
        neighbours.map(of).concat()
    };
    let remember_another = || {
        for (netns, device) in neighbours {
            let entry = |it| format!("neigh replace {it} lladdr {STALE} dev {device} nud stale\n");
            netns.ip_batch(&[], &ADDRESSES.map(entry).concat());
        }
    };
    remember_another();
    installed.connect(&network);
    let mac = Dump::of(&world.container).mac(INTERFACE);
    let knows = |entries: &Vec<String>| entries.iter().all(|entry| entry.contains(&mac));
    let known = poll::until(entries, knows);
    assert!(knows(&known), "{mac}: {known:?}");
    installed
        .netavark
        .teardown(&network)
        .expect("teardown succeeds");
    remember_another();
    let silent = network.option("announce", "false");
    installed.connect(&silent);
    let known = entries();
    assert!(known.iter().all(|entry| entry.contains(STALE)), "{known:?}");
    installed
        .netavark
        .teardown(&silent)
        .expect("teardown succeeds");
    let down = installed.netavark.teardown_at(&others, &other.path());
    down.expect("teardown succeeds");
}

/// Only where it's asked for.
fn neighbour_learns(world: &World, driver: &str, connection: &Connection, device: &str) {
    let installed = match driver {
        // It has the grant of the one in Rust.
        "macvlan-c" => Installed::with(world, driver, &Grant::example("macvlan")),
        driver => Installed::example(world, driver),
    };
    let known = |address: &str| {
        let entry = format!("neigh show {address} dev {device}");
        world.neighbour.ip_batch(&[], &entry)
    };
    for address in ADDRESSES {
        world.neighbour.ip(&format!(
            "neigh replace {address} lladdr {STALE} dev {device} nud stale"
        ));
    }
    installed.try_out(connection, |_| {
        for address in ADDRESSES {
            assert!(known(address).contains(STALE), "{}", known(address));
        }
    });
    let announced = connection.clone().option("announce", "true");
    installed.try_out(&announced, |container| {
        let mac = container.mac(INTERFACE);
        for address in ADDRESSES {
            let entry = poll::until(|| known(address), |entry| entry.contains(&mac));
            assert!(entry.contains(&mac), "{entry}");
        }
    });
    let wrong = connection.clone().option("announce", "yes");
    installed.refuses(&wrong, "unable to parse \"announce\"");
}
