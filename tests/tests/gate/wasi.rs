//! Components whose language imports WASI. It's served, but inert.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("wasi::is-inert", &[Need::Root, Need::Macvlan], is_inert);
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
