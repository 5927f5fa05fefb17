//! The frames that pass the ports of a bridge, and the VRF of a bridge.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::wire;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
const MACVLAN: &[Need] = &[Need::Root, Need::Netavark, Need::Macvlan];
const VLANS: &[Need] = &[
    Need::Root,
    Need::Netavark,
    Need::Link(Kind::VlanBridge),
    Need::Link(Kind::Vlan),
];
const VRF: &[Need] = &[Need::Root, Need::Netavark, Need::Link(Kind::Vrf)];

const DRIVER: &str = "wasm-bridge";
const BRIDGE: &str = "br0";
/// The host's end of the container's link.
const END: &str = "end0";
/// Addresses of containers of one network, and of its gateways.
const PAIRS: [[&str; 3]; 2] = [
    ["10.88.0.2", "10.88.0.3", "10.88.0.1"],
    ["fd88::2", "fd88::3", "fd88::1"],
];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("bridge ports/{name}"), needs, test)
    };
    test("port_isolation", NEEDS, port_isolation).proves("bridge", &["port_isolation"]);
    test("hairpin", MACVLAN, hairpin).proves("bridge", &["hairpin"]);
    test("promiscuous", NEEDS, promiscuous).proves("bridge", &["promiscuous"]);
    test("vlan", VLANS, vlan).proves("bridge", &["vlan"]);
    test("vlan of an unmanaged bridge", VLANS, vlan_of_unmanaged).proves("bridge", &["vlan"]);
    let trunks = ["trunk", "native_vlan"];
    test("trunk of an unmanaged bridge", VLANS, trunk_of_unmanaged).proves("bridge", &trunks);
    test("trunk", VLANS, trunk).proves("bridge", &trunks);
    test("a bridge that doesn't filter", NEEDS, no_filtering);
    test("vrf", VRF, vrf).proves("bridge", &["vrf"]);
    test("create refuses", NEEDS, create_refuses);
}

fn dual() -> Connection {
    Connection::dual(DRIVER)
        .network("network_interface", BRIDGE)
        .join("options", serde_json::json!({"host_interface_name": END}))
}

/// The same network for another container, with the addresses that end in 3.
fn another(connection: &Connection) -> Connection {
    connection
        .clone()
        .container("0123456789abcdef")
        .without_join("options")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"])
}

/// Connects the world's container and another one, has them looked at, and
/// checks that nothing is left.
fn with_two(world: &World, connection: &Connection, check: impl FnOnce(&Netns)) {
    let installed = Installed::example(world, "bridge");
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let second = another(connection);
    installed.try_out(connection, |_| {
        installed
            .netavark
            .setup_at(&second, &other.path())
            .expect("setup succeeds");
        check(&other);
        installed
            .netavark
            .teardown_at(&second, &other.path())
            .expect("teardown succeeds");
    });
    assert_unchanged(&other, &other_before, "the other container");
}

/// Containers reach the gateway, but not each other.
fn port_isolation() {
    let world = World::forwarding();
    let connection = dual().option("port_isolation", "true");
    with_two(&world, &connection, |other| {
        assert_eq!(*Dump::of(&world.host).port_data(END, "isolated"), true);
        for [own, others, gateway] in PAIRS {
            echo::exchange((&world.container, own), (&world.host, gateway));
            echo::exchange((other, others), (&world.host, gateway));
            echo::silence((&world.container, own), (other, others));
            echo::silence((other, others), (&world.container, own));
        }
    });
}

/// Two links inside the container that see each other through the switch only,
/// which must send frames back.
fn hairpin() {
    for (value, passes) in [("true", true), ("false", false)] {
        let world = World::forwarding();
        let installed = Installed::example(&world, "bridge");
        let connection = dual().option("hairpin", value);
        installed.try_out(&connection, |_| {
            let inner = [("m4", "10.88.0.4"), ("m5", "10.88.0.5")].map(|(link, address)| {
                let netns = Netns::new();
                world.container.ip(&format!(
                    "link add {link} link {INTERFACE} netns {} type macvlan mode vepa",
                    netns.path().display()
                ));
                netns.ip_batch(
                    &[],
                    &format!("addr add {address}/16 dev {link}\nlink set {link} up"),
                );
                (netns, address)
            });
            let [one, two] = inner.each_ref().map(|(netns, address)| (netns, *address));
            echo::exchange(one, (&world.host, "10.88.0.1"));
            match passes {
                true => echo::exchange(one, two),
                false => echo::silence(one, two),
            }
            for (netns, link) in [(one.0, "m4"), (two.0, "m5")] {
                netns.ip(&format!("link del {link}"));
            }
        });
    }
}

fn promiscuous() {
    let world = World::forwarding();
    let connection = dual().option("promiscuous", "true");
    with_two(&world, &connection, |other| {
        assert!(Dump::of(&world.host).has_flag(BRIDGE, "PROMISC"));
        for [own, others, gateway] in PAIRS {
            echo::exchange((&world.container, own), (other, others));
            echo::exchange((&world.container, own), (&world.host, gateway));
        }
    });
}

