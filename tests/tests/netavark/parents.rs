//! Parents of other kinds, as large hosts have them.

use std::path::Path;
use std::process::Command;

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netavark::assert_status_is_true;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::nic::Nic;
use wasmvark_tests::poll;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::{Driver, NEEDS};

const HOST_DEVICE: &str = "wasm-host-device";

/// The neighbour's end of the wire.
const NEIGHBOUR: &str = "n0";

/// The parent that these tests make.
const UPLINK: &str = "uplink";

/// Registers what every macvlan driver must be able to do.
pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |kind: Kind, lay: fn(&World), check: fn(&World)| {
        let name = format!("{}/parent {}", driver.title, kind.title());
        suite.test(name, &needing(Need::Link(kind)), move || {
            above(driver, lay, check);
        });
    };
    // Nothing answers behind it.
    case(Kind::Dummy, lay_dummy, |_| ());
    case(Kind::Vlan, lay_vlan, reaches_out);
    case(Kind::Bond, lay_bond, reaches_out);
    case(Kind::VlanBridge, lay_bridge, reaches_out);
}

/// How a connection names a card.
type Naming = fn(Connection, &Nic) -> Connection;

/// All ways, with the words for the tests' names, and the options that they are.
const NAMINGS: [(&str, &[&str], Naming); 4] = [
    ("", &[], by_name),
    (" by its MAC address", &["hwaddr"], by_mac),
    (" by its PCI address", &["pci"], |connection, nic| {
        connection.option("pci", &nic.pci)
    }),
    (" by its path", &["kernelpath"], |connection, nic| {
        connection.option("kernelpath", &nic.path)
    }),
];

fn by_name(connection: Connection, nic: &Nic) -> Connection {
    connection.network("network_interface", &*nic.name)
}

fn by_mac(connection: Connection, nic: &Nic) -> Connection {
    connection.option("hwaddr", &nic.mac)
}

/// Registers what the driver that moves links must be able to do.
pub(crate) fn register_host_device(suite: &mut Suite) {
    let mut case = |name: &str, need: Need, test: fn()| {
        suite.test(format!("host-device/{name}"), &needing(need), test);
    };
    case("dummy", Need::Link(Kind::Dummy), dummy_must_be_named);
    case("vlan", Need::Link(Kind::Vlan), || {
        moves_and_comes_back("vlan", &Grant::host_device(), lay_vlan, reaches_out);
    });
    case("bond stays", Need::Link(Kind::Bond), bond_stays);
    case("network card of a dead namespace", Need::Nic, || {
        card_of_a_dead_namespace(by_name, false);
    });
    case(
        "network card of a dead namespace, name taken",
        Need::Nic,
        || card_of_a_dead_namespace(by_name, true),
    );
    case(
        "network card of a dead namespace by its MAC address",
        Need::Nic,
        || card_of_a_dead_namespace(by_mac, false),
    );
    for (words, options, naming) in NAMINGS {
        let name = format!("host-device/network card{words}");
        suite
            .test(name, &needing(Need::Nic), move || network_card(naming))
            .proves("host-device", options);
    }
}

fn needing(need: Need) -> Vec<Need> {
    [NEEDS, &[need]].concat()
}

fn lay_dummy(world: &World) {
    let dummy = Kind::Dummy.command(UPLINK, "");
    world.host.ip(&dummy);
    world.host.ip(&format!("link set {UPLINK} up"));
}

/// Both ends talk in tagged frames only.
fn lay_vlan(world: &World) {
    world.host.ip(&Kind::Vlan.command(UPLINK, PARENT));
    world.host.ip(&format!("link set {UPLINK} up"));
    world.neighbour.ip(&Kind::Vlan.command("tagged", NEIGHBOUR));
    give_neighbours_addresses_to(world, "tagged");
}

