//! The library for drivers in Go is a module that others can use: the driver of its README
//! is built outside of this project.

use std::fs;
use std::process::Command;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::page;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::tools::{self, LIMIT};
use crate::{go_modules, sdks};

const MODULE: &str = "github.com/wasmvark/wasmvark/sdk/go";

const GO_MOD: &str = "module example.org/lan\n\ngo 1.25\n\n\
                      require github.com/wasmvark/wasmvark/sdk/go v0.1.0\n";

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
    suite.test("sdk/a module of Go", sdks::GO, test);
}

fn test() {
    let world = World::new();
    let folder = sdks::copy(&world, "go");
    make(
        &world,
        Command::new("make").arg("package").current_dir(&folder),
    );
    go_modules::serve(&world, &folder.join("dist"), MODULE, "v0.1.0");

    let readme = page::read("sdk/go/README.md");
    let commands = page::blocks(&readme, "sh").concat();
    let case = "[network]\nsubnets = [{ subnet = \"192.0.2.0/24\" }]\n[container]\n\
                static_ips = [\"192.0.2.9\"]\n[expect]\n\
                teardown = \"undone link container:eth0 made\\n\"\n";
    for (file, text) in [
        ("go.mod", GO_MOD.to_owned()),
        ("manifest.toml", MANIFEST.to_owned()),
        ("main.go", page::blocks(&readme, "go").concat()),
        ("case.toml", case.to_owned()),
    ] {
        let file = world.file("lan").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let all = format!("go mod tidy\n{commands}\nwasmvark test case.toml driver.wasm\n");
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-c", &all])
        .current_dir(world.file("lan"));
    let printed = make(&world, &mut shell);
    assert!(printed.contains("can make 3 calls"), "{printed}");
    assert!(printed.contains("1 passed, 0 failed"), "{printed}");
}

#[track_caller]
fn make(world: &World, command: &mut Command) -> String {
    let output = process::run_within(LIMIT, tools::with(world, command), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}
