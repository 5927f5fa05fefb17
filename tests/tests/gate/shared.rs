//! The objects that the containers of a network share. They are made for the first
//! container and removed with the last one.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};
use crate::turns;

const NEEDS: &[Need] = &[Need::Root];
const BRIDGE: &str = "br0";
const SHARE: &str = "links.create-bridge shared br0; links.create-veth eth0; links.set-master 2 0";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("shared::{name}"), NEEDS, test);
    test("comes-with-the-first-goes-with-the-last", first_and_last);
    test("is-the-same-link-for-all", same_link);
    test("a-strangers-link-is-not-shared", strangers);
    test("another-network-has-its-own", another_network);
    test("a-failed-setup-leaves-it-to-the-others", failed_setup);
    test("a-killed-setup-leaves-it-to-the-others", killed_setup);
    test("a-killed-first-setup-leaves-nothing", killed_first);
    test("made-anew-after-somebody-removed-it", made_anew);
    test("gc-counts-too", gc);
    test("journal-says-what-is-shared", journal);
}

fn grant() -> Grant {
    Grant::of(&[
        "links.create-bridge",
        "links.create-veth",
        "links.get",
        "links.set-master",
        "log.write",
    ])
    .on_host()
}

/// A container on the network.
pub(crate) struct Container {
    netns: Netns,
    connection: Connection,
}

impl Container {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            netns: Netns::new(),
            connection: Connection::new(NAME)
                .network("network_interface", BRIDGE)
                .container(&format!("{number:064x}")),
        }
    }

    /// The same with an address of 10.99.0.0/24.
    pub(crate) fn with_address(mut self, address: &str) -> Self {
        self.connection = self
            .connection
            .subnet("10.99.0.0/24", "10.99.0.1")
            .ip(address);
        self
    }

    pub(crate) fn run(&self, probe: &Probe<'_>, command: &str, script: &str) -> Output {
        let document = self.connection.clone().option("script", script);
        let netns = self.netns.path();
        let arguments = [command, &*netns.to_string_lossy()];
        probe
            .wasmvark
            .plugin(NAME, &arguments, document.for_plugin())
    }

    #[track_caller]
    fn up(&self, probe: &Probe<'_>) {
        answer_of(&self.run(probe, "setup", SHARE));
    }

    #[track_caller]
    pub(crate) fn down(&self, probe: &Probe<'_>) {
        let output = self.run(probe, "teardown", "");
        assert_eq!(output.code, Some(0), "{output:?}");
    }
}

fn has_bridge(probe: &Probe<'_>) -> bool {
    Dump::of(&probe.world.host).has_link(BRIDGE)
}

/// Nothing is on the host that wasn't there, and no journal.
#[track_caller]
fn assert_clean(probe: &Probe<'_>, before: &Dump) {
    assert_unchanged(&probe.world.host, before, "the host");
    assert_eq!(probe.wasmvark.run_files(), Vec::<PathBuf>::new());
}

fn first_and_last() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let containers = [1, 2, 3].map(Container::new);
    for container in &containers {
        container.up(&probe);
        assert!(has_bridge(&probe));
    }
    // Not in the order in which they came.
    for container in [&containers[0], &containers[2]] {
        container.down(&probe);
        assert!(has_bridge(&probe));
    }
    containers[1].down(&probe);
    assert_clean(&probe, &before);
}

fn same_link() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    one.up(&probe);
    two.up(&probe);
    let links = world.host.ip_batch(&["-j"], "link show master br0");
    let ports: Vec<serde_json::Value> = serde_json::from_str(&links).unwrap();
    assert_eq!(ports.len(), 2, "{links}");
    one.down(&probe);
    two.down(&probe);
}

fn strangers() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    world.host.ip("link add br0 type bridge");
    let before = Dump::of(&world.host);
    let one = Container::new(1);
    let error = error_of(&one.run(&probe, "setup", SHARE));
    assert!(error.contains("links.create-bridge"), "{error}");
    assert!(error.contains("EEXIST"), "{error}");
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn another_network() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let one = Container::new(1);
    let mut two = Container::new(2);
    two.connection = two.connection.network("id", "another");
    one.up(&probe);
    // The name is the other network's.
    let error = error_of(&two.run(&probe, "setup", SHARE));
    assert!(error.contains("EEXIST"), "{error}");
    two.down(&probe);
    assert!(has_bridge(&probe));
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn failed_setup() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1), Container::new(2));
    one.up(&probe);
    let with_one = Dump::of(&world.host);
    let error = error_of(&two.run(&probe, "setup", &format!("{SHARE}; fail no more")));
    assert_eq!(error, "no more");
    assert_unchanged(&world.host, &with_one, "the host");
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// Sets up until the driver has made all, and kills it there.
fn kill_setup(probe: &Probe<'_>, container: &Container) {
    let script = format!("{SHARE}; log.write info made; loop");
    let connection = container.connection.clone().option("script", &script);
    let child = turns::started_at(probe, "setup", &connection, &container.netns);
    turns::signal(&child, Signal::SIGKILL);
    assert_eq!(turns::ended(child).code, None);
}

fn killed_setup() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let [one, two, three] = [1, 2, 3].map(Container::new);
    one.up(&probe);
    kill_setup(&probe, &two);
    // The next run for the network undoes what the killed one made on the
    // host, and no more.
    three.up(&probe);
    one.down(&probe);
    assert!(has_bridge(&probe));
    three.down(&probe);
    assert!(!has_bridge(&probe));
    two.down(&probe);
    assert_clean(&probe, &before);
}

fn killed_first() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1), Container::new(2));
    kill_setup(&probe, &one);
    assert!(has_bridge(&probe));
    two.up(&probe);
    two.down(&probe);
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn made_anew() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let [one, two, three] = [1, 2, 3].map(Container::new);
    one.up(&probe);
    world.host.ip("link del br0");
    two.up(&probe);
    three.up(&probe);
    // The first one's bridge is gone: it doesn't count for the new one.
    one.down(&probe);
    assert!(has_bridge(&probe));
    two.down(&probe);
    assert!(has_bridge(&probe));
    three.down(&probe);
    assert_clean(&probe, &before);
}

fn gc() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1), Container::new(2));
    one.up(&probe);
    two.up(&probe);
    drop(one);
    probe.wasmvark.gc_until("1 cleared, 1 in use");
    assert!(has_bridge(&probe));
    drop(two);
    probe.wasmvark.gc_until("1 cleared, 0 in use");
    assert_clean(&probe, &before);
}

fn journal() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let one = Container::new(1);
    one.up(&probe);
    let output = probe.wasmvark.administer(&["journal"]);
    assert!(
        output.stdout.contains("link host:br0 made, shared"),
        "{output:?}"
    );
    let output = probe.wasmvark.administer(&["journal", "--format", "json"]);
    let all: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let changes = all[0]["changes"].as_array().unwrap();
    let shared: Vec<bool> = changes
        .iter()
        .map(|change| change["shared"].as_bool().unwrap())
        .collect();
    assert_eq!(shared, [true, false, false], "{all}");
    one.down(&probe);
}
