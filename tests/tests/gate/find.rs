//! Links that are found by a property other than their name.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::case::without_parent;
use crate::probe::{NAME, Probe, STRANGERS_MAC};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("find::{name}"), needs, test);
    };
    test("what-is-found-is-the-parent", NEEDS, becomes_the_parent);
    test("a-name-is-no-address", NEEDS, name_and_address);
    test("only-the-containers-own", NEEDS, containers_own);
    test("what-is-not-named-can-not-be-told", NEEDS, no_probing);
    test("a-search-sees-what-it-reaches", NEEDS, sees_what_it_reaches);
    test("one-address-of-two-links", NEEDS, ambiguous);
    test("a-bridge-of-its-ports-address", NEEDS, bridge);
    let vlan = &[Need::Root, Need::Macvlan, Need::Link(Kind::Vlan)];
    test("a-vlan-of-its-parents-address", vlan, vlan_on_parent);
    test("wrong-texts-are-refused", NEEDS, wrong_texts);
}

/// A request that names the stranger by its address.
fn naming_it() -> Connection {
    without_parent().option("hwaddr", STRANGERS_MAC)
}

fn by_mac(mac: &str) -> String {
    format!("links.get-by-mac {mac}")
}

fn grant() -> Grant {
    Grant::of(&[
        "links.get",
        "links.get-by-mac",
        "links.get-default",
        "links.info",
        "links.move-to-container",
        "links.set-mtu",
        "log.write",
    ])
}

/// It may be read and moved, not changed; and the default route's link isn't
/// the parent any more.
fn becomes_the_parent() {
    let world = World::new();
    world.give_host_a_default_route();
    let probe = Probe::new(&world, &grant());
    let script = format!(
        "?links.get host x0; ?links.get-default; {}; links.info 0 tell; links.get host x0; \
         ?links.set-mtu 0 1400; links.move-to-container 0 eth0",
        by_mac(STRANGERS_MAC)
    );
    let output = probe.setup(naming_it(), &script);
    let results = [
        "links.get.denied",
        "links.get-default.denied",
        "links.set-mtu.denied",
    ];
    let domains = &answer_of(&output)["dns_search_domains"];
    assert_eq!(*domains, serde_json::json!(results));
    assert!(output.stderr.contains("name: \"x0\""), "{}", output.stderr);
    assert_eq!(probe.container().mac("eth0"), STRANGERS_MAC);
    let lines = probe.wasmvark.audit();
    let found = lines
        .iter()
        .find(|line| line.call.as_deref() == Some("links.get-by-mac"));
    assert_eq!(
        found.unwrap().object.as_deref(),
        Some("link of host with the MAC address 02:00:00:00:00:f0")
    );
    probe.teardown(&naming_it());
}

fn name_and_address() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let both = naming_it().network("network_interface", "p0");
    let error = probe.setup_fails(both, &by_mac(STRANGERS_MAC));
    assert!(error.contains("more than one way"), "{error}");
}

/// A container's own option comes before what the network names.
fn containers_own() {
    let world = World::new();
    world.host.ip("link set p0 address 02:00:00:00:00:01");
    let probe = Probe::new(&world, &grant());
    let connection = || {
        let network = without_parent().option("hwaddr", "02:00:00:00:00:01");
        network.join("options", serde_json::json!({"hwaddr": STRANGERS_MAC}))
    };
    let script = format!(
        "?{}; {}",
        by_mac("02:00:00:00:00:01"),
        by_mac(STRANGERS_MAC)
    );
    let script = format!("{script}; links.move-to-container 0 eth0");
    let answer = answer_of(&probe.setup(connection(), &script));
    let denied = serde_json::json!(["links.get-by-mac.denied"]);
    assert_eq!(answer["dns_search_domains"], denied);
    assert_eq!(probe.container().mac("eth0"), STRANGERS_MAC);
    probe.teardown(&connection());
}

/// Whether a link is there or not, the answer is the same but for what was
/// asked.
fn no_probing() {
    let world = World::new();
    let narrow = grant().call("links.get-by-index", "{}");
    let probe = Probe::new(&world, &narrow);
    for (there, missing) in [
        (by_mac(STRANGERS_MAC), by_mac("02:00:00:00:00:f1")),
        (
            "links.get-by-index host 1".to_owned(),
            "links.get-by-index host 9999".to_owned(),
        ),
        (
            "links.get-by-index container 1".to_owned(),
            "links.get-by-index container 9999".to_owned(),
        ),
    ] {
        let asked = |script: &str| script.rsplit(' ').next().unwrap().to_owned();
        let error = |script: &str| {
            let error = probe.setup_fails(without_parent(), script);
            // Its folder has a name by chance, in which digits are, too.
            let file = probe.wasmvark.grant_file(NAME);
            let error = error.replace(&*file.to_string_lossy(), "FILE");
            error.replace(&asked(script), "ASKED")
        };
        let denied = error(&there);
        assert!(denied.contains("is denied"), "{denied}");
        assert_eq!(denied, error(&missing));
    }
}

