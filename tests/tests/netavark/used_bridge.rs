//! Managed networks whose bridge is there already: it is used, and stays when the last
//! container goes.

use std::fs;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE, mapping};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{cannot_connect, from};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::error_of;
use wasmvark_tests::wire;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;
use crate::nat;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const VLANS: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::VlanBridge)];
const VRF: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Vrf)];
const DRIVER: &str = "wasm-bridge";
const BRIDGE: &str = "br0";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("used bridge/{name}"), needs, test)
    };
    test("gets what is missing", NEEDS, gets_what_is_missing).proves("bridge", &["mode"]);
    test("keeps what it has", NEEDS, keeps_what_it_has);
    test("several containers", NEEDS, several_containers);
    test("another machine is the gateway", NEEDS, other_gateway);
    test("published ports", NEEDS, published_ports);
    test("internal", NEEDS, internal);
    test("the MTU", NEEDS, mtu).proves("bridge", &["mtu"]);
    test("vlan", VLANS, vlan);
    test("a VRF", VRF, vrf).proves("bridge", &["vrf"]);
    test("a port that joins", NEEDS, port_that_joins);
    test("a container that is gone", NEEDS, gone_container);
    test("a lost journal", NEEDS, lost_journal);
    test("no bridge", NEEDS, no_bridge);
    test("another network's, in use", NEEDS, anothers_in_use);
    test("another network's, in create", NEEDS, anothers_in_create);
}

fn dual() -> Connection {
    Connection::dual(DRIVER).network("network_interface", BRIDGE)
}

/// The same network for another container, with the addresses that end in 3.
fn another() -> Connection {
    dual()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"])
}

/// Somebody's bridge, which is down. It has had a port: the first one raises the size of
/// segments for good (`netif_inherit_tso_max`).
fn lay_bridge(world: &World) {
    world.host.ip_batch(
        &[],
        &format!(
            "link add {BRIDGE} address 02:00:00:00:00:b0 type bridge\n\
             link add first type veth peer first-peer\nlink set first master {BRIDGE}\n\
             link del first"
        ),
    );
}

fn gets_what_is_missing() {
    let world = World::forwarding();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    let connection = dual().option("promiscuous", "true");
    installed.try_out(&connection, |_| {
        let host = Dump::of(&world.host);
        assert!(host.is_up(BRIDGE));
        assert_eq!(host.cidrs(BRIDGE), ["10.88.0.1/16", "fd88::1/64"]);
        assert_eq!(host.setting("ipv6/conf/br0/accept_ra"), Some("0"));
        for (own, gateway) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
            echo::exchange((&world.container, own), (&world.host, gateway));
        }
    });
    assert!(Dump::of(&world.host).has_link(BRIDGE));
}

/// The firewall closes it, and opens it again.
fn internal() {
    let world = nat::world();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    let connection = dual().network("internal", true);
    let [neighbour, _] = nat::NEIGHBOUR;
    let to = nat::at(neighbour, 7);
    installed.try_out(&connection, |_| {
        world.container.ip("route add default via 10.88.0.1");
        let client = from(&world.container);
        cannot_connect(Tcp, client, &to, (&world.neighbour, &to));
        echo::exchange((&world.container, "10.88.0.2"), (&world.host, "10.88.0.1"));
    });
    assert!(Dump::of(&world.host).has_link(BRIDGE));
}

fn keeps_what_it_has() {
    let world = World::forwarding();
    lay_bridge(&world);
    let own = [
        "addr add 10.88.0.1/16 dev br0",
        "addr add 203.0.113.1/24 dev br0",
        "link set br0 up promisc on",
        "route add 198.51.100.0/24 via 203.0.113.2",
    ];
    world.host.ip_batch(&[], &own.join("\n"));
    let installed = Installed::example(&world, "bridge");
    let connection = dual().option("promiscuous", "true");
    installed.try_out(&connection, |_| {
        echo::exchange((&world.container, "10.88.0.2"), (&world.host, "10.88.0.1"));
    });
    let host = Dump::of(&world.host);
    assert!(host.cidrs(BRIDGE).contains(&"10.88.0.1/16".to_owned()));
    assert!(host.is_up(BRIDGE));
}

