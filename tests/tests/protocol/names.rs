//! Names that would lead out of a directory or split a line of the trail, and names
//! that the kernel refuses.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, error_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, good, installed};

/// What no id and no network may be called.
const BAD_NAMES: [&str; 9] = [
    "",
    "..",
    ".",
    "a/b",
    "../x",
    "/etc",
    "a\0b",
    "a\nb",
    "\u{1b}[2J",
];

/// What no link may be called.
const BAD_LINKS: [&str; 8] = [
    "..",
    ".",
    "a/b",
    "../x",
    "a\0b",
    "a b",
    "a\nb",
    "sixteen-letters-",
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("names/network name", LINKS, network_name);
    suite.test("names/network id", LINKS, network_id);
    suite.test("names/container id", LINKS, container_id);
    suite.test("names/interface name", LINKS, interface_name);
    suite.test("names/parent interface", LINKS, parent);
}

fn network_name() {
    refuses("network name", &BAD_NAMES, |wasmvark, name| {
        let connection = good().network("name", name);
        vec![setup(wasmvark, &connection), create(wasmvark, &connection)]
    });
}

fn network_id() {
    refuses("network id", &BAD_NAMES, |wasmvark, id| {
        let connection = good().network("id", id);
        vec![
            setup(wasmvark, &connection),
            create(wasmvark, &connection),
            wasmvark.teardown(DRIVER, connection.for_plugin()),
        ]
    });
}

fn container_id() {
    refuses("container id", &BAD_NAMES, |wasmvark, id| {
        let connection = good().container(id);
        vec![
            setup(wasmvark, &connection),
            wasmvark.teardown(DRIVER, connection.for_plugin()),
        ]
    });
}

fn interface_name() {
    let names: Vec<&str> = BAD_LINKS.into_iter().chain([""]).collect();
    refuses("interface name", &names, |wasmvark, name| {
        vec![setup(wasmvark, &good().join("interface_name", name))]
    });
}

fn parent() {
    refuses("parent interface", &BAD_LINKS, |wasmvark, name| {
        let connection = good().network("network_interface", name);
        let option = good()
            .without_network("network_interface")
            .option("parent", name);
        vec![
            setup(wasmvark, &connection),
            create(wasmvark, &connection),
            setup(wasmvark, &option),
            create(wasmvark, &option),
        ]
    });
}

/// Checks for each name that all runs with it fail, and say what is wrong.
fn refuses(what: &str, names: &[&str], runs: impl Fn(&Wasmvark, &str) -> Vec<Output>) {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    for name in names {
        for output in runs(&wasmvark, name) {
            let error = error_of(&output);
            assert!(error.contains(what), "{what} {name:?}: {error:?}");
        }
    }
    world.assert_unchanged(&before);
}

fn setup(wasmvark: &Wasmvark, connection: &Connection) -> Output {
    wasmvark.setup(DRIVER, connection.for_plugin())
}

fn create(wasmvark: &Wasmvark, connection: &Connection) -> Output {
    wasmvark.plugin(DRIVER, &["create"], connection.for_create())
}
