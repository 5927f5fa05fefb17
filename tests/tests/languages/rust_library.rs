//! The library for drivers in Rust: its packages are as the registry takes them, and a
//! package outside of this project's has what its README shows.

use std::fs;
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::page;
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::world::World;

use crate::tools::{self, LIMIT};

/// The library, and what it consists of.
const PACKAGES: [&str; 3] = [
    "wasmvark-manifest",
    "wasmvark-guest-macros",
    "wasmvark-guest",
];

const CARGO: &str = r#"
[package]
name = "lan"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
wasmvark-guest = "0.1"

[workspace]
"#;

const MANIFEST: &str = r#"
name = "lan"
version = "0.1.0"
description = "Gives each container a dummy link."
licence = "Apache-2.0"

[calls]
"links.create-dummy" = { reason = "make the container's link" }
"links.set-up" = { reason = "set it up" }
"addresses.add" = { reason = "give it the container's addresses" }
"#;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("sdk/rust", &[Need::Cargo], test);
}

fn test() {
    let world = World::new();
    let target = world.file("published");
    for command in [&["package"][..], &["publish", "--dry-run"]] {
        let mut cargo = Command::new("cargo");
        cargo
            .args(command)
            .args(["--allow-dirty", "--no-verify", "--locked", "--target-dir"])
            .arg(&target)
            .args(PACKAGES.iter().flat_map(|name| ["--package", name]))
            .current_dir(places::workspace());
        succeeds(&run(&world, &mut cargo));
    }

    let mut patches = "[patch.crates-io]\n".to_owned();
    for name in PACKAGES {
        let crate_file = target.join(format!("package/{name}-0.1.0.crate"));
        let mut unpack = Command::new("tar");
        unpack.arg("--extract").arg("--file").arg(crate_file);
        succeeds(&run(&world, unpack.arg("--directory").arg(&target)));
        let folder = target.join(format!("{name}-0.1.0"));
        patches.push_str(&format!("{name} = {{ path = {folder:?} }}\n"));
    }

    let readme = page::read("sdk/rust/README.md");
    let blocks = page::blocks(&readme, "rust");
    let [driver, test] = blocks.as_slice() else {
        panic!("the README has the driver and its test: {blocks:?}");
    };
    let case = "[network]\nsubnets = [{ subnet = \"192.0.2.0/24\" }]\n[container]\nstatic_ips = [\"192.0.2.9\"]\n\
        [expect]\nteardown = \"undone link container:eth0 made\\n\"\n";
    for (file, text) in [
        ("Cargo.toml", format!("{CARGO}\n{patches}")),
        ("manifest.toml", MANIFEST.to_owned()),
        ("src/lib.rs", driver.clone()),
        ("tests/cases.rs", test.clone()),
        ("cases/connect.toml", case.to_owned()),
    ] {
        let file = world.file("lan").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let mut cargo = Command::new("cargo");
    let output = run(&world, cargo.arg("test").current_dir(world.file("lan")));
    succeeds(&output);
    assert!(output.stdout.contains("test cases ... ok"), "{output:?}");

    // A case that fails is a test that fails, with what differs.
    let wrong = case.replace("made", "kept");
    fs::write(world.file("lan/cases/connect.toml"), wrong).unwrap();
    let mut cargo = Command::new("cargo");
    let output = run(&world, cargo.arg("test").current_dir(world.file("lan")));
    assert_eq!(output.code, Some(101), "{output:?}");
    assert!(
        output.stdout.contains("- undone link container:eth0 kept"),
        "{output:?}"
    );
}

fn run(world: &World, command: &mut Command) -> Output {
    process::run_within(LIMIT, tools::with(world, command), b"")
}

#[track_caller]
fn succeeds(output: &Output) {
    assert_eq!(output.code, Some(0), "{output:?}");
}