/// Containers and the gateways, which the bridge has, are in the VLAN and in no
/// other.
fn vlan() {
    let world = World::forwarding();
    let connection = dual().option("vlan", "7");
    with_two(&world, &connection, |other| {
        let vlans = Dump::of(&world.host).vlans();
        for port in [BRIDGE, END] {
            let prefix = format!("{port} ");
            let its: Vec<_> = vlans
                .iter()
                .filter(|line| line.starts_with(&prefix))
                .collect();
            assert_eq!(its, [&format!("{port} 7 pvid untagged")]);
        }
        for [own, others, gateway] in PAIRS {
            echo::exchange((&world.container, own), (other, others));
            echo::exchange((&world.container, own), (&world.host, gateway));
            echo::exchange((&world.host, gateway), (other, others));
        }
    });
}

/// Somebody's bridge that filters VLANs, with the wire to the neighbour as a
/// trunk in it, on which the neighbour has the gateways' addresses in VLAN 7.
fn lay_trunk(world: &World) {
    let host = [
        format!("link add {BRIDGE} address 02:00:00:00:00:b0 type bridge vlan_filtering 1"),
        format!("link set {PARENT} master {BRIDGE}"),
        format!("link set {BRIDGE} up"),
    ];
    world.host.ip_batch(&[], &host.join("\n"));
    wire::wait_for_carrier(&world.host, BRIDGE);
    let mut bridge = world.host.command("bridge");
    let trunk = ["vlan", "add", "vid", "2-20", "dev", PARENT];
    assert_eq!(process::run(bridge.args(trunk), b"").code, Some(0));
    let neighbour = [
        "link add n0.7 link n0 type vlan id 7",
        "link add n0.10 link n0 type vlan id 10",
        "addr del 10.88.0.1/16 dev n0",
        "addr del fd88::1/64 dev n0",
        "addr add 10.88.0.1/16 dev n0.7",
        "addr add fd88::1/64 dev n0.7",
        "addr add 10.10.0.1/24 dev n0.10",
        "addr add fd10::1/64 dev n0.10",
        "link set n0.7 up",
        "link set n0.10 up",
    ];
    world.neighbour.ip_batch(&[], &neighbour.join("\n"));
}

/// The container's frames have a tag on the wire.
fn vlan_of_unmanaged() {
    let world = World::forwarding();
    lay_trunk(&world);
    let installed = Installed::example(&world, "bridge");
    let unmanaged = dual().option("mode", "unmanaged");
    let seven = unmanaged.clone().option("vlan", "7");
    installed.try_out(&seven, |_| {
        for [own, _, gateway] in PAIRS {
            installed.reaches(own, gateway);
        }
        installed.reaches("10.88.0.2", "192.0.2.1");
        installed.reaches("fd88::2", "2001:db8::1");
    });
    installed.try_out(&unmanaged.option("vlan", "8"), |_| {
        for [own, _, gateway] in PAIRS {
            echo::silence((&world.container, own), (&world.neighbour, gateway));
        }
    });
}

/// Frames without a tag are in VLAN 7 on the wire; those with tag 10 pass as
/// they are, those with tag 11 don't pass.
fn trunk_of_unmanaged() {
    let world = World::forwarding();
    lay_trunk(&world);
    let installed = Installed::example(&world, "bridge");
    let connection = dual()
        .option("mode", "unmanaged")
        .option("trunk", "9-10,12")
        .option("native_vlan", "7");
    installed.try_out(&connection, |_| {
        let vlans = Dump::of(&world.host).vlans();
        let its: Vec<_> = vlans.iter().filter(|line| line.starts_with(END)).collect();
        let expected = ["end0 10", "end0 12", "end0 7 pvid untagged", "end0 9"];
        let mut its: Vec<_> = its.iter().map(|line| line.as_str()).collect();
        its.sort_unstable();
        assert_eq!(its, expected);
        for [own, _, gateway] in PAIRS {
            installed.reaches(own, gateway);
        }
        let commands = [
            "link add v10 link eth0 type vlan id 10",
            "link add v11 link eth0 type vlan id 11",
            "addr add 10.10.0.2/24 dev v10",
            "addr add fd10::2/64 dev v10",
            "link set v10 up",
            "link set v11 up",
        ];
        world.container.ip_batch(&[], &commands.join("\n"));
        installed.reaches("10.10.0.2", "10.10.0.1");
        installed.reaches("fd10::2", "fd10::1");
        world.container.ip("addr add 10.11.0.2/24 dev v11");
        world.neighbour.ip_batch(
            &[],
            "link add n0.11 link n0 type vlan id 11\naddr add 10.11.0.1/24 dev n0.11\n\
             link set n0.11 up",
        );
        echo::silence(
            (&world.container, "10.11.0.2"),
            (&world.neighbour, "10.11.0.1"),
        );
        world.container.ip_batch(&[], "link del v10\nlink del v11");
    });
}

