//! `wasmvark wit`: what it writes can be parsed, has what was asked for, and drivers for
//! such a world are served.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId, WorldItem};

use crate::bench::NO_LINKS;

const DRIVER: &str = "narrow";
const ONLY: &str = "links,addresses,routes";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("wit/the whole package", NO_LINKS, whole);
    suite.test("wit/each interface alone", NO_LINKS, alone);
    suite.test("wit/an interpreter's imports", NO_LINKS, imports);
    suite.test("wit/a driver of a narrow world", &[Need::Root], runs);
    suite.test("wit/what is refused", NO_LINKS, refused);
}

fn write(world: &World, folder: &str, only: Option<&str>) -> (PathBuf, Output) {
    let folder = world.file(folder);
    let mut arguments = vec!["wit", folder.to_str().unwrap()];
    arguments.extend(only.into_iter().flat_map(|only| ["--only", only]));
    let output = Wasmvark::new(world).administer(&arguments);
    (folder, output)
}

fn written(world: &World, folder: &str, only: Option<&str>) -> (Resolve, WorldId) {
    let (folder, output) = write(world, folder, only);
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&folder).expect("it can be parsed");
    let world = resolve.select_world(&[package], None).expect("a world");
    (resolve, world)
}

/// The interfaces that a world imports, also those that others bring along.
fn imported(resolve: &Resolve, world: WorldId) -> BTreeSet<String> {
    let imports = resolve.worlds[world].imports.values();
    let names = imports.map(|import| match import {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone().unwrap(),
        other => panic!("no interface: {other:?}"),
    });
    names.collect()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn whole() {
    let world = World::new();
    let (folder, output) = write(&world, "all", None);
    assert_eq!(output.code, Some(0), "{output:?}");
    let sources = places::workspace().join("wit");
    assert_eq!(names_in(&folder), names_in(&sources));
    for name in names_in(&sources) {
        let [text, source] = [&folder, &sources].map(|it| fs::read(it.join(&name)).unwrap());
        assert_eq!(text, source, "{name}");
    }
}

/// Each world has what was asked for, what that uses, the log and the types.
fn alone() {
    let world = World::new();
    let (resolve, all) = written(&world, "all", None);
    for name in imported(&resolve, all) {
        if name == "types" {
            continue;
        }
        let (resolve, narrow) = written(&world, &name, Some(&name));
        let imports = imported(&resolve, narrow);
        let always = [name.as_str(), "log", "types"].map(str::to_owned);
        assert!(imports.is_superset(&always.into()), "{name}: {imports:?}");
        let brought = imports.iter().filter(|it| !always_there(&name, it));
        let brought: Vec<_> = brought.collect();
        assert!(
            brought.iter().all(|it| *it == "links"),
            "{name}: {brought:?}"
        );
        assert_eq!(resolve.worlds[narrow].exports.len(), 1);
    }
}

fn always_there(name: &str, import: &str) -> bool {
    [name, "log", "types"].contains(&import)
}

/// A component that imports all of its world, as those with an interpreter do.
pub(crate) fn interpreter(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    component(resolve, world, module)
}

fn component(resolve: &Resolve, world: WorldId, mut module: Vec<u8>) -> Vec<u8> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(ComponentEncoder::encode)
        .unwrap()
}

/// The narrow world is the upper bound of what such a driver can ask for.
fn imports() {
    let world = World::new();
    let (resolve, narrow) = written(&world, "narrow", Some(ONLY));
    let file = world.file("narrow.wasm");
    fs::write(&file, interpreter(&resolve, narrow)).unwrap();
    let wasmvark = Wasmvark::new(&world);
    let file = file.to_str().unwrap();
    let output = wasmvark.administer(&["install", file, "--name", DRIVER, "--grant-imports"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = wasmvark.administer(&["inspect", DRIVER, "--format", "json"]);
    let inspection: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(inspection["interface"], "0.3");
    let calls = inspection["calls"].as_object().unwrap();
    let interfaces = calls.keys().filter_map(|call| call.split_once('.'));
    let interfaces: BTreeSet<&str> = interfaces.map(|(interface, _)| interface).collect();
    assert_eq!(interfaces, ONLY.split(',').collect());
}

/// Each answer lies at 64, all zeros: success, with empty lists.
const IDLE: &str = r#"(module
    (import "wasmvark:driver/links@VERSION" "get" (func (param i32 i32 i32 i32)))
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 1024))
    (func (export "wasmvark:driver/handler@VERSION#create") (param i32) (result i32) (i32.const 64))
    (func (export "wasmvark:driver/handler@VERSION#setup") (param i32) (result i32) (i32.const 64))
    (func (export "wasmvark:driver/handler@VERSION#teardown") (param i32) (result i32) (i32.const 64))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
        (global.set $free (i32.add (local.get $at) (local.get 3)))
        (local.get $at)))"#;

fn runs() {
    let world = World::new();
    let (resolve, narrow) = written(&world, "narrow", Some("links"));
    let package = resolve.worlds[narrow].package.unwrap();
    let version = resolve.packages[package].name.version.clone().unwrap();
    let module = wat::parse_str(IDLE.replace("VERSION", &version.to_string())).unwrap();
    let file = world.file("narrow.wasm");
    fs::write(&file, component(&resolve, narrow, module)).unwrap();
    let wasmvark = Wasmvark::new(&world);
    let file = file.to_str().unwrap();
    let output = wasmvark.administer(&["install", file, "--name", DRIVER, "--grant-imports"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let connection = Connection::v4(DRIVER);
    let answer = answer_of(&wasmvark.setup(DRIVER, connection.for_plugin()));
    assert_eq!(answer["interfaces"], serde_json::json!({}));
    let output = wasmvark.teardown(DRIVER, connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn refused() {
    let world = World::new();
    for (only, why) in [
        ("links,adresses", "no interface \"adresses\" to import"),
        ("types", "log and types are always there"),
        ("handler", "give some of addresses, announce, bridge-ports"),
    ] {
        let (folder, output) = write(&world, "refused", Some(only));
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(why), "{output:?}");
        assert!(!folder.exists());
    }
    // What is there would join the package.
    let (folder, output) = write(&world, "narrow", Some("state"));
    assert_eq!(output.code, Some(0), "{output:?}");
    let before = names_in(&folder);
    let (_, output) = write(&world, "narrow", None);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("isn't empty"), "{output:?}");
    assert_eq!(names_in(&folder), before);
}
