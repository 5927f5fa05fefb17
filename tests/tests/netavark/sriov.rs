//! VFs of a network card. They need a card with SR-IOV.

use std::thread;

use serde_json::{Value, json};
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::sriov::{self, link, settle, vf};
use wasmvark_tests::world::{Before, PARENT, World};

use crate::driver::Installed;
use crate::vlan;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Vfs];
const DRIVER: &str = "wasm-sriov";
const MAC: &str = "02:00:00:00:00:99";
const FIRST_FREE: &str = "02:00:00:00:0f:00";

/// The lines of the grant for what few cards can do.
pub(crate) const NOT_EVERYWHERE: &[&str] = &["links.set-vf-link-state"];

/// A request that has the driver set all that an ordinary card takes.
pub(crate) fn with_all_that_cards_take(connection: Connection) -> Connection {
    connection
        .option("spoof_check", "false")
        .option("trust", "true")
        .option("vlan", "7")
        .option("max_tx_rate", "100")
}

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("sriov/{name}"), NEEDS, test);
    test("parent by its option", || {
        let world = sriov::world(1);
        installed(&world).try_out_parent(Connection::dual(DRIVER));
    })
    .proves("sriov", &["parent"]);
    test("a VF of its own", own_vf).proves("sriov", &["metric"]);
    test("no default route", no_default_route).proves("sriov", &["no_default_route"]);
    test("all that the card has of it", everything).proves(
        "sriov",
        &[
            "vf",
            "vlan",
            "vlan_qos",
            "spoof_check",
            "trust",
            "max_tx_rate",
        ],
    );
    test("what this card can't do", refused_by_card)
        .proves("sriov", &["link_state", "min_tx_rate", "vlan_proto"]);
    test("two containers", two_containers);
    test("of two at once one gets it", at_once);
    test("a VF in use", in_use);
    test("no free VF", none_free);
    test("a dead namespace", dead_namespace);
    test("a failed setup", failed_setup);
    for (name, test) in [("no VFs", no_vfs as fn()), ("create", create)] {
        let needs = &[Need::Root, Need::Netavark, Need::Macvlan];
        suite.test(format!("sriov/{name}"), needs, test);
    }
}

fn installed(world: &World) -> Installed<'_> {
    Installed::example(world, "sriov")
}

/// Checks that all is as before, also for the card and the drivers of its VFs.
fn assert_unchanged(world: &World, before: &Before) {
    for number in 0.. {
        let name = link(number);
        if !before.host.has_link(&name) {
            break;
        }
        settle(world, &name);
    }
    world.assert_unchanged(before);
}

fn own_vf() {
    let world = sriov::world(2);
    let installed = installed(&world);
    let before = world.dump();
    let connection = Connection::dual(DRIVER).option("metric", "77");
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    assert_eq!(container.mac(INTERFACE), before.host.mac("vf0"));
    assert!(!Dump::of(&world.host).has_link("vf0"));
    let routes = [
        "default via 10.88.0.1 dev eth0 metric 77",
        "default via fd88::1 dev eth0 metric 77",
    ];
    assert_eq!(container.made_routes(), routes);
    installed.disconnect(&connection);
    assert_unchanged(&world, &before);
}

fn no_default_route() {
    let world = sriov::world(1);
    let without = Connection::v4(DRIVER).option("no_default_route", "true");
    installed(&world).try_out(&without, |container| {
        assert!(container.made_routes().is_empty());
    });
}

/// The card adds the tag, and everything is taken back.
fn everything() {
    let world = sriov::world(2);
    vlan::lay_vlan(&world, "802.1Q");
    let installed = installed(&world);
    let before = world.dump();
    let was = vf(&world, 1);
    let connection = with_all_that_cards_take(Connection::dual(DRIVER))
        .option("vf", "0")
        .option("vlan_qos", "3")
        .join("static_mac", MAC)
        .join("options", json!({"vf": "1"}));
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.mac(INTERFACE), MAC);
    let is = vf(&world, 1);
    let facts = |vf: &Value| {
        json!([
            vf["address"],
            vf["vlan_list"],
            vf["spoofchk"],
            vf["trust"],
            vf["rate"]
        ])
    };
    let expected = json!([
        MAC,
        [{"vlan": 7, "qos": 3}],
        false,
        true,
        {"max_tx": 100, "min_tx": 0},
    ]);
    assert_eq!(facts(&is), expected, "{is}, before {was}");
    installed.reaches("10.88.0.2", "10.88.0.1");
    installed.reaches("fd88::2", "fd88::1");
    installed.disconnect(&connection);
    assert_eq!(vf(&world, 1), was);
    assert_unchanged(&world, &before);
}

