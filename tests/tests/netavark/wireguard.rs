//! Containers in tunnels to a peer that `wg` has configured.

use std::fs;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netavark::{Netavark, assert_status_is_true};
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Netavark,
    Need::Link(Kind::Wireguard),
    Need::WireguardTools,
];
const DRIVER: &str = "wasm-wireguard";

/// Two keys with the public ones that go with them (X25519, RFC 7748).
const OWN_KEY: &str = "AAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE=";
const OWN_PUBLIC_KEY: &str = "pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=";
const PEER_KEY: &str = "AAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAkI=";
const PEER_PUBLIC_KEY: &str = "zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=";
const SHARED_KEY: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("wireguard/{name}"), NEEDS, test);
    let all = [
        "private_key_secret",
        "listen_port",
        "peer.NAME.key",
        "peer.NAME.endpoint",
        "peer.NAME.allowed_ips",
        "peer.NAME.keepalive",
        "peer.NAME.preshared_key_secret",
        "mtu",
        "metric",
    ];
    test("packets to a peer, both families", packets).proves("wireguard", &all);
    let some = ["peer.NAME.allowed_ips", "no_default_route"];
    test("routes follow the peers", routes).proves("wireguard", &some);
    test("a key of the container's own", own_key).proves("wireguard", &["private_key_secret"]);
    test("mistakes", mistakes);
}

/// The kernel turns redirects off in a namespace whose tunnel is set up, and
/// leaves it so (`wg_open` in `drivers/net/wireguard/device.c`).
pub(crate) fn without_redirects(world: &World) {
    world.container.run(|| {
        fs::write("/proc/sys/net/ipv4/conf/all/send_redirects", "0").unwrap();
    });
}

fn installed(world: &World) -> (Wasmvark<'_>, Netavark<'_>) {
    without_redirects(world);
    let wasmvark = Wasmvark::new(world);
    wasmvark.install("wireguard", DRIVER, &Grant::wireguard());
    keep_secrets(&wasmvark);
    let netavark = wasmvark.netavark();
    (wasmvark, netavark)
}

/// Keeps the secrets that the requests name.
pub(crate) fn keep_secrets(wasmvark: &Wasmvark) {
    for (name, key) in [("own", OWN_KEY), ("shared", SHARED_KEY), ("bad", "AAAA")] {
        wasmvark.keep_secret(name, &format!("{key}\n"));
    }
}

fn dual() -> Connection {
    in_a_tunnel(Connection::dual(DRIVER))
}

/// The peer is behind the wire, and takes all addresses.
pub(crate) fn in_a_tunnel(connection: Connection) -> Connection {
    connection
        .without_network("network_interface")
        .without_join("static_mac")
        .option("private_key_secret", "own")
        .option("listen_port", "51821")
        .option("peer.neighbour.key", PEER_PUBLIC_KEY)
        .option("peer.neighbour.endpoint", "10.99.0.2:51820")
        .option("peer.neighbour.allowed_ips", "0.0.0.0/0 ::/0")
        .option("peer.neighbour.preshared_key_secret", "shared")
}

