//! `wasmvark new`, `bindings` and `component`, as far as they need no compiler. The suite
//! `languages` builds what they make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;
use wit_component::dummy_module;
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::bench::{GUEST, NO_LINKS};

/// A manifest that asks for what a driver of links can do.
const MANIFEST: &str = r#"
name = "lan"
version = "0.1.0"
description = "Connects containers."
licence = "Apache-2.0"
[calls]
"links.create-veth" = { reason = "make the link" }
"#;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("authoring/{name}"), NO_LINKS, test);
    test("a component of a module", component);
    test("no component of others", no_component);
    test("a component without exports", without_exports);
    test("bindings", bindings);
    test("bindings for a module of Go", a_module);
    test("bindings for some interfaces", some_bindings);
    test("a new driver", new);
    test("no new driver", no_new);
}

fn run(world: &World, arguments: &[&str]) -> Output {
    Wasmvark::new(world).administer(arguments)
}

#[track_caller]
fn done(output: &Output) -> &str {
    assert_eq!(output.code, Some(0), "{output:?}");
    &output.stdout
}

/// Checks that a command fails, and what it says.
#[track_caller]
fn refused(output: &Output, mention: &str) {
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains(mention), "{mention}: {output:?}");
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The files of a folder and those below it.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).iter().map(|it| format!("{name}/{it}"))),
            false => drop(found.insert(name)),
        }
    }
    found
}

/// A module as compilers make it, for a world of some interfaces, which it doesn't name.
fn module(world: &World, only: &str) -> Vec<u8> {
    let folder = world.file("wit");
    done(&run(world, &["wit", path(&folder), "--only", only]));
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&folder).unwrap();
    let driver = resolve.select_world(&[package], None).unwrap();
    dummy_module(&resolve, driver, ManglingAndAbi::Legacy(LiftLowerAbi::Sync))
}

fn component() {
    let world = World::new();
    let files = ["module.wasm", "manifest.toml", "driver.wasm"].map(|name| world.file(name));
    let [module, manifest, driver] = files.each_ref().map(|file| path(file));
    fs::write(module, self::module(&world, "links")).unwrap();
    fs::write(manifest, MANIFEST).unwrap();
    let command = ["component", module, "--manifest", manifest, "-o", driver];
    let text = run(&world, &command);
    assert!(done(&text).contains("which can make "), "{text:?}");
    let shown = run(&world, &["inspect", driver, "--format", "json"]);
    let shown: Value = serde_json::from_str(done(&shown)).unwrap();
    assert_eq!(shown["interface"], "0.3", "{shown}");
    let calls = shown["calls"].as_object().unwrap();
    let asked = calls.iter().filter(|(_, call)| call["requested"] == true);
    let asked: Vec<&str> = asked.map(|(name, _)| name.as_str()).collect();
    assert_eq!(asked, ["links.create-veth"], "{shown}");
    let mut all = calls.keys();
    assert!(
        all.len() > 20 && all.all(|call| call.starts_with("links.")),
        "{shown}"
    );
}

fn no_component() {
    let world = World::new();
    let (made, manifest) = (world.file("made.wasm"), world.file("manifest.toml"));
    let refuses = |bytes: &[u8], mention: &str| {
        let file = world.file("given");
        fs::write(&file, bytes).unwrap();
        let options = ["--manifest", path(&manifest), "-o", path(&made)];
        let output = run(
            &world,
            &[&["component", path(&file)], &options[..]].concat(),
        );
        refused(&output, mention);
        assert!(!made.exists());
    };
    fs::write(&manifest, MANIFEST).unwrap();
    refuses(b"#!/bin/sh\n", "no WebAssembly module");
    let component = fs::read(places::guest(GUEST)).unwrap();
    refuses(&component, "wasmvark manifest set");
    let core = fs::read(places::guest("core-module")).unwrap();
    refuses(&core, "wasmvark:driver/handler@0.3.0");
    let module = module(&world, "routes");
    refuses(
        &module,
        "links.create-veth, which the component doesn't import",
    );
    refuses(&module[..module.len() - 3], "unexpected end");
}

