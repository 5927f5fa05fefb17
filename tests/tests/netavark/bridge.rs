//! Containers on a bridge of the host, which is made for the first one.

use wasmvark_tests::connection::{Connection, INTERFACE, mapping};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{connect, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netavark::{Netavark, assert_status_is_true};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::wire;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const DRIVER: &str = "wasm-bridge";
pub(crate) const BRIDGE: &str = "br0";
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("bridge/{name}"), NEEDS, test);
    test("packets between containers and the host", packets).proves("bridge", &["mode"]);
    test("options", options).proves("bridge", &["mtu", "metric", "no_default_route"]);
    test("ipam none", ipam_none);
    test("unmanaged", unmanaged).proves("bridge", &["mode"]);
    test("unmanaged, no such bridge", no_such_bridge);
    test("host_interface_name", host_interface_name).proves("bridge", &["host_interface_name"]);
    test("create chooses a name", create_chooses_a_name);
    test("a name by the option parent", name_by_option).proves("bridge", &["parent"]);
    test("create refuses", create_refuses);
    test("an unmanaged one publishes no ports", published_ports);
    test("settings of the host stay", settings_stay);
    test("the MTU of an unmanaged bridge", mtu_of_an_unmanaged_bridge);
    test("the MAC address stays", mac_address_stays);
}

fn dual() -> Connection {
    Connection::dual(DRIVER).network("network_interface", BRIDGE)
}

fn installed(world: &World) -> Netavark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install("bridge", DRIVER, &Grant::example("bridge"));
    wasmvark.netavark()
}

/// The same network for another container, with the addresses that end in 3.
fn another() -> Connection {
    dual()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"])
}

fn packets() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let (one, two) = (dual(), another());
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let status = netavark.setup(&one).expect("setup succeeds");
    let container = Dump::of(&world.container);
    assert_status_is_true(&status, &container, &one);
    assert_eq!(container.kind(INTERFACE), "veth");
    assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
    netavark
        .setup_at(&two, &other.path())
        .expect("setup succeeds");
    let host = Dump::of(&world.host);
    assert_eq!(host.cidrs(BRIDGE), ["10.88.0.1/16", "fd88::1/64"]);
    for (own, others, gateway) in [
        ("10.88.0.2", "10.88.0.3", "10.88.0.1"),
        ("fd88::2", "fd88::3", "fd88::1"),
    ] {
        echo::exchange((&world.container, own), (&other, others));
        echo::exchange((&world.container, own), (&world.host, gateway));
        echo::exchange((&world.host, gateway), (&other, others));
    }
    // The second goes on when the first is gone.
    netavark.teardown(&one).expect("teardown succeeds");
    echo::exchange((&world.host, "10.88.0.1"), (&other, "10.88.0.3"));
    netavark
        .teardown_at(&two, &other.path())
        .expect("teardown succeeds");
    world.assert_unchanged(&before);
    assert_unchanged(&other, &other_before, "the other container");
}

fn options() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let connection = dual()
        .join("static_mac", MAC)
        .option("mtu", "1400")
        .option("metric", "77");
    netavark.setup(&connection).expect("setup succeeds");
    let (host, container) = (Dump::of(&world.host), Dump::of(&world.container));
    assert_eq!(container.mac(INTERFACE), MAC);
    assert_eq!(container.mtu(INTERFACE), 1400);
    assert_eq!(host.mtu(BRIDGE), 1400);
    assert_eq!(host.setting("ipv6/conf/br0/accept_ra"), Some("0"));
    assert_eq!(
        container.made_routes(),
        [
            "default via 10.88.0.1 dev eth0 metric 77",
            "default via fd88::1 dev eth0 metric 77"
        ]
    );
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
    let connection = dual().option("no_default_route", "true");
    netavark.setup(&connection).expect("setup succeeds");
    assert!(Dump::of(&world.container).made_routes().is_empty());
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn ipam_none() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let connection = Connection::new(DRIVER)
        .network("network_interface", BRIDGE)
        .ipam("none")
        .without_join("static_ips");
    netavark.setup(&connection).expect("setup succeeds");
    assert!(Dump::of(&world.container).cidrs(INTERFACE).is_empty());
    assert!(Dump::of(&world.host).cidrs(BRIDGE).is_empty());
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// Somebody's bridge with the wire to the neighbour in it.
pub(crate) fn lay_bridge(world: &World) {
    world.host.ip_batch(
        &[],
        &format!(
            "link add {BRIDGE} address 02:00:00:00:00:b0 type bridge\n\
             link set {PARENT} master {BRIDGE}\nlink set {BRIDGE} up"
        ),
    );
    wire::wait_for_carrier(&world.host, BRIDGE);
}