/// The gateways are behind a tunnel of the neighbour's, which knows the
/// container by its key.
fn lay_peer(world: &World) {
    world
        .host
        .ip_batch(&[], &format!("addr add 10.99.0.1/24 dev {PARENT}"));
    let commands = [
        "addr del 10.88.0.1/16 dev n0",
        "addr del fd88::1/64 dev n0",
        "addr add 10.99.0.2/24 dev n0",
        "link add wg0 type wireguard",
        "addr add 10.88.0.1/16 dev wg0",
        "addr add fd88::1/64 dev wg0 nodad",
        "link set wg0 up",
    ];
    world.neighbour.ip_batch(&[], &commands.join("\n"));
    let (key, shared) = (world.file("peer.key"), world.file("shared.key"));
    fs::write(&key, PEER_KEY).unwrap();
    fs::write(&shared, SHARED_KEY).unwrap();
    let mut wg = world.neighbour.command("wg");
    wg.args(["set", "wg0", "listen-port", "51820", "private-key"]);
    wg.arg(key).args(["peer", OWN_PUBLIC_KEY, "preshared-key"]);
    wg.arg(shared)
        .args(["allowed-ips", "10.88.0.2/32,fd88::2/128"]);
    let output = process::run(&mut wg, &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn packets() {
    let world = World::new();
    lay_peer(&world);
    let (_wasmvark, netavark) = installed(&world);
    let before = world.dump();
    let connection = dual()
        .option("mtu", "1380")
        .option("metric", "77")
        .option("peer.neighbour.keepalive", "25")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.1"}));
    let status = netavark.setup(&connection).expect("setup succeeds");
    let container = Dump::of(&world.container);
    assert!(status.interfaces.contains_key(INTERFACE));
    assert_status_is_true(&status, &container, &connection);
    assert_eq!(container.kind(INTERFACE), "wireguard");
    assert_eq!(container.mtu(INTERFACE), 1380);
    assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
    for (own, others) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
        echo::exchange((&world.container, own), (&world.neighbour, others));
        echo::exchange((&world.neighbour, others), (&world.container, own));
    }
    let mut wg = world.container.command("wg");
    let shown = process::run(wg.args(["show", INTERFACE]), &[]).stdout;
    for text in [
        OWN_PUBLIC_KEY,
        "listening port: 51821",
        "latest handshake",
        "every 25 seconds",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let routes = container.made_routes().join("\n");
    for text in ["10.90.0.0/24", "77"] {
        assert!(routes.contains(text), "{text}: {routes}");
    }
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// A default route that no peer takes would lead nowhere.
fn routes() {
    let world = World::new();
    let (_wasmvark, netavark) = installed(&world);
    let before = world.dump();
    let defaults = |connection: &Connection| {
        netavark.setup(connection).expect("setup succeeds");
        let container = Dump::of(&world.container);
        netavark.teardown(connection).expect("teardown succeeds");
        world.assert_unchanged(&before);
        let routes = container.made_routes();
        let of_family = |gateway: &str| routes.iter().any(|route| route.contains(gateway));
        [of_family("10.88.0.1"), of_family("fd88::1")]
    };
    assert_eq!(defaults(&dual()), [true, true]);
    let allowed = "peer.neighbour.allowed_ips";
    let some = |networks: &str| dual().option(allowed, networks);
    assert_eq!(defaults(&some("10.88.0.0/16 ::/0")), [false, true]);
    assert_eq!(defaults(&some("")), [false, false]);
    let none = dual().option("no_default_route", "true");
    assert_eq!(defaults(&none), [false, false]);
}

/// The container's option comes before the network's.
fn own_key() {
    let world = World::new();
    let (_wasmvark, netavark) = installed(&world);
    let before = world.dump();
    let connection = dual()
        .option("private_key_secret", "shared")
        .join("options", json!({"private_key_secret": "own"}));
    netavark.setup(&connection).expect("setup succeeds");
    let mut wg = world.container.command("wg");
    let shown = process::run(wg.args(["show", INTERFACE, "public-key"]), &[]).stdout;
    assert_eq!(shown.trim(), OWN_PUBLIC_KEY);
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn mistakes() {
    let world = World::new();
    let (wasmvark, netavark) = installed(&world);
    let before = world.dump();
    let with = |key: &str, value: &str| dual().option(key, value);
    for (connection, text) in [
        (with("private_key_secret", "none"), "there is no secret"),
        (with("private_key_secret", "bad"), "not a WireGuard key"),
        (
            with("private_key_secret", "../own"),
            "the value is not the name of a secret",
        ),
        (
            with("private_key_secret", ""),
            "private_key_secret is missing",
        ),
        (with("peer.neighbour.key", "AAAA"), "not a WireGuard key"),
        (
            with("peer.neighbour.allowed_ips", "10.0.0.0"),
            "\"10.0.0.0\" is not a list of at most 1024 subnets",
        ),
    ] {
        let error = netavark.setup(&connection).expect_err("setup fails");
        assert!(error.contains(text), "{error}");
        assert!(!error.contains(OWN_KEY), "{error}");
        world.assert_unchanged(&before);
    }
    // No trace of a key is kept.
    netavark.setup(&dual()).expect("setup succeeds");
    for kept in ["run", "log", "lib"] {
        let folder = wasmvark.root().join(kept);
        let mut grep = std::process::Command::new("grep");
        let found = process::run(grep.args(["-r", OWN_KEY]).arg(folder), &[]);
        assert_eq!(found.code, Some(1), "{found:?}");
    }
    netavark.teardown(&dual()).expect("teardown succeeds");
    world.assert_unchanged(&before);
}
