//! Checks that the released program has no faults on request.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::case::NAME;
use crate::fail::NEEDS;

/// What the names of all variables of the faults begin with.
const VARIABLE: &[u8] = b"WASMVARK_FAULT";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("released/faults are not in it", &[], not_in_it);
    suite.test("released/faults do nothing", NEEDS, do_nothing);
}

fn not_in_it() {
    let has_faults = |program| {
        let bytes = std::fs::read(program).unwrap();
        bytes.windows(VARIABLE.len()).any(|part| part == VARIABLE)
    };
    assert!(has_faults(places::faulty()));
    assert!(!has_faults(places::wasmvark()));
}

fn do_nothing() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("macvlan", NAME, &Grant::macvlan());
    let before = world.dump();
    let document = Connection::dual(NAME).for_plugin();
    let count = world.file("count");
    for command in ["setup", "teardown"] {
        let mut plugin = wasmvark.plugin_command(NAME);
        plugin.arg(command).arg(world.container.path());
        plugin.env("WASMVARK_FAULT", "kill:1,killbeforewrite:1,fail:2:EPERM");
        plugin.env("WASMVARK_FAULT_COUNT", &count);
        let output = process::run(&mut plugin, document.as_bytes());
        assert_eq!(output.code, Some(0), "{output:?}");
        if command == "setup" {
            answer_of(&output);
        }
    }
    assert!(!count.exists());
    world.assert_unchanged(&before);
}