/// Tagged frames pass between the containers, untagged ones to the gateways.
fn trunk() {
    let world = World::forwarding();
    let connection = dual().option("trunk", "10").option("native_vlan", "5");
    with_two(&world, &connection, |other| {
        for [own, others, gateway] in PAIRS {
            echo::exchange((&world.container, own), (other, others));
            echo::exchange((&world.container, own), (&world.host, gateway));
        }
        for (netns, address) in [(&world.container, "10.10.0.2"), (other, "10.10.0.3")] {
            netns.ip_batch(
                &[],
                &format!(
                    "link add v10 link eth0 type vlan id 10\naddr add {address}/24 dev v10\n\
                     link set v10 up"
                ),
            );
        }
        echo::exchange((&world.container, "10.10.0.2"), (other, "10.10.0.3"));
        world.container.ip("link del v10");
    });
    // Without a native VLAN nothing passes that has no tag.
    let alone = Connection::new(DRIVER)
        .network("network_interface", BRIDGE)
        .ipam("none")
        .without_join("static_ips")
        .option("trunk", "10");
    let installed = Installed::example(&world, "bridge");
    installed.try_out(&alone, |_| {
        let vlans = Dump::of(&world.host).vlans();
        assert!(!vlans.concat().contains("pvid"), "{vlans:?}");
    });
}

/// Somebody else's stays as it is, so the driver says what to do.
fn no_filtering() {
    let world = World::forwarding();
    world.host.ip(&format!(
        "link add {BRIDGE} address 02:00:00:00:00:b0 type bridge"
    ));
    let installed = Installed::example(&world, "bridge");
    let before = world.dump();
    let unmanaged = dual().option("mode", "unmanaged");
    for connection in [
        unmanaged.clone().option("vlan", "7"),
        unmanaged.option("trunk", "7").option("native_vlan", "8"),
    ] {
        let error = installed.netavark.setup(&connection).unwrap_err();
        assert!(error.contains("bridge br0 doesn't filter VLANs"), "{error}");
        installed.refuses(&connection, "vlan_filtering 1");
    }
    world.assert_unchanged(&before);
}

/// The bridge's routes are in the VRF's table: what isn't in the VRF is out of
/// reach.
fn vrf() {
    let world = World::forwarding();
    let host = [
        "link add blue type vrf table 77".to_owned(),
        "link set blue up".to_owned(),
        format!("link set {PARENT} master blue"),
        format!("addr add 10.89.0.250/16 dev {PARENT}"),
        format!("addr add fd89::250/64 dev {PARENT} nodad"),
    ];
    world.host.ip_batch(&[], &host.join("\n"));
    world.neighbour.ip_batch(
        &[],
        "route add 10.77.0.0/24 via 10.89.0.250\nroute add fd77::/64 via fd89::250",
    );
    let installed = Installed::example(&world, "bridge");
    let connection = Connection::new(DRIVER)
        .network("network_interface", BRIDGE)
        .subnet("10.77.0.0/24", "10.77.0.1")
        .subnet("fd77::/64", "fd77::1")
        .ip("10.77.0.2")
        .ip("fd77::2")
        .option("masquerade", "false");
    let inside = connection.clone().option("vrf", "blue");
    installed.try_out(&inside, |_| {
        assert_eq!(
            Dump::of(&world.host).cidrs(BRIDGE),
            ["10.77.0.1/24", "fd77::1/64"]
        );
        installed.reaches("10.77.0.2", "10.89.0.1");
        installed.reaches("fd77::2", "fd89::1");
    });
    installed.try_out(&connection, |_| {
        echo::silence(
            (&world.container, "10.77.0.2"),
            (&world.neighbour, "10.89.0.1"),
        );
        echo::silence((&world.container, "fd77::2"), (&world.neighbour, "fd89::1"));
    });
    let none = connection.clone().option("vrf", PARENT);
    installed.refuses(&none, "p0 is no VRF");
    installed.refuses(&connection.option("vrf", "red"), "No such device");
}

fn create_refuses() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "bridge");
    for (option, value, why) in [
        ("vlan", "0", "\"0\" is not a whole number from 1 to 4094"),
        (
            "trunk",
            "10-9",
            "is not a list of at most 1024 numbers from 1 to 4094 or ranges of them",
        ),
        ("trunk", "10", "addresses need native_vlan"),
        ("native_vlan", "7", "native_vlan goes with trunk"),
        ("hairpin", "yes", "unable to parse \"hairpin\""),
        ("port_isolation", "2", "unable to parse \"port_isolation\""),
        ("promiscuous", "on", "unable to parse \"promiscuous\""),
        ("vrf", "no/name", "the option vrf is not valid"),
    ] {
        installed.refuses(&dual().option(option, value), why);
    }
    let unmanaged = dual().option("mode", "unmanaged");
    let promiscuous = unmanaged.clone().option("promiscuous", "true");
    installed.refuses(
        &promiscuous,
        "promiscuous is not possible with mode unmanaged",
    );
    let vrf = unmanaged.option("vrf", "blue");
    installed.refuses(&vrf, "vrf is not possible with mode unmanaged");
}
