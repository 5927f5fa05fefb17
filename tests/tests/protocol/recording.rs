//! `wasmvark record`: a case of this machine, on which another build is compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

use crate::bench::GUEST;

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("record/replayed with other builds", NEEDS, replayed);
    suite.test("record/a container's namespace", NEEDS, container);
    suite.test("record/what is refused", NEEDS, refused);
}

/// Records a request, and returns the case's file.
fn record(world: &World, request: &[u8], more: &[&str]) -> (PathBuf, Output) {
    let (file, case) = (world.file("request.json"), world.file("case.toml"));
    fs::write(&file, request).unwrap();
    let paths = [&file, &case].map(|path| path.to_str().unwrap());
    let command = [&["record", paths[0], "-o", paths[1]], more].concat();
    let output = Wasmvark::new(world).administer(&command);
    (case, output)
}

fn test(world: &World, case: &Path, guest: &str, more: &[&str]) -> Output {
    let driver = places::guest(guest);
    let paths = [case, &driver].map(|path| path.to_str().unwrap());
    Wasmvark::new(world).administer(&[&["test"], &paths[..], more].concat())
}

/// The case has the parent with its addresses, so the driver does the same there.
fn replayed() {
    let world = World::new();
    let request = Connection::dual("wasm-macvlan").for_plugin();
    let (case, output) = record(&world, request.as_bytes(), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let text = fs::read_to_string(&case).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let links = table["machine"]["host"]["links"].as_array().unwrap();
    let parent = links
        .iter()
        .find(|link| link["name"].as_str() == Some(PARENT));
    assert!(parent.is_some(), "{text}");

    let blessed = test(&world, &case, GUEST, &["--bless"]);
    assert_eq!(blessed.code, Some(0), "{blessed:?}");
    let text = fs::read_to_string(&case).unwrap();
    let made = format!("links.create-macvlan new link container:eth0, link host:{PARENT}");
    assert!(text.contains(&made), "{text}");
    for (guest, code) in [(GUEST, 0), ("macvlan-c", 0), ("dummy", 1)] {
        let output = test(&world, &case, guest, &[]);
        assert_eq!(output.code, Some(code), "{guest}: {output:?}");
    }
    let output = test(&world, &case, GUEST, &["--fail-at", "all"]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn container() {
    let world = World::new();
    world
        .container
        .ip("link add taken0 type veth peer name taken1");
    let request = Connection::v4("wasm-macvlan").for_plugin();
    let netns = world.container.path();
    let more = ["--netns", netns.to_str().unwrap()];
    let (case, output) = record(&world, request.as_bytes(), &more);
    assert_eq!(output.code, Some(0), "{output:?}");
    let table: toml::Table = fs::read_to_string(&case).unwrap().parse().unwrap();
    let links = table["machine"]["container"]["links"].as_array().unwrap();
    let names = links.iter().map(|link| link["name"].as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), ["taken0", "taken1"].into());
}

fn refused() {
    let world = World::new();
    for (request, more, mention) in [
        ("[]", &[][..], "it's no JSON object"),
        ("{", &[], "it's no JSON object"),
        ("{}", &["--netns", "/nonexistent"], "/nonexistent"),
    ] {
        let (case, output) = record(&world, request.as_bytes(), more);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(mention), "{mention}: {output:?}");
        assert!(!case.exists());
    }
}
