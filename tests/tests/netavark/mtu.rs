//! The MTU of links whose packets the host routes: that of the default route's link.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const VRF: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Vrf)];
const BRIDGE: &str = "br0";
/// The host's end of the container's link.
const END: &str = "end0";
const DRIVERS: [&str; 2] = ["bridge", "ptp"];

/// The sizes of the headers before a ping's data: IPv4's or IPv6's, and ICMP's.
const HEADERS: [(&str, u32); 2] = [("192.0.2.1", 28), ("2001:db8::1", 48)];

pub(crate) fn register(suite: &mut Suite) {
    for driver in DRIVERS {
        let mut test = |name: &str, test: fn(&str)| {
            suite.test(format!("mtu/{driver}: {name}"), NEEDS, move || test(driver))
        };
        test("packets of full size", packets_of_full_size).proves(driver, &["mtu"]);
        test("of IPv6's default route", of_ipv6);
        test("of the main table only", of_the_main_table);
        test("of the lowest metric", of_the_lowest_metric);
        test("of several next hops", of_several_next_hops);
        test("without a default route", without_a_default_route);
        test("below IPv6's", below_ipv6s);
        test("the option", the_option).proves(driver, &["mtu"]);
    }
    suite.test("mtu/a bridge keeps its own", NEEDS, bridge_keeps_its_own);
    suite
        .test("mtu/of the VRF's table", VRF, of_the_vrf)
        .proves("bridge", &["vrf"]);
}

/// A host that forwards, with an uplink of this MTU and no default route.
fn world(mtu: u32) -> World {
    let world = World::forwarding();
    world.host.ip_batch(
        &[],
        &format!(
            "link set {PARENT} mtu {mtu}\naddr add 10.89.0.250/16 dev {PARENT}\n\
             addr add fd89::250/64 dev {PARENT} nodad"
        ),
    );
    world.neighbour.ip_batch(
        &[],
        &format!(
            "link set n0 mtu {mtu}\nroute add 10.77.0.0/24 via 10.89.0.250\n\
             route add fd77::/64 via fd89::250"
        ),
    );
    world
}

/// Another link of the host that routes can lead through.
fn add_uplink(world: &World, name: &str, mtu: u32, subnet: u8) {
    let mut commands = format!(
        "link add {name} mtu {mtu} type veth peer {name}-peer\nlink set {name} up\n\
         link set {name}-peer up\naddr add 10.91.{subnet}.1/24 dev {name}"
    );
    // With less, there is no IPv6.
    if mtu >= 1280 {
        commands += &format!("\naddr add fd91:{subnet}::1/64 dev {name} nodad");
    }
    world.host.ip_batch(&[], &commands);
}

fn lead_out(world: &World) {
    world.host.ip_batch(
        &[],
        "route add default via 10.89.0.1\nroute add default via fd89::1",
    );
}

fn connection(driver: &str) -> Connection {
    let connection = Connection::new(&format!("wasm-{driver}"))
        .subnet("10.77.0.0/24", "10.77.0.1")
        .subnet("fd77::/64", "fd77::1")
        .ip("10.77.0.2")
        .ip("fd77::2")
        .network("ipv6_enabled", true)
        .option("masquerade", "false")
        .join("options", json!({"host_interface_name": END}));
    match driver {
        "bridge" => connection.network("network_interface", BRIDGE),
        _ => connection.without_network("network_interface"),
    }
}

/// Checks the MTU of all of a connection's links.
#[track_caller]
fn assert_mtu(world: &World, driver: &str, mtu: u32) {
    let (mtu, host) = (u64::from(mtu), Dump::of(&world.host));
    assert_eq!(Dump::of(&world.container).mtu(INTERFACE), mtu);
    assert_eq!(host.mtu(END), mtu);
    if driver == "bridge" {
        assert_eq!(host.mtu(BRIDGE), mtu);
    }
}

/// Connects a container, and checks its MTU.
#[track_caller]
fn gets(world: &World, driver: &str, connection: &Connection, mtu: u32) {
    let installed = Installed::example(world, driver);
    installed.try_out(connection, |_| assert_mtu(world, driver, mtu));
}

/// Whether a ping whose packets have a size and may not be split is answered.
fn pings(netns: &Netns, address: &str, size: u32) -> bool {
    let mut ping = netns.command("ping");
    let size = size.to_string();
    ping.args(["-c", "1", "-w", "5", "-M", "do", "-s", &size, address]);
    process::run(&mut ping, b"").code == Some(0)
}