fn lay_bond(world: &World) {
    let commands = [
        format!("link add {UPLINK} type bond mode active-backup miimon 10"),
        format!("link set {PARENT} down"),
        format!("link set {PARENT} master {UPLINK}"),
        format!("link set {UPLINK} up"),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    wait_until_up(world);
}

fn lay_bridge(world: &World) {
    let commands = [
        Kind::VlanBridge.command(UPLINK, ""),
        format!("link set {PARENT} master {UPLINK}"),
        format!("link set {UPLINK} up"),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    wait_until_up(world);
}

/// The gateways are behind this link and no other.
fn give_neighbours_addresses_to(world: &World, link: &str) {
    let commands = [
        format!("addr del 10.88.0.1/16 dev {NEIGHBOUR}"),
        format!("addr del fd88::1/64 dev {NEIGHBOUR}"),
        format!("addr add 10.88.0.1/16 dev {link}"),
        format!("addr add fd88::1/64 dev {link} nodad"),
        format!("link set {link} up"),
    ];
    world.neighbour.ip_batch(&[], &commands.join("\n"));
}

fn wait_until_up(world: &World) {
    let show = format!("link show {UPLINK}");
    let line = poll::until(
        || world.host.ip_batch(&["-o"], &show),
        |line| line.contains("state UP"),
    );
    assert!(line.contains("state UP"), "{line}");
}

fn above(driver: Driver, lay: fn(&World), check: fn(&World)) {
    let world = World::new();
    lay(&world);
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::dual(driver.name).network("network_interface", UPLINK);
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    assert_eq!(container.kind(INTERFACE), "macvlan");
    assert!(container.is_up(INTERFACE));
    assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
    check(&world);
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}

/// Nothing tells a dummy from one that the container has made in its place, so the
/// operator must have named it.
fn dummy_must_be_named() {
    let world = World::new();
    lay_dummy(&world);
    let netavark = host_device(&world, &Grant::host_device()).netavark();
    let before = world.dump();
    let connection = Connection::v4(HOST_DEVICE).network("network_interface", UPLINK);
    let error = netavark.setup(&connection).unwrap_err();
    assert!(
        error.contains("couldn't tell from one that the container has made"),
        "{error}"
    );
    assert!(error.contains("for this call into the grant"), "{error}");
    world.assert_unchanged(&before);
    let call = "links.move-to-container";
    let named = Grant::host_device()
        .without(call)
        .call(call, r#"{ link = "uplink" }"#);
    moves_and_comes_back("dummy", &named, lay_dummy, |_| ());
}

fn moves_and_comes_back(kind: &str, grant: &Grant, lay: fn(&World), check: fn(&World)) {
    let world = World::new();
    lay(&world);
    let commands = [
        format!("link set {UPLINK} address 02:00:00:00:00:77 mtu 1470"),
        format!("addr add 10.88.0.200/16 broadcast + dev {UPLINK}"),
        format!("addr add fd88::200/64 dev {UPLINK}"),
        "route add 198.51.100.0/24 via 10.88.0.1 metric 5".to_owned(),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    let netavark = host_device(&world, grant).netavark();
    let before = world.dump();
    let connection = Connection::dual(HOST_DEVICE).network("network_interface", UPLINK);
    let status = netavark.setup(&connection).expect("setup succeeds");
    let container = Dump::of(&world.container);
    assert_status_is_true(&status, &container, &connection);
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    assert_eq!(container.kind(INTERFACE), kind);
    assert_eq!(container.mac(INTERFACE), "02:00:00:00:00:77");
    assert!(!Dump::of(&world.host).has_link(UPLINK), "it has moved");
    check(&world);
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// The kernel doesn't let bonds leave their namespace.
fn bond_stays() {
    let world = World::new();
    lay_bond(&world);
    let netavark = host_device(&world, &Grant::host_device()).netavark();
    let before = world.dump();
    let connection = Connection::v4(HOST_DEVICE).network("network_interface", UPLINK);
    let error = netavark.setup(&connection).unwrap_err();
    assert!(error.contains(UPLINK), "{error}");
    world.assert_unchanged(&before);
}

fn network_card(naming: Naming) {
    let nic = Nic::take();
    let world = World::new();
    nic.move_to(&world.host, &world.neighbour);
    // It has another address now, and another link has its own.
    let commands = [
        format!("link set {} address 02:00:00:00:00:77", nic.name),
        format!("link add other0 address {} type veth peer other1", nic.mac),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    give_neighbours_addresses_to(&world, &nic.peer);
    let netavark = host_device(&world, &Grant::host_device()).netavark();
    let before = world.dump();
    let unnamed = Connection::dual(HOST_DEVICE).without_network("network_interface");
    let connection = naming(unnamed, &nic);
    netavark.create(&connection).expect("create succeeds");
    let status = netavark.setup(&connection).expect("setup succeeds");
    let container = Dump::of(&world.container);
    assert_status_is_true(&status, &container, &connection);
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    assert_eq!(container.kind(INTERFACE), "", "a card is of no kind");
    assert_eq!(container.mac(INTERFACE), "02:00:00:00:00:77");
    reaches_out(&world);
    netavark.teardown(&connection).expect("teardown succeeds");
    world.assert_unchanged(&before);
    let own = format!("link set {} address {}", nic.name, nic.mac);
    world.host.ip(&own);
}

/// The container's namespace dies with the card in it, and the kernel gives the
/// card back to its first namespace: under its name in the container, or under
/// another one where somebody has that.
fn card_of_a_dead_namespace(naming: Naming, name_is_taken: bool) {
    const INNER: &str = "inner0";
    let nic = Nic::take();
    let world = World::new();
    let wasmvark = host_device(&world, &Grant::host_device());
    let first = Netns::current();
    let commands = [
        format!("link set {} mtu 1470 up", nic.name),
        format!("addr add 10.66.0.200/16 dev {}", nic.name),
        format!("route add 10.67.0.0/16 via 10.66.0.1 dev {}", nic.name),
    ];
    first.ip_batch(&[], &commands.join("\n"));
    let before = Dump::of(&first);
    let unnamed = Connection::v4(HOST_DEVICE).without_network("network_interface");
    let document = naming(unnamed, &nic)
        .join("interface_name", INNER)
        .join("static_mac", "02:00:00:00:00:99")
        .for_plugin();
    let run = |command: &str, netns: &Path| {
        let mut plugin = Command::new(wasmvark.plugins().join(HOST_DEVICE));
        plugin.env_clear().env("WASMVARK_ROOT", wasmvark.root());
        let output = process::run(plugin.arg(command).arg(netns), document.as_bytes());
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    };
    let container = Netns::new();
    run("setup", &container.path());
    assert!(Dump::of(&container).has_link(INNER));
    if name_is_taken {
        first.ip(&format!("link add {INNER} type dummy"));
    }
    drop(container);
    let links = before.link_names().len() + usize::from(name_is_taken);
    let back = poll::until(|| Dump::of(&first), |now| now.link_names().len() == links);
    assert_eq!(back.link_names().len(), links, "the kernel gives it back");
    assert!(!back.has_link(&nic.name), "under another name");
    run("teardown", Path::new("/no/such/namespace"));
    if name_is_taken {
        first.ip(&format!("link del {INNER}"));
    }
    assert_unchanged(&first, &before, "the first namespace");
    let commands = [
        format!("addr flush dev {}", nic.name),
        format!("link set {} down mtu 1500", nic.name),
    ];
    first.ip_batch(&[], &commands.join("\n"));
}

fn host_device<'a>(world: &'a World, grant: &Grant) -> Wasmvark<'a> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install("host-device", HOST_DEVICE, grant);
    wasmvark
}

/// To the gateways and back.
fn reaches_out(world: &World) {
    for (inside, outside) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
        echo::exchange((&world.container, inside), (&world.neighbour, outside));
        echo::exchange((&world.neighbour, outside), (&world.container, inside));
    }
}
