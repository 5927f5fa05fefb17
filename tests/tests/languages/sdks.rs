//! The libraries for drivers in each language: they are as their registry takes them, and
//! the same drivers in each language pass the same cases.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::page;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::go_modules;
use crate::tools::{self, LIMIT};

/// A library, by its folder in `sdk/`.
struct Sdk {
    name: &'static str,
    needs: &'static [Need],
    /// The language of the example in its README, and the file that it's checked as.
    example: (&'static str, &'static str),
}

/// What the library for Go needs.
pub(crate) const GO: &[Need] = &[Need::Compiler("go"), Need::CrateSource(go_modules::CRATE)];

const SDKS: [Sdk; 4] = [
    Sdk {
        name: "c",
        needs: &[],
        example: ("c", "examples/readme/driver.c"),
    },
    Sdk {
        name: "go",
        needs: GO,
        example: ("go", "examples/readme/main.go"),
    },
    Sdk {
        name: "js",
        needs: &[Need::Npm],
        example: ("ts", "examples/readme/driver.ts"),
    },
    Sdk {
        name: "python",
        needs: &[Need::PythonVenv],
        example: ("python", "examples/readme/app.py"),
    },
];

/// The drivers that each library has.
const DRIVERS: [&str; 3] = ["macvlan", "ptp", "veth-lite"];

pub(crate) fn register(suite: &mut Suite) {
    for sdk in SDKS {
        suite.test(format!("sdk/{}", sdk.name), sdk.needs, move || test(&sdk));
    }
}

fn test(sdk: &Sdk) {
    let world = World::new();
    let folder = copy(&world, sdk.name);
    let (language, file) = sdk.example;
    let readme = page::read(&format!("sdk/{}/README.md", sdk.name));
    let example = page::blocks(&readme, language).concat();
    let file = folder.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, example).unwrap();

    let examples = places::workspace().join("guest-examples");
    let mut make = Command::new("make");
    make.arg(format!("DRIVERS={}", examples.display()))
        .current_dir(&folder);
    let output = process::run_within(LIMIT, tools::with(&world, &mut make), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    for driver in DRIVERS {
        let cases = examples.join(driver).join("cases");
        let count = fs::read_dir(&cases).unwrap().filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            path.extension().is_some_and(|end| end == "toml")
        });
        let passed = format!("\n{} passed, 0 failed\n", count.count());
        assert!(output.stdout.contains(&passed), "{driver}: {output:?}");
    }
}

/// Copies a library, so that nothing is built in its own folder.
pub(crate) fn copy(world: &World, name: &str) -> PathBuf {
    let folder = world.file(name);
    let source = places::workspace().join("sdk").join(name);
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--dereference"])
        .args([&source, &folder]);
    assert_eq!(process::run(&mut copy, b"").code, Some(0));
    folder
}
