//! What errors say about things that the user named: what is in the way, and the way out.

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const MACVLAN: &[Need] = &[Need::Root, Need::Netavark, Need::Macvlan];
const IPVLAN: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Ipvlan)];
const BOTH: &[Need] = &[
    Need::Root,
    Need::Netavark,
    Need::Macvlan,
    Need::Link(Kind::Ipvlan),
];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("reasons/{name}"), needs, test);
    };
    test("the container's name is taken", NEEDS, containers_name);
    test("the host's name is taken", NEEDS, hosts_name);
    test("an unmanaged bridge is missing", NEEDS, bridge_is_missing);
    test("a VRF is missing", NEEDS, vrf_is_missing);
    test("IPv6 is off", NEEDS, ipv6_is_off);
    test("macvlan: the parent is a port", MACVLAN, || port("macvlan"));
    test("macvlan: the parent is lo", MACVLAN, || loopback("macvlan"));
    test("macvlan: the parent is missing", MACVLAN, || {
        missing("macvlan");
    });
    test("macvlan: the parent is taken over", MACVLAN, taken_over);
    test("macvlan: the MTU", MACVLAN, mtu);
    test("macvlan: ipvlan links", BOTH, || {
        other_kind("macvlan", "ipvlan");
    });
    test("ipvlan: the parent is a port", IPVLAN, || port("ipvlan"));
    test("ipvlan: the parent is lo", IPVLAN, || loopback("ipvlan"));
    test("ipvlan: the parent is missing", IPVLAN, || {
        missing("ipvlan");
    });
    test("ipvlan: macvlan links", BOTH, || {
        other_kind("ipvlan", "macvlan");
    });
}

fn bridge() -> Connection {
    Connection::dual("wasm-bridge").network("network_interface", "br0")
}

fn on_parent(driver: &str, parent: &str) -> Connection {
    Connection::v4(&format!("wasm-{driver}")).network("network_interface", parent)
}

/// Checks that a setup fails, that it says all of these, and that it changes nothing.
#[track_caller]
fn says(world: &World, connection: &Connection, texts: &[&str]) {
    let driver = connection.driver().trim_start_matches("wasm-");
    let installed = Installed::example(world, driver);
    let before = world.dump();
    let error = installed.netavark.setup(connection).unwrap_err();
    for text in texts {
        assert!(error.contains(text), "{error}\nshould contain\n{text}");
    }
    world.assert_unchanged(&before);
}

fn containers_name() {
    let world = World::forwarding();
    world.container.ip("link add eth0 type veth peer other0");
    let texts = [
        "create veth pair: interface eth0 already exists on container namespace: Netlink error: \
         File exists (os error 17)",
        "eth0 is there already in the container's namespace, as a veth link",
    ];
    says(&world, &bridge(), &texts);
}

/// As netavark's own test has it: the name of the bridge.
fn hosts_name() {
    let world = World::forwarding();
    let connection = bridge().join("options", json!({"host_interface_name": "br0"}));
    let texts = [
        "create veth pair: interface eth0 already exists on container namespace or br0 exists on \
         host namespace: Netlink error: File exists (os error 17)",
        "br0 is there already in the host's namespace, as a bridge link",
        "host_interface_name",
    ];
    says(&world, &connection, &texts);
}

fn bridge_is_missing() {
    let world = World::forwarding();
    let texts = [
        "in unmanaged mode, the bridge must already exist on the host: Netlink error: No such \
         device (os error 19)",
        "host:br0",
        "`ip link` lists",
    ];
    says(&world, &bridge().option("mode", "unmanaged"), &texts);
}

fn vrf_is_missing() {
    let world = World::forwarding();
    let connection = bridge().option("vrf", "blue");
    let texts = [
        "get vrf to set up bridge interface: Netlink error: No such device (os error 19)",
        "host:blue",
    ];
    says(&world, &connection, &texts);
    let installed = Installed::example(&world, "bridge");
    installed.refuses(&connection, texts[0]);
}

fn ipv6_is_off() {
    const SETTING: &str = "ipv6/conf/default/disable_ipv6";
    let world = World::forwarding();
    world.host.set(SETTING, "1");
    let on_host = [
        "IPv6 is off in the host's namespace (net.ipv6.conf.br0.disable_ipv6 is 1)",
        "sysctl -w net.ipv6.conf.default.disable_ipv6=0",
    ];
    says(&world, &bridge(), &on_host);
    world.host.set(SETTING, "0");
    world.container.set(SETTING, "1");
    let in_container = [
        "IPv6 is off in the container's namespace (net.ipv6.conf.eth0.disable_ipv6 is 1)",
        "--sysctl net.ipv6.conf.default.disable_ipv6=0",
    ];
    says(&world, &bridge(), &in_container);
}

fn port(driver: &str) {
    let world = World::new();
    world.host.ip_batch(
        &[],
        &format!("link add br7 type bridge\nlink set {PARENT} master br7"),
    );
    let texts = [
        "Device or resource busy",
        "p0 is a port of br7, a bridge link",
        "`ip link set p0 nomaster`",
    ];
    says(&world, &on_parent(driver, PARENT), &texts);
}

fn loopback(driver: &str) {
    let world = World::new();
    let texts = ["Invalid argument", "lo leads nowhere"];
    says(&world, &on_parent(driver, "lo"), &texts);
}

fn missing(driver: &str) {
    let world = World::new();
    let texts = ["No such device", "host:nope", "`ip link` lists"];
    says(&world, &on_parent(driver, "nope"), &texts);
}

/// A passthru link has it, or another one keeps a passthru link from it.
fn taken_over() {
    let world = World::new();
    world
        .host
        .ip("link add all0 link p0 type macvlan mode passthru");
    let texts = ["Invalid argument", "all0 has taken p0 over (mode passthru)"];
    says(&world, &on_parent("macvlan", PARENT), &texts);
    let world = World::new();
    world
        .host
        .ip("link add one0 link p0 type macvlan mode bridge");
    let passthru = on_parent("macvlan", PARENT).option("mode", "passthru");
    let texts = ["Invalid argument", "one0 lies on p0", "must have alone"];
    says(&world, &passthru, &texts);
}

fn mtu() {
    let world = World::new();
    let texts = [
        "Invalid argument",
        "an MTU of 9000 is above the 1500 of p0",
        "`ip link set p0 mtu 9000`",
    ];
    let connection = on_parent("macvlan", PARENT).option("mtu", "9000");
    says(&world, &connection, &texts);
}

fn other_kind(driver: &str, other: &str) {
    let world = World::new();
    let link = format!("link add other0 link {PARENT} type {other}");
    world.host.ip(&link);
    let why = format!("other0 lies on p0 and is of kind {other}");
    says(&world, &on_parent(driver, PARENT), &[&why]);
}