fn unmanaged() {
    let world = World::forwarding();
    lay_bridge(&world);
    let netavark = installed(&world);
    let before = world.dump();
    let connection = dual().option("mode", "unmanaged");
    netavark.setup(&connection).expect("setup succeeds");
    assert!(Dump::of(&world.host).cidrs(BRIDGE).is_empty());
    for (own, beyond) in [("10.88.0.2", "192.0.2.1"), ("fd88::2", "2001:db8::1")] {
        echo::exchange((&world.container, own), (&world.neighbour, beyond));
    }
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn no_such_bridge() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let connection = dual().option("mode", "unmanaged");
    let error = netavark.setup(&connection).unwrap_err();
    assert!(error.contains("host:br0"), "{error}");
    assert!(error.contains("No such device"), "{error}");
    world.assert_unchanged(&before);
}

fn host_interface_name() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let options = serde_json::json!({"host_interface_name": "my-end"});
    let connection = dual().join("options", options);
    netavark.setup(&connection).expect("setup succeeds");
    assert_eq!(Dump::of(&world.host).kind("my-end"), "veth");
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn create_chooses_a_name() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let connection = Connection::v4(DRIVER);
    let network = netavark
        .create(&connection.clone().without_network("network_interface"))
        .expect("create succeeds");
    let name = network["network_interface"].as_str().unwrap();
    assert_eq!(name, format!("wv-{}", &connection.network_id()[..12]));
    assert!(name.len() <= 15);
    assert_eq!(network["dns_enabled"], false);
    let given = connection.network("network_interface", "mine");
    let network = netavark.create(&given).expect("create succeeds");
    assert_eq!(network["network_interface"], "mine");
}

fn name_by_option() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    let connection = installed.on_parent(Connection::dual(DRIVER), "br7");
    installed.try_out(&connection, |_| {
        let host = Dump::of(&world.host);
        assert_eq!(host.cidrs("br7"), ["10.88.0.1/16", "fd88::1/64"]);
        for (own, gateway) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
            echo::exchange((&world.container, own), (&world.host, gateway));
        }
    });
}

fn create_refuses() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let cases = [
        (
            dual().option("mode", "x"),
            "unable to parse \"mode\": \"x\" is not managed or unmanaged",
        ),
        (
            dual().option("colour", "red"),
            "unsupported wasm-bridge network option: colour",
        ),
        (
            dual()
                .option("mode", "unmanaged")
                .without_network("network_interface"),
            "no bridge is specified",
        ),
        (dual().option("mode", "unmanaged"), "No such device"),
        (
            dual()
                .option("mode", "unmanaged")
                .network("network_interface", PARENT),
            "p0 is no bridge",
        ),
    ];
    for (connection, error) in cases {
        let seen = netavark.create(&connection).unwrap_err();
        assert!(seen.contains(error), "{seen}\nshould contain\n{error}");
    }
}