fn packets_of_full_size(driver: &str) {
    for mtu in [1400, 1500, 9000] {
        let world = world(mtu);
        lead_out(&world);
        let installed = Installed::example(&world, driver);
        installed.try_out(&connection(driver), |_| {
            assert_mtu(&world, driver, mtu);
            for (address, headers) in HEADERS {
                let data = mtu - headers;
                assert!(pings(&world.container, address, data), "{address} {mtu}");
                let passes = pings(&world.container, address, data + 1);
                assert!(!passes, "{address} {mtu}");
            }
        });
    }
}

fn of_ipv6(driver: &str) {
    let world = world(1400);
    world.host.ip("route add default via fd89::1");
    gets(&world, driver, &connection(driver), 1400);
    // IPv4's goes before it.
    add_uplink(&world, "u1", 1350, 1);
    world.host.ip("route add default via 10.91.1.2 metric 7000");
    gets(&world, driver, &connection(driver), 1350);
}

fn of_the_main_table(driver: &str) {
    let world = world(1400);
    add_uplink(&world, "u1", 1300, 1);
    world
        .host
        .ip("route add default via 10.91.1.2 table 10 metric 1");
    gets(&world, driver, &connection(driver), 1500);
    lead_out(&world);
    add_uplink(&world, "u2", 3000, 2);
    world.host.ip("route add default via 10.91.2.2 table 900");
    gets(&world, driver, &connection(driver), 1400);
}

fn of_the_lowest_metric(driver: &str) {
    let world = world(1400);
    add_uplink(&world, "u1", 1300, 1);
    let routes = "route add default via 10.91.1.2 metric 200\n\
                  route add unreachable default metric 5\n\
                  route add default via 10.89.0.1 metric 100";
    world.host.ip_batch(&[], routes);
    gets(&world, driver, &connection(driver), 1400);
}

fn of_several_next_hops(driver: &str) {
    let routes = [
        "route add default nexthop via 10.89.0.1 nexthop via 10.91.1.2 nexthop via 10.91.2.2",
        "route add default nexthop via fd89::1 nexthop via fd91:1::2 nexthop via fd91:2::2",
    ];
    for route in routes {
        let world = world(1400);
        add_uplink(&world, "u1", 1330, 1);
        add_uplink(&world, "u2", 9000, 2);
        world.host.ip(route);
        gets(&world, driver, &connection(driver), 1330);
    }
}

fn without_a_default_route(driver: &str) {
    let world = world(1400);
    gets(&world, driver, &connection(driver), 1500);
}

/// IPv6 would be off on the links.
fn below_ipv6s(driver: &str) {
    let world = world(1400);
    add_uplink(&world, "u1", 1000, 1);
    world.host.ip("route add default via 10.91.1.2");
    gets(&world, driver, &connection(driver), 1280);
    let v4 = connection(driver)
        .network(
            "subnets",
            json!([{"subnet": "10.77.0.0/24", "gateway": "10.77.0.1"}]),
        )
        .network("ipv6_enabled", false)
        .join("static_ips", vec!["10.77.0.2"]);
    gets(&world, driver, &v4, 1000);
}

fn the_option(driver: &str) {
    let world = world(1400);
    lead_out(&world);
    let given = connection(driver).option("mtu", "1450");
    gets(&world, driver, &given, 1450);
    let zero = connection(driver).option("mtu", "0");
    gets(&world, driver, &zero, 1400);
}

/// The network's bridge has the MTU of the time when it was made, and so have all of
/// its containers.
fn bridge_keeps_its_own() {
    let world = world(1400);
    lead_out(&world);
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let one = connection("bridge");
    let two = one
        .clone()
        .container("0123456789abcdef")
        .without_join("options")
        .join("static_ips", vec!["10.77.0.3", "fd77::3"]);
    installed.connect(&one);
    world.host.ip(&format!("link set {PARENT} mtu 9000"));
    world.neighbour.ip("link set n0 mtu 9000");
    let second = installed.netavark.setup_at(&two, &other.path());
    second.expect("setup succeeds");
    assert_eq!(Dump::of(&other).mtu(INTERFACE), 1400);
    assert_mtu(&world, "bridge", 1400);
    let gone = installed.netavark.teardown_at(&two, &other.path());
    gone.expect("teardown succeeds");
    installed.disconnect(&one);
    gets(&world, "bridge", &one, 9000);
}

fn of_the_vrf() {
    let world = world(9000);
    lead_out(&world);
    add_uplink(&world, "u1", 1300, 1);
    let vrf = "link add blue type vrf table 77\nlink set blue up\nlink set u1 master blue\n\
               route add default via 10.91.1.2 table 77";
    world.host.ip_batch(&[], vrf);
    let inside = connection("bridge").option("vrf", "blue");
    gets(&world, "bridge", &inside, 1300);
    gets(&world, "bridge", &connection("bridge"), 9000);
}
