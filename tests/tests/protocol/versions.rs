//! The served versions of the interface, with components that were built for them and
//! never change.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

/// As the names of imports have it.
const FIRST: &[u8] = b"@0.1.0";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("versions/{name}"), NO_LINKS, test);
    test("0.1 has all of its functions", all_functions);
    test("0.1 drivers", drivers);
    test("a version that isn't served", not_served);
    test("two versions at once", two_versions);
}

fn install(wasmvark: &Wasmvark<'_>, file: &Path) -> Output {
    let file = file.to_string_lossy();
    wasmvark.administer(&["install", &file, "--name", "old", "--grant-requested"])
}

/// What is known of a component that was built for 0.1.
fn inspected(driver: &str) -> Value {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = install(&wasmvark, &places::frozen("0.1", driver));
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = wasmvark.administer(&["inspect", "old", "--format", "json"]);
    let inspection: Value = serde_json::from_str(&output.stdout).expect("it's JSON");
    assert_eq!(inspection["interface"], "0.1", "{output:?}");
    inspection
}

/// A component that imports each function that 0.1 has: installing it links
/// them, types and all.
fn all_functions() {
    let inspection = inspected("probe");
    let calls = inspection["calls"].as_object().expect("calls");
    let importable = calls.values().filter(|call| call["importable"] == true);
    assert_eq!(importable.count(), FUNCTIONS_OF_0_1, "{inspection:#}");
}

/// How many functions the interfaces of 0.1 have.
const FUNCTIONS_OF_0_1: usize = 103;

fn drivers() {
    for driver in ["macvlan", "macvlan-c", "bridge"] {
        inspected(driver);
    }
}

/// A component of 0.1 some of whose imports are of another version.
fn changed(world: &World, version: &[u8], how_many: usize) -> PathBuf {
    let mut component = fs::read(places::frozen("0.1", "macvlan")).expect("it's there");
    let mut left = how_many;
    for at in 0..component.len() - FIRST.len() {
        let place = &mut component[at..at + FIRST.len()];
        if place == FIRST && left > 0 {
            place.copy_from_slice(version);
            left -= 1;
        }
    }
    assert!(left < how_many, "the component names no version");
    let path = world.file("changed.wasm");
    fs::write(&path, component).expect("it can be written");
    path
}

#[track_caller]
fn refuses(world: &World, file: &Path, why: &str) {
    let wasmvark = Wasmvark::new(world);
    let output = install(&wasmvark, file);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains(why), "{output:?}");
}

fn not_served() {
    let world = World::new();
    for version in ["0.0.1", "0.3.0", "1.0.0"] {
        let name = format!("@{version}");
        let file = changed(&world, name.as_bytes(), usize::MAX);
        let why = format!(
            "built for version {version} of wasmvark:driver, and this host serves 0.2 and 0.1"
        );
        refuses(&world, &file, &why);
    }
}

fn two_versions() {
    let world = World::new();
    let file = changed(&world, b"@0.2.1", 1);
    refuses(&world, &file, "versions 0.2 and 0.1 of wasmvark:driver");
}
