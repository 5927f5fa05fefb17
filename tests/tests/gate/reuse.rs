//! Reused names and indexes. An own object must have both its name and its index.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::assert_unchanged;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::{PARENT, World};

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";
/// A foreign link's state, which a driver would change.
const DRESS: &str = "mtu 1410 address 02:00:00:00:00:99";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("reuse::{name}"), NEEDS, test);
    test("of-a-name", || made_link("eth0", None));
    test("of-an-index", || made_link("foreign", Some("eth0")));
    test("of-an-index-by-a-reachable-link", reachable_link);
    test("of-an-index-whose-settings-were-changed", changed_link);
    test("of-an-index-in-gc", collected);
    test("of-a-moved-links-index", || moved_link("foreign", true));
    test("of-a-moved-links-name", || moved_link("eth0", false));
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn index_of(netns: &Netns, link: &str) -> u32 {
    let line = netns.ip_batch(&["-o"], &format!("link show {link}"));
    line.split(':').next().unwrap().trim().parse().unwrap()
}

/// Makes a foreign link, with a certain index if need be.
fn make_foreign(netns: &Netns, name: &str, index: Option<u32>) {
    let index = index.map_or_else(String::new, |index| format!("index {index}"));
    let commands = [
        format!("link add name {name} {index} type veth peer name peer0 index 99"),
        format!("link set {name} {DRESS}"),
    ];
    netns.ip_batch(&[], &commands.join("\n"));
}

#[track_caller]
fn succeeded(output: &Output) {
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// The driver's link is gone, and a foreign one has its name or its index. In
/// teardown the driver can't reach it, and the host doesn't delete it.
fn made_link(name: &str, index_of_own: Option<&str>) {
    let world = World::new();
    let probe = Probe::new(
        &world,
        &Grant::of(&["links.get", "links.create-macvlan", "links.set-mtu"]),
    );
    answer_of(&probe.setup(v4(), MAKE));
    let index = index_of_own.map(|own| index_of(&world.container, own));
    world.container.ip("link del eth0");
    make_foreign(&world.container, name, index);
    let before = world.dump();
    for link in ["eth0", name] {
        let script = format!("links.get container {link}; links.set-mtu 0 1300; fail reached");
        let document = v4().option("teardown-script", &script).for_plugin();
        let output = probe.wasmvark.teardown(NAME, document);
        succeeded(&output);
        assert!(!output.stderr.contains("reached"), "{output:?}");
        world.assert_unchanged(&before);
    }
}

/// A foreign link of the host that the request makes reachable has the index
/// of a link that the driver had made there: it may be read, not changed.
fn reachable_link() {
    let world = World::new();
    let grant = Grant::of(&["links.get", "links.set-mtu"])
        .call("links.create-macvlan", r#"{ link = "*", place = "host" }"#);
    let probe = Probe::new(&world, &grant);
    let script = "links.get host p0; links.create-macvlan host own0 0 bridge";
    answer_of(&probe.setup(v4(), script));
    let index = index_of(&world.host, "own0");
    world.host.ip("link del own0");
    make_foreign(&world.host, "parent1", Some(index));
    let before = world.dump();
    let connection = v4().network("network_interface", "parent1");
    let script = "links.get host parent1; links.set-mtu 0 1300; fail reached";
    let document = connection.option("teardown-script", script).for_plugin();
    let output = probe.wasmvark.teardown(NAME, document);
    succeeded(&output);
    assert!(output.stderr.contains("denied"), "{output:?}");
    world.assert_unchanged(&before);
}

/// A foreign link was changed and is gone: one that has its index now isn't
/// given what it had.
fn changed_link() {
    let world = World::new();
    let wide = r#"{ link = "x0" }"#;
    let grant = Grant::nothing()
        .call("links.get", wide)
        .call("links.set-mtu", wide);
    let probe = Probe::new(&world, &grant);
    answer_of(&probe.setup(v4(), "links.get host x0; links.set-mtu 0 1300"));
    let index = index_of(&world.host, "x0");
    world.host.ip("link del x0");
    make_foreign(&world.host, "foreign", Some(index));
    let before = world.dump();
    succeeded(&probe.wasmvark.teardown(NAME, v4().for_plugin()));
    world.assert_unchanged(&before);
}

/// The container is gone, and with it the link that the driver had made on the
/// host.
fn collected() {
    let world = World::new();
    let grant =
        Grant::of(&["links.get"]).call("links.create-macvlan", r#"{ link = "*", place = "host" }"#);
    let probe = Probe::new(&world, &grant);
    let container = Netns::new();
    let script = "links.get host p0; links.create-macvlan host own0 0 bridge";
    let document = v4().option("script", script).for_plugin();
    let path = container.path();
    let arguments = ["setup", &*path.to_string_lossy()];
    answer_of(&probe.wasmvark.plugin(NAME, &arguments, document));
    let index = index_of(&world.host, "own0");
    world.host.ip("link del own0");
    make_foreign(&world.host, "foreign", Some(index));
    drop(container);
    let before = world.dump();
    probe.wasmvark.gc_until("1 cleared");
    world.assert_unchanged(&before);
    assert!(probe.wasmvark.run_files().is_empty());
}

/// Somebody brought the moved link back to the host. A link of the container
/// that has its index, or its name, stays there.
fn moved_link(name: &str, same_index: bool) {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("host-device", NAME, &Grant::host_device());
    let before = world.dump();
    answer_of(&wasmvark.setup(NAME, v4().for_plugin()));
    let index = index_of(&world.container, "eth0");
    let host = world.host.path();
    let back = format!("link set eth0 netns {} name {PARENT}", host.display());
    world.container.ip(&back);
    make_foreign(&world.container, name, same_index.then_some(index));
    let inside = world.dump().container;
    succeeded(&wasmvark.teardown(NAME, v4().for_plugin()));
    assert_unchanged(&world.container, &inside, "the container's namespace");
    assert_unchanged(&world.host, &before.host, "the host's namespace");
}