/// The last one takes away what the first one added.
fn several_containers() {
    let world = World::forwarding();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    let before = world.dump();
    let (other, third) = (Netns::new(), Netns::new());
    let three = dual()
        .container("fedcba9876543210")
        .join("static_ips", vec!["10.88.0.4", "fd88::4"]);
    let up = |connection: &Connection, netns: &Netns| {
        let netavark = &installed.netavark;
        netavark
            .setup_at(connection, &netns.path())
            .expect("setup succeeds");
    };
    let down = |connection: &Connection, netns: &Netns| {
        let netavark = &installed.netavark;
        let gone = netavark.teardown_at(connection, &netns.path());
        gone.expect("teardown succeeds");
    };
    up(&dual(), &world.container);
    up(&another(), &other);
    echo::exchange((&world.container, "10.88.0.2"), (&other, "10.88.0.3"));
    down(&dual(), &world.container);
    for (own, gateway) in [("10.88.0.3", "10.88.0.1"), ("fd88::3", "fd88::1")] {
        echo::exchange((&other, own), (&world.host, gateway));
    }
    up(&three, &third);
    down(&another(), &other);
    echo::exchange((&third, "fd88::4"), (&world.host, "fd88::1"));
    assert!(Dump::of(&world.host).is_up(BRIDGE));
    down(&three, &third);
    world.assert_unchanged(&before);
}

/// The bridge's port leads to a machine that has the gateways' addresses. The host
/// doesn't take them from it.
fn other_gateway() {
    let world = World::forwarding();
    lay_bridge(&world);
    world.host.ip_batch(
        &[],
        &format!("link set {PARENT} master {BRIDGE}\nlink set {BRIDGE} up"),
    );
    wire::wait_for_carrier(&world.host, BRIDGE);
    let installed = Installed::example(&world, "bridge");
    installed.try_out(&dual().option("masquerade", "false"), |_| {
        assert!(Dump::of(&world.host).cidrs(BRIDGE).is_empty());
        for (own, beyond) in [("10.88.0.2", "192.0.2.1"), ("fd88::2", "2001:db8::1")] {
            installed.reaches(own, beyond);
        }
    });
    // The host is at the subnet with another address.
    world.host.ip("addr add 10.88.0.250/16 dev br0");
    installed.try_out(&dual(), |_| {
        assert_eq!(Dump::of(&world.host).cidrs(BRIDGE), ["10.88.0.250/16"]);
        installed.reaches("10.88.0.2", "10.88.0.1");
    });
}

fn published_ports() {
    let world = World::forwarding();
    lay_bridge(&world);
    world
        .host
        .ip(&format!("addr add 10.89.0.250/16 dev {PARENT}"));
    let installed = Installed::example(&world, "bridge");
    let connection = dual().port(mapping("", 8080, 80, 1, "udp"));
    installed.try_out(&connection, |_| {
        let setting = "ipv4/conf/br0/route_localnet";
        assert_eq!(Dump::of(&world.host).setting(setting), Some("1"));
    });
}

fn mtu() {
    let world = World::forwarding();
    lay_bridge(&world);
    // From now on it doesn't follow the ports'.
    world.host.ip("link set br0 mtu 9000");
    let installed = Installed::example(&world, "bridge");
    for (connection, expected) in [(dual(), 9000), (dual().option("mtu", "1400"), 1400)] {
        installed.try_out(&connection, |container| {
            assert_eq!(container.mtu(INTERFACE), expected);
            assert_eq!(Dump::of(&world.host).mtu(BRIDGE), 9000);
        });
    }
}

/// VLAN filtering is turned on, and off again.
fn vlan() {
    let world = World::forwarding();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    let connection = dual().option("vlan", "7");
    let filters = || {
        Dump::of(&world.host)
            .kind_data(BRIDGE, "vlan_filtering")
            .clone()
    };
    assert_eq!(filters(), 0);
    let other = Netns::new();
    let second = another().option("vlan", "7");
    installed.try_out(&connection, |_| {
        assert_eq!(filters(), 1);
        let up = installed.netavark.setup_at(&second, &other.path());
        up.expect("setup succeeds");
        echo::exchange((&world.container, "10.88.0.2"), (&other, "10.88.0.3"));
        let down = installed.netavark.teardown_at(&second, &other.path());
        down.expect("teardown succeeds");
        assert_eq!(filters(), 1);
    });
    assert_eq!(filters(), 0);
}

/// The bridge is in the VRF that the user names, or isn't used.
fn vrf() {
    let world = World::forwarding();
    lay_bridge(&world);
    world
        .host
        .ip_batch(&[], "link add blue type vrf table 77\nlink set blue up");
    let installed = Installed::example(&world, "bridge");
    let connection = dual().option("vrf", "blue");
    let before = world.dump();
    let error = installed.netavark.setup(&connection).unwrap_err();
    assert!(
        error.contains("br0 is there already and isn't in VRF blue"),
        "{error}"
    );
    world.assert_unchanged(&before);
    world.host.ip("link set br0 master blue");
    installed.try_out(&connection, |_| {
        let host = Dump::of(&world.host);
        assert_eq!(host.cidrs(BRIDGE), ["10.88.0.1/16", "fd88::1/64"]);
        let shown = world.host.ip_batch(&["-o"], "route show table 77");
        assert!(shown.contains("10.88.0.0/16 dev br0"), "{shown}");
    });
}

