//! The virtual functions of network cards. No link in the tests has any, so every call
//! returns an error and changes nothing.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("vfs::errors-say-what-is-wrong", NEEDS, errors);
    suite.test("vfs::a-link-without-any-has-none", NEEDS, none);
}

fn grant() -> Grant {
    let parent = r#"{ link = "p0" }"#;
    Grant::of(&["links.get", "links.vfs", "log.write"])
        .call("links.set-vf-mac", parent)
        .call("links.set-vf-vlan", parent)
        .call("links.set-vf-rate", parent)
}

fn errors() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    for (call, text) in [
        ("set-vf-mac 0 0 -", "has no VFs: a card makes them"),
        ("set-vf-rate 0 7 1 2", "has no VFs: a card makes them"),
        ("set-vf-mac 0 0 02:00:00:00:07", "invalid mac length"),
        ("set-vf-vlan 0 0 0 0 dot1q", "there is no VLAN 0"),
        ("set-vf-vlan 0 0 4095 0 dot1q", "there is no VLAN 4095"),
        ("set-vf-vlan 0 0 7 8 dot1ad", "there is no priority 8"),
    ] {
        let script = format!("links.get host p0; links.{call}");
        let error = probe.setup_fails(Connection::v4(NAME), &script);
        assert!(error.contains(text), "{call}: {error}");
        world.assert_unchanged(&before);
    }
}

fn none() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let output = probe.setup(Connection::v4(NAME), "links.get host p0; links.vfs 0 tell");
    answer_of(&output);
    assert!(output.stderr.contains("vfs: []"), "{output:?}");
    probe.teardown(&Connection::v4(NAME));
}