/// The card of the tests has no link state of VFs, no assured rates, and no outer tags.
/// The error says so, and nothing is left.
fn refused_by_card() {
    let world = sriov::world(1);
    let installed = installed(&world);
    let before = world.dump();
    for (options, call) in [
        (&[("link_state", "enable")][..], "links.set-vf-link-state"),
        (
            &[("min_tx_rate", "10"), ("max_tx_rate", "100")],
            "links.set-vf-rate",
        ),
        (
            &[("vlan", "7"), ("vlan_proto", "802.1ad")],
            "links.set-vf-vlan",
        ),
    ] {
        let connection = Connection::v4(DRIVER).join("static_mac", MAC);
        let connection = options.iter().fold(connection, |connection, (key, value)| {
            connection.option(key, value)
        });
        let error = installed.netavark.setup(&connection).unwrap_err();
        assert!(error.contains(call) && error.contains("failed"), "{error}");
        assert!(error.contains("VF 0 of link host:p0"), "{error}");
        assert_unchanged(&world, &before);
    }
}

/// A second container with its namespace.
struct Second {
    netns: Netns,
    connection: Connection,
}

impl Second {
    fn new() -> Self {
        Self {
            netns: Netns::new(),
            connection: Connection::new(DRIVER)
                .subnet("10.88.0.0/16", "10.88.0.1")
                .ip("10.88.0.3")
                .container(&"c".repeat(64)),
        }
    }

    fn set_up(&self, installed: &Installed<'_>) -> Result<(), String> {
        let path = self.netns.path();
        installed
            .netavark
            .setup_at(&self.connection, &path)
            .map(drop)
    }

    fn tear_down(&self, installed: &Installed<'_>) {
        let path = self.netns.path();
        installed
            .netavark
            .teardown_at(&self.connection, &path)
            .expect("teardown");
    }
}

fn two_containers() {
    let world = sriov::world(2);
    let installed = installed(&world);
    let before = world.dump();
    let (first, second) = (Connection::v4(DRIVER), Second::new());
    installed.connect(&first);
    second.set_up(&installed).expect("there is another VF");
    echo::exchange(
        (&world.container, "10.88.0.2"),
        (&second.netns, "10.88.0.3"),
    );
    echo::exchange(
        (&second.netns, "10.88.0.3"),
        (&world.neighbour, "10.88.0.1"),
    );
    installed.disconnect(&first);
    second.tear_down(&installed);
    assert_unchanged(&world, &before);
}

/// Two networks share the card's only VF. Both runs begin at the same time.
fn at_once() {
    let world = sriov::world(1);
    let installed = installed(&world);
    let before = world.dump();
    for round in 0..3 {
        let first = Connection::v4(DRIVER).option("vlan", "7");
        let mut second = Second::new();
        second.connection = second
            .connection
            .network("id", "b".repeat(64))
            .option("vlan", "8");
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| installed.netavark.setup(&first));
            let other = scope.spawn(|| second.set_up(&installed));
            (one.join().expect("it ends"), other.join().expect("it ends"))
        });
        let vlan = vf(&world, 0)["vlan_list"][0]["vlan"].clone();
        match (one, other) {
            (Ok(_), Err(error)) => {
                assert!(error.contains("all 1 VFs of p0 are in use"), "{error}");
                assert_eq!(vlan, 7, "{round}");
                installed.disconnect(&first);
            }
            (Err(error), Ok(())) => {
                assert!(error.contains("all 1 VFs of p0 are in use"), "{error}");
                assert_eq!(vlan, 8, "{round}");
                second.tear_down(&installed);
            }
            both => panic!("one of them has it: {both:?}"),
        }
        assert_unchanged(&world, &before);
    }
}

