//! The libraries are of use outside of this project: the driver of each README is built as
//! that says, from what is published.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::page;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::world::World;

use crate::tools::{self, LIMIT};
use crate::{go_modules, sdks};

/// The name of the library's module for Go.
const GO_MODULE: &str = "github.com/wasmvark/wasmvark/sdk/go";

const GO_MOD: &str = "module example.org/lan\n\ngo 1.25\n\n\
                      require github.com/wasmvark/wasmvark/sdk/go v0.1.0\n";

/// The manifest of the READMEs' driver, which gives each container a dummy link.
pub(crate) const MANIFEST: &str = r#"
name = "lan"
version = "0.1.0"
description = "Gives each container a dummy link."
licence = "Apache-2.0"

[calls]
"links.create-dummy" = { reason = "make the container's link" }
"links.set-up" = { reason = "set it up" }
"addresses.add" = { reason = "give it the container's addresses" }
"#;

/// A case of that driver.
pub(crate) const CASE: &str = r#"
[network]
subnets = [{ subnet = "192.0.2.0/24" }]

[container]
static_ips = ["192.0.2.9"]

[expect]
teardown = "undone link container:eth0 made\n"
"#;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("sdk/a module of Go", sdks::GO, go);
    suite.test("sdk/an archive for C", &[], c);
}

fn go() {
    let world = World::new();
    let folder = sdks::copy(&world, "go");
    let mut make = Command::new("make");
    succeeds(&run(&world, make.arg("package").current_dir(&folder)));
    go_modules::serve(&world, &folder.join("dist"), GO_MODULE, "v0.1.0");
    write(
        &world,
        &[("go.mod", GO_MOD), ("main.go", &example("go", "go"))],
    );
    build(&world, "go", "go mod tidy");
}

fn c() {
    let world = World::new();
    let folder = sdks::copy(&world, "c");
    let mut make = Command::new("make");
    succeeds(&run(&world, make.arg("package").current_dir(&folder)));
    write(&world, &[("driver.c", &example("c", "c"))]);
    build(&world, "c", "tar --extract --file ../c/dist/*.tar.gz");
}

/// The code of a README.
fn example(library: &str, language: &str) -> String {
    page::blocks(&page::read(&format!("sdk/{library}/README.md")), language).concat()
}

/// Writes a driver's files, with its manifest and a case.
pub(crate) fn write(world: &World, files: &[(&str, &str)]) -> PathBuf {
    let folder = world.file("lan");
    for (file, text) in [("manifest.toml", MANIFEST), ("cases/connect.toml", CASE)]
        .iter()
        .chain(files)
    {
        let file = folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

/// Builds the driver by the commands of the README, and runs the case.
fn build(world: &World, library: &str, before: &str) {
    let commands = example(library, "sh");
    let all = format!("{before}\n{commands}\nwasmvark test cases driver.wasm\n");
    let mut shell = Command::new("sh");
    let shell = shell.args(["-e", "-c", &all]);
    let output = run(world, shell.current_dir(world.file("lan")));
    succeeds(&output);
    assert!(output.stdout.contains("can make 3 calls"), "{output:?}");
    assert!(output.stdout.contains("1 passed, 0 failed"), "{output:?}");
}

/// Runs a program with the tools of the languages.
pub(crate) fn run(world: &World, command: &mut Command) -> Output {
    process::run_within(LIMIT, tools::with(world, command), b"")
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) {
    assert_eq!(output.code, Some(0), "{output:?}");
}