fn without_exports() {
    let world = World::new();
    let output = run(&world, &["inspect", path(&places::guest("empty"))]);
    refused(&output, "exports no wasmvark:driver/handler@0.3.0");
}

fn bindings() {
    let world = World::new();
    for (language, some) in [
        ("c", "driver.h"),
        ("go", "wasmvark_driver_links/wit_bindings.go"),
        ("ts", "wasmvark.d.ts"),
    ] {
        let folder = world.file(language);
        let command = ["bindings", path(&folder), "--lang", language];
        let text = run(&world, &command);
        assert!(done(&text).contains("wasmvark:driver@0.3.0"), "{text:?}");
        assert!(files(&folder).contains(some), "{:?}", files(&folder));
        refused(&run(&world, &command), "isn't empty");
    }
}

/// The packages of a library for Go are in its module.
fn a_module() {
    let world = World::new();
    let folder = world.file("go");
    let module = ["--module", "example.org/lan"];
    let bindings = |lang, module: &[&str]| {
        let command = ["bindings", path(&folder), "--lang", lang];
        run(&world, &[&command, module].concat())
    };
    refused(&bindings("c", &module), "--module is for Go only");
    refused(
        &bindings("go", &["--module", "a\"b"]),
        "no name of a Go module",
    );
    done(&bindings("go", &module));
    let text = fs::read_to_string(folder.join("links/links.go")).unwrap();
    assert!(text.contains("\"example.org/lan/driver\""), "{text}");
    assert!(text.contains("// SetUp sets a link up"), "{text}");
    assert!(text.contains("\nfunc SetUp(link *Link) error {"), "{text}");
}

fn some_bindings() {
    let world = World::new();
    let folder = world.file("ts");
    let command = ["bindings", path(&folder), "--lang", "ts", "--only", "state"];
    done(&run(&world, &command));
    let text = fs::read_to_string(folder.join("wasmvark.d.ts")).unwrap();
    let modules = text
        .lines()
        .filter_map(|line| line.strip_prefix("declare module '"));
    let modules: Vec<&str> = modules.filter_map(|rest| rest.split('@').next()).collect();
    let wanted = ["types", "state", "log", "handler"];
    assert_eq!(
        modules,
        wanted.map(|name| format!("wasmvark:driver/{name}"))
    );
    // The documentation comes along.
    assert!(text.contains("/**\n"), "{text}");
    // What is absent is null for the engine that the folders of `new` use.
    assert!(
        text.contains("mtu?: number | null | undefined;\n"),
        "{text}"
    );
    let other = world.file("other");
    let unknown = ["bindings", path(&other), "--lang", "c", "--only", "link"];
    refused(&run(&world, &unknown), "there is no interface \"link\"");
    assert!(!other.exists());
}

fn new() {
    let world = World::new();
    for language in ["rust", "c", "go", "python", "js", "ts", "zig"] {
        let folder = world.file(&format!("in-{language}"));
        let text = run(&world, &["new", path(&folder), "--lang", language]);
        assert!(done(&text).contains("make test"), "{text:?}");
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(
            readme.starts_with(&format!("# in-{language}\n")),
            "{readme}"
        );
        let names = readme.lines().filter_map(|line| line.strip_prefix("| `"));
        for name in names.filter_map(|rest| rest.split('`').next()) {
            let there = files(&folder);
            let begin = name.trim_end_matches("*/");
            assert!(
                there.iter().any(|file| file.starts_with(begin)),
                "{name}: {there:?}"
            );
        }
    }
}

fn no_new() {
    let world = World::new();
    let new = |folder: &Path| run(&world, &["new", path(folder), "--lang", "c"]);
    for name in ["Lan", "2lan", "a b", "lan.c"] {
        let folder = world.file(name);
        refused(
            &new(&folder),
            "can't be the name of a driver in every language",
        );
        assert!(!folder.exists());
    }
    let folder = world.file("lan");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "mine").unwrap();
    refused(&new(&folder), "isn't empty");
    assert_eq!(files(&folder), BTreeSet::from(["mine".to_owned()]));
    refused(&new(&world.file("no/folder/lan")), "can't write");
}