/// Podman hands the ports to each network. One that can't publish them passes them over.
fn published_ports() {
    let world = World::forwarding();
    lay_bridge(&world);
    let netavark = installed(&world);
    let before = world.dump();
    let port = mapping("", 8080, 80, 1, "tcp");
    let unmanaged = dual().option("mode", "unmanaged").port(port.clone());
    let managed = Connection::new(DRIVER)
        .network("id", "1".repeat(64))
        .network("network_interface", "br1")
        .subnet("10.78.0.0/24", "10.78.0.1")
        .join("interface_name", "eth1")
        .join("static_ips", serde_json::json!(["10.78.0.2"]))
        .port(port);
    for connection in [&unmanaged, &managed] {
        netavark.setup(connection).expect("setup succeeds");
    }
    let server = (&world.container, "10.78.0.2:80");
    connect(Tcp, from(&world.host), "10.78.0.1:8080", server);
    for connection in [&unmanaged, &managed] {
        netavark.teardown(connection).expect("teardown succeeds");
    }
    world.assert_unchanged(&before);
}

/// `sysctl --system` sets what they need, as long as they need it.
fn settings_stay() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    let folder = installed.wasmvark.root().join("sysctl.d");
    let files = || -> Vec<String> {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut texts: Vec<String> = entries
            .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
            .collect();
        texts.sort();
        texts
    };
    let connection = dual().port(mapping("", 8080, 80, 1, "tcp"));
    let other = Netns::new();
    installed.connect(&connection);
    let [text] = &files()[..] else {
        panic!("{:?}", files());
    };
    for setting in [
        "net/ipv4/ip_forward = 1",
        "net/ipv4/conf/br0/rp_filter = 2",
        "net/ipv4/conf/br0/route_localnet = 1",
        "net/ipv6/conf/br0/accept_ra = 0",
    ] {
        assert!(
            text.lines().any(|line| line == setting),
            "{setting}: {text}"
        );
    }
    // What is the container's own isn't the host's.
    assert!(!text.contains(INTERFACE), "{text}");
    let netavark = &installed.netavark;
    let done = netavark.setup_at(&another(), &other.path());
    done.expect("setup succeeds");
    installed.disconnect(&connection);
    assert_eq!(files().len(), 1);
    let done = netavark.teardown_at(&another(), &other.path());
    done.expect("teardown succeeds");
    assert_eq!(files(), Vec::<String>::new());
}

/// A port with a smaller one would make it smaller.
fn mtu_of_an_unmanaged_bridge() {
    let world = World::forwarding();
    world.host.ip(&format!("link set {PARENT} mtu 9000"));
    world.neighbour.ip("link set n0 mtu 9000");
    lay_bridge(&world);
    let netavark = installed(&world);
    let before = world.dump();
    assert_eq!(before.host.mtu(BRIDGE), 9000);
    let connection = dual().option("mode", "unmanaged");
    netavark.setup(&connection).expect("setup succeeds");
    assert_eq!(Dump::of(&world.container).mtu(INTERFACE), 9000);
    assert_eq!(Dump::of(&world.host).mtu(BRIDGE), 9000);
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// Whatever containers come and go: who knows it need not learn another.
fn mac_address_stays() {
    let world = World::forwarding();
    let netavark = installed(&world);
    let before = world.dump();
    let other = Netns::new();
    let mac = || Dump::of(&world.host).mac(BRIDGE);
    netavark.setup(&dual()).expect("setup succeeds");
    let first = mac();
    // The kernel would choose the lowest one.
    let low = another().join("static_mac", "00:00:00:00:00:01");
    netavark
        .setup_at(&low, &other.path())
        .expect("setup succeeds");
    assert_eq!(mac(), first);
    netavark.teardown(&dual()).expect("teardown succeeds");
    assert_eq!(mac(), first);
    echo::exchange((&world.host, "10.88.0.1"), (&other, "10.88.0.3"));
    netavark
        .teardown_at(&low, &other.path())
        .expect("teardown succeeds");
    world.assert_unchanged(&before);
}
