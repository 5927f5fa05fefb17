//! Attacks on the trail's next file, which another process opens for a confined run.

use std::fs;

use wasmvark_tests::audit;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::{TABLES, is_blocked};
use crate::class::Class;
use crate::count::Count;
use crate::scene::{Outcome, Scene, reports, violation};

/// The class with the most rights.
const CLASS: &str = "setup/widest";
/// The smallest size of a trail's file that can be set, in bytes.
const SIZE: usize = 4096;
/// More calls than such a file has lines.
const CALLS: usize = 40;

pub(crate) fn register(suite: &mut Suite, count: &Count) {
    let count = count.clone();
    suite.test("rotated/trail", NEEDS, move || stays_whole(&count));
}

fn stays_whole(count: &Count) {
    let world = World::new();
    let class = Class::named(CLASS);
    let scene = Scene::new(&world, class);
    let bounds = format!("size = {SIZE}\nkeep = 1000\n");
    fs::write(scene.wasmvark.root().join("trail.toml"), bounds).unwrap();
    let attacks = TABLES.iter().filter(|(action, _)| is_of_trail(action));
    let results: Vec<_> = attacks
        .map(|(action, call)| {
            let before = trail(&scene);
            let output = run(&scene, action);
            let after = trail(&scene);
            assert!(after.starts_with(&before), "old lines differ: {output:?}");
            let outcome = Outcome {
                reports: reports(&output.stderr),
                violation: violation(&after),
                output,
            };
            is_blocked(action, call, &outcome)
        })
        .collect();
    assert!(!results.is_empty());
    count.all_are_blocked(class, &results);
}

fn is_of_trail(action: &str) -> bool {
    action.starts_with("trail:")
}

fn run(scene: &Scene<'_>, action: &str) -> Output {
    let script = vec!["links.names container"; CALLS].join("; ");
    let document = scene.connection().option("script", &script).for_plugin();
    let mut command = scene.command(&[action]);
    command.env("WASMVARK_PAYLOAD_AT", "rotated");
    process::run(&mut command, document.as_bytes())
}

/// Reads all files of the trail, the oldest first.
fn trail(scene: &Scene<'_>) -> Vec<u8> {
    let files = audit::files(&scene.wasmvark.audit_file());
    let bytes = files.iter().map(|file| fs::read(file).unwrap());
    bytes.collect::<Vec<_>>().concat()
}
