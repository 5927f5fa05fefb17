//! Plans: their drivers run confined, too.

use std::fs;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::TABLES;
use crate::class::{Class, Way};
use crate::scene::{NAME, Scene, is_refusal, reports};

/// Actions that the plans of some classes need.
const ALLOWED: &[(&str, Option<Way>)] = &[
    ("call:netlink-route", None),
    ("call:netlink-netfilter", Some(Way::Netfilter)),
    ("call:netlink-generic", Some(Way::Generic)),
];
/// Changing files, which a run that writes a trail can't do. A plan has none open but its
/// output.
const OWN_OUTPUT: &[&str] = &["call:ftruncate"];

pub(crate) fn register(suite: &mut Suite) {
    for class in ["setup/smallest", "setup/widest"] {
        suite.test(format!("planned/{class}"), NEEDS, move || blocks_all(class));
    }
}

fn blocks_all(class: &'static str) {
    let world = World::new();
    let class = Class::named(class);
    let scene = Scene::new(&world, class);
    let request = scene.wasmvark.root().join("request.json");
    fs::write(&request, scene.document()).unwrap();
    let is_allowed = |action: &str| {
        let mut allowed = ALLOWED.iter().filter(|(name, _)| *name == action);
        OWN_OUTPUT.contains(&action) || allowed.any(|(_, way)| way.is_none_or(|way| class.has(way)))
    };
    let calls = TABLES
        .iter()
        .filter(|(action, _)| action.starts_with("call:"));
    let through: Vec<_> = calls
        .filter(|(action, _)| !is_allowed(action))
        .filter_map(|(action, call)| {
            let mut command = scene.wasmvark.command("plan");
            command.arg(NAME).arg(&request);
            command.arg("--netns").arg(world.container.path());
            command.env("WASMVARK_PAYLOAD", action);
            let output = process::run(&mut command, b"");
            let reports = reports(&output.stderr);
            let is_refused = reports.get(action).is_some_and(|it| is_refusal(it));
            let is_told = output.stdout.contains(&format!("system call {call},"));
            let is_blocked = is_refused || is_told && output.code == Some(1);
            (!is_blocked).then(|| format!("{action}: {output:?}"))
        })
        .collect();
    assert!(through.is_empty(), "{through:#?}");
    scene.nothing_is_changed();
}