/// A grant of names: of other links not even the search tells anything.
fn sees_what_it_reaches() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "link set p0 address 02:00:00:00:00:01\n\
         link add y0 address 02:00:00:00:00:f0 type veth peer y0-peer",
    );
    let named = r#"{ link = "x0" }"#;
    let calls = [
        "links.get",
        "links.get-by-index",
        "links.get-by-mac",
        "links.info",
    ];
    let grant = calls.iter().fold(
        Grant::of(&["links.create-veth"]).on_host(),
        |grant, call| grant.call(call, named),
    );
    let probe = Probe::new(&world, &grant);
    let script = format!(
        "links.create-veth - host-mac=02:00:00:00:00:aa; links.get host x0; {}; {}; \
         links.get-by-index host @2; links.get-by-index host @1; ?{}; ?{}; \
         ?links.get-by-index host 1; links.info 3; links.info 4",
        by_mac(STRANGERS_MAC),
        by_mac("02:00:00:00:00:aa"),
        by_mac("02:00:00:00:00:01"),
        by_mac("02:00:00:00:00:f1"),
    );
    let answer = answer_of(&probe.setup(without_parent(), &script));
    let results = [
        "links.get-by-mac.not-found",
        "links.get-by-mac.not-found",
        "links.get-by-index.not-found",
    ];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(results));
    probe.teardown(&without_parent());
}

fn ambiguous() {
    let world = World::new();
    let double = format!("link add y0 address {STRANGERS_MAC} type veth peer y0-peer");
    world.host.ip(&double);
    let probe = Probe::new(&world, &grant());
    let error = probe.setup_fails(naming_it(), &by_mac(STRANGERS_MAC));
    for text in [
        "links.get-by-mac on link of host with the MAC address 02:00:00:00:00:f0",
        "x0, y0 all have the MAC address 02:00:00:00:00:f0",
        "give the link's name instead",
    ] {
        assert!(error.contains(text), "{error}");
    }
}

/// What a request finds by an address, as the search tells it.
fn finds(world: &World, expected: &str) {
    let probe = Probe::new(world, &grant());
    world.host.ip_batch(&[], "link del x0");
    let script = format!("{}; links.info 0 tell", by_mac(STRANGERS_MAC));
    let output = probe.setup(naming_it(), &script);
    answer_of(&output);
    let name = format!("name: \"{expected}\"");
    assert!(output.stderr.contains(&name), "{}", output.stderr);
}

fn bridge() {
    let world = World::new();
    let commands = [
        format!("link set p0 address {STRANGERS_MAC}"),
        "link add br0 type bridge".to_owned(),
        "link set p0 master br0".to_owned(),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    assert_eq!(Dump::of(&world.host).mac("br0"), STRANGERS_MAC);
    finds(&world, "p0");
}

fn vlan_on_parent() {
    let world = World::new();
    let commands = [
        format!("link set p0 address {STRANGERS_MAC}"),
        Kind::Vlan.command("p0.7", "p0"),
    ];
    world.host.ip_batch(&[], &commands.join("\n"));
    assert_eq!(Dump::of(&world.host).mac("p0.7"), STRANGERS_MAC);
    finds(&world, "p0");
}

fn wrong_texts() {
    let world = World::new();
    let wide = r#"{ link = "*" }"#;
    let calls = ["links.get-by-mac", "links.get-by-pci", "links.get-by-path"];
    let grant = calls
        .iter()
        .fold(Grant::nothing(), |grant, call| grant.call(call, wide));
    let probe = Probe::new(&world, &grant);
    for (script, text) in [
        (
            "links.get-by-mac nonsense",
            "unable to parse mac address nonsense",
        ),
        ("links.get-by-pci x0", "\"x0\" is not a PCI address"),
        (
            "links.get-by-path /sys/class/net/x0",
            "\"/sys/class/net/x0\" is not the path of a device",
        ),
        (
            "links.get-by-path /sys/devices/../../etc",
            "is not the path of a device",
        ),
    ] {
        let error = probe.setup_fails(without_parent(), script);
        assert!(error.contains(text), "{error}");
    }
}
