//! Files that can't be installed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, NO_LINKS};

pub(crate) fn register(suite: &mut Suite) {
    let mut file = |name: &str, mention: &'static str, file: fn(&World) -> PathBuf| {
        suite.test(format!("install/{name}"), NO_LINKS, move || {
            let world = World::new();
            let path = file(&world);
            refuses(&world, &[mention], |wasmvark| install(wasmvark, &path, &[]));
        });
    };
    file("a core module", "component", |_| {
        places::guest("core-module")
    });
    file("a component of another world", "evil:host", |_| {
        places::guest("foreign-import")
    });
    file(
        "an empty component",
        "wasmvark:driver/handler@0.3.0",
        |_| places::guest("empty"),
    );
    file("a missing file", "no-such.wasm", |world| {
        world.file("no-such.wasm")
    });
    file("a directory", "directory", |world| {
        world.directory().to_owned()
    });
    file("an empty file", "", |world| written(world, b""));
    file("a text", "", |world| written(world, b"#!/bin/sh\nexit 0\n"));
    file("a component cut short", "", |world| {
        let component = fs::read(places::guest(GUEST)).unwrap();
        written(world, &component[..component.len() / 2])
    });

    for name in [
        "", "..", "../x", "a/b", "a b", "macvlan", "bridge", "ipvlan",
    ] {
        suite.test(format!("install/name {name:?}"), NO_LINKS, move || {
            let world = World::new();
            let component = places::guest(GUEST);
            refuses(&world, &[], |wasmvark| {
                install(wasmvark, &component, &["--name", name])
            });
        });
    }
    suite.test(
        "install/name taken by another program",
        NO_LINKS,
        name_taken,
    );
    suite.test("install/wrong grants", NO_LINKS, wrong_grants);
}

/// Checks that an installation fails, says why, and leaves nothing.
fn refuses(world: &World, mentions: &[&str], install: impl FnOnce(&Wasmvark) -> Output) {
    let wasmvark = Wasmvark::new(world);
    let output = install(&wasmvark);
    // 2 is for a wrong command line.
    assert!(matches!(output.code, Some(1 | 2)), "{output:?}");
    let said = output.stderr.trim();
    assert!(!said.is_empty() && !said.contains("panicked"), "{output:?}");
    for mention in mentions {
        assert!(
            said.contains(mention),
            "{said:?} doesn't mention {mention:?}"
        );
    }
    assert_eq!(names_in(&wasmvark.plugins()), [""; 0], "links");
    assert_eq!(names_in(&wasmvark.root().join("grants")), [""; 0], "grants");
    let list = wasmvark.administer(&["list", "--format", "json"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    let drivers: serde_json::Value = serde_json::from_str(&list.stdout).expect("a JSON list");
    assert_eq!(drivers, json!([]));
}

fn install(wasmvark: &Wasmvark, component: &Path, more: &[&str]) -> Output {
    let component = component.to_string_lossy();
    let mut arguments = vec!["install", &component, "--grant-requested"];
    if !more.contains(&"--name") {
        arguments.extend(["--name", DRIVER]);
    }
    arguments.extend(more);
    wasmvark.administer(&arguments)
}

fn written(world: &World, content: &[u8]) -> PathBuf {
    let path = world.file("driver.wasm");
    fs::write(&path, content).unwrap();
    path
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Somebody else's plugin stays as it is.
fn name_taken() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let theirs = wasmvark.plugins().join(DRIVER);
    fs::create_dir_all(wasmvark.plugins()).unwrap();
    fs::write(&theirs, "theirs").unwrap();
    let output = install(&wasmvark, &places::guest(GUEST), &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.stderr.contains(&*theirs.to_string_lossy()),
        "{output:?}"
    );
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
}

fn wrong_grants() {
    let component = places::guest(GUEST);
    let good = Grant::macvlan().to_toml(DRIVER, &component);
    let zeros = format!("sha256:{}", "0".repeat(64));
    let digest = wasmvark_tests::grant::digest(&component);
    let unpinned = good.replace(&format!("digest = \"{digest}\"\n"), "");
    let remedy = format!("write digest = \"{digest}\" before the grant's tables");
    let cases = [
        ("no digest", unpinned, remedy.as_str()),
        ("no TOML", "calls = [".to_owned(), ""),
        ("empty", String::new(), ""),
        ("another digest", good.replace(&digest, &zeros), "digest"),
        ("another driver", good.replace(DRIVER, "other"), "other"),
        ("unknown key", format!("colour = \"red\"\n{good}"), "colour"),
        (
            "unknown call",
            format!("{good}\"links.destroy\" = {{}}\n"),
            "links.destroy",
        ),
        (
            "unknown reach",
            good.replace("\"links.get\" = {}", "\"links.get\" = { who = \"x\" }"),
            "who",
        ),
        (
            "unknown limit",
            good.replace("[limits]", "[limits]\npatience = 1"),
            "patience",
        ),
    ];
    for (title, grant, mention) in cases {
        let world = World::new();
        let file = world.file("grant.toml");
        fs::write(&file, grant).unwrap();
        println!("{title}");
        refuses(&world, &[mention], |wasmvark| {
            let (component, file) = (component.to_string_lossy(), file.to_string_lossy());
            wasmvark.administer(&["install", &component, "--name", DRIVER, "--grant", &file])
        });
    }
}
