//! The process that looks at others for a command, taken over: it changes nothing, starts
//! nothing, and tells nobody but the command.

use std::fs;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::TABLES;
use crate::class::Class;
use crate::scene::{Scene, is_refusal, reports};

/// The actions on a file, a folder's new entry, and files of the machine. Only opening is
/// tried on the machine's own.
const FILES: &[&str] = &[
    "write:/etc/passwd",
    "write:/proc/sys/kernel/hostname",
    "write:/proc/self/oom_score_adj",
    "write:FILE",
    "make:FILE-new",
    "folder:FILE-new",
    "remove:FILE",
    "rename:FILE:FILE-new",
    "open:FILE:fchmod",
    "open:FILE:fchown",
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("lookout/payloads", NEEDS, nothing_is_done);
}

fn nothing_is_done() {
    let world = World::new();
    let scene = Scene::new(&world, Class::named("setup/smallest"));
    let clean = gc(&scene, None);
    assert_eq!(clean.code, Some(0), "{clean:?}");
    assert!(clean.stdout.contains("1 cleared"), "{clean:?}");
    let calls = TABLES.iter().map(|(action, _)| action.as_str());
    let calls = calls.filter(|action| action.starts_with("call:"));
    let file = world.file("kept");
    fs::write(&file, "kept").unwrap();
    let file = file.to_str().unwrap();
    let files = FILES.iter().map(|action| action.replace("FILE", file));
    let through: Vec<_> = calls
        .map(str::to_owned)
        .chain(files)
        .filter_map(|action| is_through(&scene, &action))
        .collect();
    assert!(through.is_empty(), "{through:#?}");
}

/// Returns what is known of an action that was neither refused nor killed.
fn is_through(scene: &Scene<'_>, action: &str) -> Option<String> {
    let output = gc(scene, Some(action));
    match reports(&output.stderr).get(action) {
        Some(report) if is_refusal(report) => None,
        None if output.code == Some(1) && output.stderr.contains("has ended") => None,
        _ => Some(format!("{action}: {output:?}")),
    }
}

/// Runs the command where it has to look, with an action in the process that does.
fn gc(scene: &Scene<'_>, action: Option<&str>) -> Output {
    scene.keep_empty_journal();
    let mut command = scene.wasmvark.command("gc");
    if let Some(action) = action {
        command.env("WASMVARK_PAYLOAD_AT", "lookout");
        command.env("WASMVARK_PAYLOAD", action);
    }
    process::run(&mut command, b"")
}
