//! The served versions of the interface, with components that were built for them and
//! never change.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;
use wit_parser::{PackageId, Resolve};

use crate::bench::NO_LINKS;
use crate::wit::interpreter;

/// As the names of imports have it.
const FIRST: &[u8] = b"@0.2.1";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("versions/{name}"), NO_LINKS, test);
    test("0.2 has all of its functions", all_functions);
    test("0.2 drivers", drivers);
    test("0.2 built from its text", built_from_text);
    test("a version that isn't served", not_served);
    test("two versions at once", two_versions);
}

fn install(wasmvark: &Wasmvark<'_>, file: &Path) -> Output {
    let file = file.to_string_lossy();
    wasmvark.administer(&["install", &file, "--name", "old", "--grant-requested"])
}

/// What is known of a component that was built for 0.2.
fn inspected(driver: &str) -> Value {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = install(&wasmvark, &places::frozen("0.2", driver));
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = wasmvark.administer(&["inspect", "old", "--format", "json"]);
    let inspection: Value = serde_json::from_str(&output.stdout).expect("it's JSON");
    assert_eq!(inspection["interface"], "0.2", "{output:?}");
    inspection
}

/// A component that imports each function that 0.2 has: installing it links
/// them, types and all.
fn all_functions() {
    let inspection = inspected("probe");
    let calls = inspection["calls"].as_object().expect("calls");
    let importable = calls.iter().filter(|(_, call)| call["importable"] == true);
    let importable: BTreeSet<String> = importable.map(|(name, _)| name.clone()).collect();
    assert_eq!(importable, functions_of_0_2());
}

/// The text of 0.2.
fn text_of_0_2() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let text = places::workspace().join("tests/fixtures/wit/0.2");
    let (package, _) = resolve.push_dir(&text).expect("the text can be parsed");
    (resolve, package)
}

/// A component that imports all that the text has, as one with an interpreter does.
fn built_from_text() {
    let (resolve, package) = text_of_0_2();
    let driver = resolve.select_world(&[package], None).expect("a world");
    let world = World::new();
    let file = world.file("built.wasm");
    fs::write(&file, interpreter(&resolve, driver)).expect("it can be written");
    let wasmvark = Wasmvark::new(&world);
    let output = wasmvark.administer(&[
        "install",
        file.to_str().expect("a path"),
        "--name",
        "built",
        "--grant-imports",
    ]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// The functions of 0.2 that need a grant, by its text.
fn functions_of_0_2() -> BTreeSet<String> {
    let (resolve, package) = text_of_0_2();
    let mut functions = BTreeSet::new();
    for (name, id) in &resolve.packages[package].interfaces {
        let of = resolve.interfaces[*id].functions.keys();
        functions.extend(of.map(|function| format!("{name}.{function}")));
    }
    assert!(functions.remove("log.write"), "{functions:?}");
    functions
}

fn drivers() {
    for driver in ["macvlan", "macvlan-c", "bridge", "ptp"] {
        inspected(driver);
    }
}

/// A component of 0.2 some of whose imports are of another version.
fn changed(world: &World, version: &[u8], how_many: usize) -> PathBuf {
    let mut component = fs::read(places::frozen("0.2", "macvlan")).expect("it's there");
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
    for (version, remedy) in [
        (
            "0.1.0",
            "build it with an SDK of one of these, or install an older wasmvark",
        ),
        (
            "0.4.0",
            "install a newer wasmvark, or build it with an SDK of one of these",
        ),
        (
            "1.0.0",
            "install a newer wasmvark, or build it with an SDK of one of these",
        ),
    ] {
        let name = format!("@{version}");
        let file = changed(&world, name.as_bytes(), usize::MAX);
        let why = format!(
            "built for version {version} of wasmvark:driver, and this host serves 0.3 and 0.2: \
             {remedy}"
        );
        refuses(&world, &file, &why);
    }
}

fn two_versions() {
    let world = World::new();
    let file = changed(&world, b"@0.3.0", 1);
    refuses(&world, &file, "versions 0.3 and 0.2 of wasmvark:driver");
}