/// The host's use of a VF keeps it from containers.
fn in_use() {
    let world = sriov::world(2);
    world.host.ip("addr add 10.99.0.1/24 dev vf0");
    let installed = installed(&world);
    let before = world.dump();
    let named = Connection::v4(DRIVER).option("vf", "0");
    let error = installed.netavark.setup(&named).unwrap_err();
    for text in [
        "links.use-vf on VF 0 of link host:p0",
        "vf0 has the host's address 10.99.0.1/24",
    ] {
        assert!(error.contains(text), "{error}");
    }
    installed.try_out(&Connection::v4(DRIVER), |container| {
        assert_eq!(container.mac(INTERFACE), before.host.mac("vf1"));
    });
    world.host.ip_batch(
        &[],
        "addr flush dev vf0\nlink add br0 type bridge\nlink set vf0 master br0",
    );
    let error = installed.netavark.setup(&named).unwrap_err();
    assert!(error.contains("vf0 is a port of link"), "{error}");
    let missing = Connection::v4(DRIVER).option("vf", "9");
    let error = installed.netavark.setup(&missing).unwrap_err();
    assert!(error.contains("there is no VF 9: it has 2"), "{error}");
    let wrong = Connection::v4(DRIVER).option("vf", "x");
    installed.refuses(&wrong, "unable to parse \"vf\"");
}

fn none_free() {
    let world = sriov::world(1);
    let installed = installed(&world);
    let first = Connection::v4(DRIVER);
    installed.connect(&first);
    let mut second = Second::new();
    let error = second.set_up(&installed).unwrap_err();
    assert!(error.contains("all 1 VFs of p0 are in use"), "{error}");
    second.connection = second.connection.option("vf", "0");
    let error = second.set_up(&installed).unwrap_err();
    assert!(
        error.contains("VF 0") && error.contains("has no link on the host"),
        "{error}"
    );
    installed.disconnect(&first);
}

fn no_vfs() {
    let world = World::new();
    let installed = installed(&world);
    let error = installed
        .netavark
        .setup(&Connection::v4(DRIVER))
        .unwrap_err();
    let text = "p0 has no VFs: a card with SR-IOV makes them when their number is written to \
                /sys/class/net/p0/device/sriov_numvfs";
    assert!(error.contains(text), "{error}");
}

/// The kernel gives the link back to its first namespace, and so does the host's undo.
/// Until then nobody else gets the VF.
fn dead_namespace() {
    let world = sriov::world(1);
    let installed = installed(&world);
    let before = world.dump();
    let first = Second {
        connection: Second::new()
            .connection
            .join("static_mac", MAC)
            .option("vlan", "7"),
        ..Second::new()
    };
    first.set_up(&installed).expect("setup");
    assert_eq!(vf(&world, 0)["vlan_list"][0]["vlan"], 7);
    let path = first.netns.path();
    // The container's root hides the link: another name, another address.
    first.netns.ip_batch(
        &[],
        "link set eth0 down\nlink set eth0 name hidden0\nlink set lo up",
    );
    installed
        .netavark
        .teardown_at(&first.connection, &path)
        .expect("teardown");
    assert_unchanged(&world, &before);
}

/// A run that fails after the VF is changed, and before its link has moved.
fn failed_setup() {
    let world = sriov::world(1);
    let installed = installed(&world);
    world
        .container
        .ip("link add eth0 type veth peer name other");
    let before = world.dump();
    let connection =
        with_all_that_cards_take(Connection::v4(DRIVER)).join("static_mac", FIRST_FREE);
    let error = installed.netavark.setup(&connection).unwrap_err();
    assert!(error.contains("links.move-to-container"), "{error}");
    assert_unchanged(&world, &before);
}

fn create() {
    let world = World::new();
    let installed = installed(&world);
    let without = || Connection::dual(DRIVER).without_network("network_interface");
    installed.refuses(
        &without(),
        "no network card is specified: give --interface-name",
    );
    let named = without().option("parent", PARENT);
    let network = installed
        .netavark
        .create(&named)
        .expect("it needn't have VFs");
    assert_eq!(network["network_interface"], PARENT);
    installed
        .netavark
        .create(&without().option("parent", "nope"))
        .expect("it needn't be there");
    for (option, value, why) in [
        ("vlan", "4095", "a whole number from 0 to 4094"),
        ("vlan_qos", "1", "give -o vlan=NUMBER"),
        ("link_state", "up", "\"up\" is not auto, enable or disable"),
        ("trust", "on", "\"on\" is not true or false"),
        (
            "mode",
            "bridge",
            "unsupported wasm-sriov network option: mode",
        ),
    ] {
        installed.refuses(&named.clone().option(option, value), why);
    }
}