/// Somebody plugs a link in. The bridge stays up for it.
fn port_that_joins() {
    let world = World::forwarding();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    installed.connect(&dual());
    let port = "link add late type veth peer late-peer\nlink set late master br0 up";
    world.host.ip_batch(&[], port);
    installed.disconnect(&dual());
    let host = Dump::of(&world.host);
    assert!(host.is_up(BRIDGE));
    assert!(host.cidrs(BRIDGE).is_empty());
}

/// `gc` takes its things away, and leaves the bridge.
fn gone_container() {
    let world = World::forwarding();
    lay_bridge(&world);
    let installed = Installed::example(&world, "bridge");
    let before = Dump::of(&world.host);
    let gone = Netns::new();
    let up = installed.netavark.setup_at(&dual(), &gone.path());
    up.expect("setup succeeds");
    drop(gone);
    installed.wasmvark.gc_until("1 cleared");
    assert_unchanged(&world.host, &before, "the host");
}

/// Without a record, nobody knows whose the bridge is.
fn lost_journal() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    let gone = Netns::new();
    let up = installed.netavark.setup_at(&dual(), &gone.path());
    up.expect("setup succeeds");
    drop(gone);
    // The kernel takes the container's link away a little later.
    let ports = || world.host.ip_batch(&["-o"], "link show master br0");
    assert_eq!(poll::until(ports, String::is_empty), "");
    fs::remove_dir_all(installed.wasmvark.root().join("run")).expect("it can be removed");
    installed.connect(&dual());
    echo::exchange((&world.container, "10.88.0.2"), (&world.host, "10.88.0.1"));
    installed.disconnect(&dual());
    assert!(Dump::of(&world.host).has_link(BRIDGE));
}

fn no_bridge() {
    let world = World::forwarding();
    world.host.ip("link add br0 type veth peer br0-peer");
    let installed = Installed::example(&world, "bridge");
    let before = world.dump();
    let why = "bridge interface br0 already exists but is a veth interface";
    let error = installed.netavark.setup(&dual()).unwrap_err();
    assert!(error.contains(why), "{error}");
    assert!(error.contains("--interface-name"), "{error}");
    installed.refuses(&dual(), why);
    world.assert_unchanged(&before);
}

/// The bridge that the containers of another network made isn't the host's.
fn anothers_in_use() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    installed.connect(&dual());
    let other = Netns::new();
    let second = another().network("id", "another").network("name", "second");
    let document = second.for_plugin();
    let netns = other.path();
    let arguments = ["setup", &*netns.to_string_lossy()];
    let output = installed.wasmvark.plugin(DRIVER, &arguments, document);
    let error = error_of(&output);
    let network = dual().network_id().to_owned();
    assert!(
        error.contains("br0 is the bridge of the network"),
        "{error}"
    );
    assert!(error.contains(&network), "{error}");
    installed.disconnect(&dual());
}

/// Podman's own networks count, and those of this project's drivers that manage their
/// bridge.
fn anothers_in_create() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    let networks = world.file("networks");
    fs::create_dir(&networks).expect("a folder can be made");
    let conf = world.file("containers.conf");
    let text = format!("[network]\nnetwork_config_dir = {networks:?}\n");
    fs::write(&conf, text).expect("a file can be written");
    let create = |driver: &str, mode: &str, id: &str| {
        let other = json!({
            "name": "theirs", "id": id, "driver": driver, "network_interface": BRIDGE,
            "options": {"mode": mode},
        });
        let file = networks.join("theirs.json");
        fs::write(file, other.to_string()).expect("a file can be written");
        let mut plugin = installed.wasmvark.plugin_command(DRIVER);
        plugin.env("CONTAINERS_CONF", &conf).arg("create");
        wasmvark_tests::process::run(&mut plugin, dual().for_create().as_bytes())
    };
    for driver in ["bridge", DRIVER] {
        let error = error_of(&create(driver, "managed", "theirs"));
        assert!(
            error.contains("br0 is the bridge of the network theirs"),
            "{error}"
        );
    }
    for (driver, mode, id) in [
        (DRIVER, "unmanaged", "theirs"),
        ("macvlan", "bridge", "theirs"),
        (DRIVER, "managed", dual().network_id()),
    ] {
        let output = create(driver, mode, id);
        assert_eq!(output.code, Some(0), "{output:?}");
    }
}
