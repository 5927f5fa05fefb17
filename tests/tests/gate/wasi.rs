//! Components whose language imports WASI. It's served, but inert.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("wasi::is-inert", &[Need::Root, Need::Macvlan], is_inert);
    suite.test(
        "wasi::a-panic-is-told",
        &[Need::Root, Need::Macvlan],
        a_panic_is_told,
    );
}

fn is_inert() {
    let world = World::new();
    let probe = Probe::with(&world, "wasi", &Grant::nothing());
    let netns = world.container.path();
    let mut plugin = world.host.command(probe.wasmvark.plugins().join(NAME));
    plugin
        .env_clear()
        .env("WASMVARK_ROOT", probe.wasmvark.root())
        .env("RUST_LOG", "info")
        .env("SECRET", "not for drivers")
        .args(["setup".as_ref(), netns.as_os_str()]);
    let output = process::run(&mut plugin, Connection::v4(NAME).for_plugin().as_bytes());
    answer_of(&output);
    for line in [
        "env=0",
        "file=denied",
        "tcp=denied",
        "sleep=ok",
        "clock=ok",
        "random=ok",
    ] {
        assert!(
            output.stderr.contains(line),
            "{line} is not in: {}",
            output.stderr
        );
    }
    probe.teardown(&Connection::v4(NAME));
}

/// What the driver wrote to standard error is in the error and in the trail.
fn a_panic_is_told() {
    let world = World::new();
    let probe = Probe::with(&world, "wasi", &Grant::nothing());
    let connection = Connection::v4(NAME).option("panic", "yes");
    let output = probe.wasmvark.setup(NAME, connection.for_plugin());
    let error = error_of(&output);
    for words in [
        "setup on stderr | ",
        "panicked at ",
        " | the option says so",
    ] {
        assert!(error.contains(words), "{words:?} is not in: {error}");
    }
    let trail = std::fs::read_to_string(probe.wasmvark.audit_file()).unwrap();
    let end = trail.lines().next_back().unwrap_or_default();
    assert!(end.contains("the option says so"), "{end}");
}
