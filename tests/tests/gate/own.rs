//! The driver's own objects, in this process and in the next one.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";

pub(crate) fn register(suite: &mut Suite) {
    suite.test(
        "own::teardown-reaches-what-setup-made",
        NEEDS,
        teardown_reaches,
    );
    suite.test("own::another-container-does-not", NEEDS, another_container);
    suite.test("own::a-failed-setup-leaves-nothing", NEEDS, failed_setup);
    suite.test(
        "own::create-can-change-nothing",
        NEEDS,
        create_changes_nothing,
    );
}

fn grant() -> Grant {
    Grant::of(&[
        "links.get",
        "links.create-macvlan",
        "links.set-mtu",
        "links.set-up",
    ])
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn teardown_reaches() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    answer_of(&probe.setup(v4(), MAKE));
    let script = "links.get container eth0; links.set-mtu 0 1300; fail reached";
    let teardown = v4().option("teardown-script", script).for_plugin();
    let output = probe.wasmvark.teardown(NAME, teardown);
    // A failing driver doesn't keep the host from clearing up.
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains("reached"), "{output:?}");
    assert!(!probe.container().has_link("eth0"));
    probe.teardown(&v4());
}

fn another_container() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    answer_of(&probe.setup(v4(), MAKE));
    let other = v4()
        .container("0123456789abcdef")
        .option("script", "links.get container eth0");
    let output = probe.wasmvark.setup(NAME, other.for_plugin());
    let error = error_of(&output);
    assert!(
        error.contains("links.get") && error.contains("denied"),
        "{error}"
    );
    assert!(
        probe.container().has_link("eth0"),
        "the other's link is still there"
    );
    probe.teardown(&v4());
}

fn failed_setup() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let error = probe.setup_fails(v4(), &format!("{MAKE}; links.set-up 1; fail no more"));
    assert_eq!(error, "no more");
    let undone = probe
        .wasmvark
        .audit()
        .iter()
        .filter(|line| line.event == "undo")
        .count();
    assert_eq!(undone, 1);
}

fn create_changes_nothing() {
    let world = World::new();
    let wide = Grant::nothing()
        .call("links.get", r#"{ link = "*" }"#)
        .call("links.set-mtu", r#"{ link = "*" }"#);
    let probe = Probe::new(&world, &wide);
    let before = world.dump();
    let script = "links.get host p0; links.set-mtu 0 1300";
    let create = v4().option("create-script", script).for_create();
    let error = error_of(&probe.wasmvark.plugin(NAME, &["create"], create));
    assert!(error.contains("no container"), "{error}");
    world.assert_unchanged(&before);
}
