//! The same actions in the same program, unconfined: none is refused. So the tests would
//! notice if the confinement weren't there.

use wasmvark_tests::harness::Suite;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::TABLES;
use crate::class::Class;
use crate::files;
use crate::scene::{NAME, Scene, is_refusal, reports};

/// A child of vfork(2) can't return to what has called it.
const WITHOUT_CONTROL: &str = "call:vfork";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("control/calls", NEEDS, || {
        let actions = TABLES.iter().map(|(action, _)| action.clone());
        let actions: Vec<_> = actions.filter(|it| it != WITHOUT_CONTROL).collect();
        let world = World::new();
        let scene = Scene::new(&world, Class::named("setup/smallest"));
        work_in(&world, &scene, &actions);
    });
    suite.test("control/files", NEEDS, || {
        let world = World::new();
        let scene = Scene::new(&world, Class::named("setup/smallest"));
        let mut actions = files::actions(&scene);
        actions.extend(files::calls(&scene).map(|(action, _)| action));
        work_in(&world, &scene, &actions);
    });
}

/// Checks that the kernel refuses no action for a lack of rights.
fn work_in(world: &World, scene: &Scene<'_>, actions: &[String]) {
    let trail = world.file("trail");
    std::fs::write(&trail, "an old line\n").expect("a file can be written");
    let mut program = scene.wasmvark.plugin_command(NAME);
    program
        .env("WASMVARK_PAYLOAD", actions.join("\n"))
        .env("WASMVARK_PAYLOAD_AT", "start")
        .env("WASMVARK_PAYLOAD_TRAIL", &trail);
    let output = process::run(&mut program, b"");
    let reports = reports(&output.stderr);
    assert_eq!(reports.len(), actions.len(), "{output:?}");
    let fails = |outcome: &str| is_refusal(outcome) || outcome.starts_with("SIG");
    let failed: Vec<_> = reports
        .iter()
        .filter(|(_, outcome)| fails(outcome))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
