//! Containers with a link whose frames a program reads and writes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::tap::{self, TapReader};
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const DRIVER: &str = "wasm-tap";
const BRIDGE: &str = "br0";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("tap/{name}"), NEEDS, test);
    test("a program gets the packets", packets);
    let all = [
        "owner",
        "group",
        "multi_queue",
        "mtu",
        "metric",
        "no_default_route",
    ];
    test("options", options).proves("tap", &all);
    test("owner and group only", owner_and_group_only).proves("tap", &["owner", "group"]);
    test("ipam none", ipam_none);
    test("port of a bridge", port_of_a_bridge).proves("tap", &["bridge"]);
    test("port of a bridge, denied", bridge_denied);
    test("create refuses", create_refuses);
}

fn dual() -> Connection {
    Connection::dual(DRIVER).without_network("network_interface")
}

/// Sends packets to addresses that only a program knows which has the tap, and
/// checks that it gets them.
fn program_gets_packets(world: &World, addresses: [&str; 2]) {
    let reader = TapReader::start(&world.container);
    world.container.run(|| {
        for address in addresses {
            let address: IpAddr = address.parse().unwrap();
            let own: IpAddr = match address {
                IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            // Without a way to send there is an error each time.
            let socket = UdpSocket::bind((own, 0)).unwrap();
            socket.send_to(b"there", (address, 9)).unwrap();
        }
    });
    reader.sees_both();
}

/// What the container sends, a program that has the tap reads.
fn packets() {
    let world = World::new();
    let installed = Installed::example(&world, "tap");
    installed.try_out(&dual(), |container| {
        assert_eq!(container.link_names(), [INTERFACE, "lo"]);
        assert_eq!(container.kind_data(INTERFACE, "type"), "tap");
        assert_eq!(container.kind_data(INTERFACE, "persist"), true);
        assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.88.0.1 dev eth0 metric 100",
                "default via fd88::1 dev eth0 metric 100"
            ]
        );
        program_gets_packets(&world, ["10.88.0.1", "fd88::1"]);
    });
}

fn options() {
    let world = World::new();
    let installed = Installed::example(&world, "tap");
    let given = dual()
        .join("static_mac", MAC)
        .option("owner", "1001")
        .option("group", "1002")
        .option("multi_queue", "true")
        .option("mtu", "1400")
        .option("metric", "77");
    installed.try_out(&given, |container| {
        assert_eq!(container.mac(INTERFACE), MAC);
        assert_eq!(container.mtu(INTERFACE), 1400);
        for (field, value) in [("user", "1001"), ("group", "1002"), ("multi_queue", "true")] {
            let seen = container.kind_data(INTERFACE, field).to_string();
            assert_eq!(seen.trim_matches('"'), value, "{field}");
        }
        assert_eq!(
            container.made_routes(),
            [
                "default via 10.88.0.1 dev eth0 metric 77",
                "default via fd88::1 dev eth0 metric 77"
            ]
        );
    });
    let without = dual().option("no_default_route", "true");
    installed.try_out(&without, |container| {
        assert_eq!(container.kind_data(INTERFACE, "multi_queue"), false);
        assert!(container.made_routes().is_empty());
    });
}

fn owner_and_group_only() {
    let world = World::new();
    let installed = Installed::example(&world, "tap");
    for (option, value, ids) in [
        ("owner", "1001", ["1001", "1009"]),
        ("group", "1002", ["1009", "1002"]),
    ] {
        installed.try_out(&dual().option(option, value), |_| {
            let opened = tap::open_as(&world.container, ids);
            assert_eq!(opened.code, Some(0), "{option}: {opened:?}");
            let refused = tap::open_as(&world.container, ["1009", "1009"]);
            assert!(
                refused.stderr.contains("Operation not permitted"),
                "{option}: {refused:?}"
            );
        });
    }
}

fn no_addresses() -> Connection {
    Connection::new(DRIVER)
        .without_network("network_interface")
        .ipam("none")
        .without_join("static_ips")
}

fn ipam_none() {
    let world = World::new();
    let installed = Installed::example(&world, "tap");
    installed.try_out(&no_addresses(), |container| {
        assert!(container.is_up(INTERFACE));
        assert!(container.cidrs(INTERFACE).is_empty());
    });
}

/// The grant names the bridge, as the driver's page says.
fn port_of_a_bridge() {
    let world = World::new();
    lay_bridge(&world);
    let reach = format!("{{ link = \"container:{BRIDGE}\" }}");
    let grant = Grant::example("tap")
        .call("links.get", &reach)
        .call("links.set-master", &reach);
    let installed = Installed::with(&world, "tap", &grant);
    let connection = no_addresses().option("bridge", BRIDGE);
    installed.try_out(&connection, |_| {
        let mut ip = world.container.command("ip");
        let output = process::run(ip.args(["-o", "link", "show", "master", BRIDGE]), b"");
        assert!(output.stdout.contains(INTERFACE), "{output:?}");
        let commands = "addr add 10.79.0.2/24 dev v1\naddr add fd79::2/64 dev v1\nlink set v0 up\n\
                        link set v1 up";
        world.container.ip_batch(&[], commands);
        program_gets_packets(&world, ["10.79.0.1", "fd79::1"]);
        let commands = "link set v0 down\nlink set v1 down\naddr flush dev v1";
        world.container.ip_batch(&[], commands);
    });
}

/// The usual grant doesn't reach the bridge; the error says what would.
fn bridge_denied() {
    let world = World::new();
    lay_bridge(&world);
    let installed = Installed::example(&world, "tap");
    let before = world.dump();
    let connection = no_addresses().option("bridge", BRIDGE);
    let error = installed.netavark.setup(&connection).unwrap_err();
    assert!(error.contains("\"links.get\" = "), "{error}");
    world.assert_unchanged(&before);
}

fn lay_bridge(world: &World) {
    // What a bridge can send it takes from its first port, for ever.
    let commands = format!(
        "link add {BRIDGE} address 02:00:00:00:00:b0 type bridge\n\
         link add v0 master {BRIDGE} type veth peer v1\nlink set {BRIDGE} up"
    );
    world.container.ip_batch(&[], &commands);
}

fn create_refuses() {
    let world = World::new();
    let installed = Installed::example(&world, "tap");
    for (option, value, why) in [
        ("owner", "me", "unable to parse \"owner\""),
        ("group", "-1", "unable to parse \"group\""),
        ("multi_queue", "2", "unable to parse \"multi_queue\""),
        ("mac", MAC, "unsupported wasm-tap network option: mac"),
        ("mtu", "x", "mtu"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
}
