//! The commands and the numbers in `docs/audit.md`.

use std::fs;
use std::os::unix::fs::symlink;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, NO_LINKS};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("audit/the page's commands", NO_LINKS, commands);
    suite.test("audit/the page's files", NO_LINKS, files);
}

fn page() -> String {
    fs::read_to_string(places::workspace().join("docs/audit.md")).unwrap()
}

/// The blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let blocks = page.split(&start).skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

/// A driver that has run.
fn installed(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install(GUEST, DRIVER, &Grant::example("macvlan"));
    let request = Connection::v4(DRIVER).for_create();
    answer_of(&wasmvark.plugin(DRIVER, &["create"], request));
    wasmvark
}

fn commands() {
    let world = World::new();
    let wasmvark = installed(&world);
    let programs = world.file("bin");
    fs::create_dir(&programs).unwrap();
    symlink(places::wasmvark(), programs.join("wasmvark")).unwrap();
    let folder = world.file("here");
    fs::create_dir(&folder).unwrap();
    let commands = blocks(&page(), "sh").concat();
    assert!(commands.lines().count() > 5, "{commands}");
    for command in commands.lines() {
        let mut shell = world.host.command("/bin/sh");
        shell
            .args(["-c", command])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", &programs)
            .env("WASMVARK_ROOT", wasmvark.root());
        let output = process::run(&mut shell, b"");
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    }
    for file in ["least.toml", "audit.json", "audit.html"] {
        let length = fs::metadata(folder.join(file)).unwrap().len();
        assert!(length > 0, "{file}");
    }
}

/// Both files that it shows are taken, and the bounds are those without one.
fn files() {
    let world = World::new();
    let wasmvark = installed(&world);
    let blocks = blocks(&page(), "toml");
    let [grant, trail] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let file = wasmvark.grant_file(DRIVER);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n{grant}")).unwrap();
    fs::write(wasmvark.root().join("trail.toml"), trail).unwrap();
    let request = Connection::v4(DRIVER).for_create();
    answer_of(&wasmvark.plugin(DRIVER, &["create"], request));
    let source = places::workspace().join("host/audit/src/rotation.rs");
    let source = fs::read_to_string(source).unwrap();
    assert!(source.contains("size: 8 << 20,") && trail.contains("size = 8388608"));
    assert!(source.contains("keep: 12,") && trail.contains("keep = 12"));
}
