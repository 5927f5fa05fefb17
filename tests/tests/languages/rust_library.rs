//! The library for drivers in Rust: its packages are as the registry takes them, and a
//! package outside of this project's has what its README shows.

use std::fs;
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::page;
use wasmvark_tests::places;
use wasmvark_tests::world::World;

use crate::outside::{self, run, succeeds};

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
    let folder = outside::write(
        &world,
        &[
            ("Cargo.toml", &format!("{CARGO}\n{patches}")),
            ("src/lib.rs", driver),
            ("tests/cases.rs", test),
        ],
    );
    let mut cargo = Command::new("cargo");
    let output = run(&world, cargo.arg("test").current_dir(&folder));
    succeeds(&output);
    assert!(output.stdout.contains("test cases ... ok"), "{output:?}");

    // A case that fails is a test that fails, with what differs.
    let wrong = outside::CASE.replace("made", "kept");
    fs::write(folder.join("cases/connect.toml"), wrong).unwrap();
    let mut cargo = Command::new("cargo");
    let output = run(&world, cargo.arg("test").current_dir(&folder));
    assert_eq!(output.code, Some(101), "{output:?}");
    assert!(
        output.stdout.contains("- undone link container:eth0 kept"),
        "{output:?}"
    );
}
