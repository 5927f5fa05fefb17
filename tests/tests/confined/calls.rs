//! System calls and attacks on the open trail, for each class of grants.

use std::process::Command;
use std::sync::LazyLock;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::class::{CLASSES, Class, Way};
use crate::count::Count;
use crate::scene::{Outcome, Scene, is_refusal};

/// The actions of the program's tables, each with the system call that it tries.
pub(crate) static TABLES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut program = Command::new(places::faulty());
    let output = process::run(program.env("WASMVARK_PAYLOAD_AT", "list"), b"");
    let lines = output.stdout.lines();
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .map(|(action, call)| (action.to_owned(), call.to_owned()))
        .collect()
});

/// Actions that some classes need, which are allowed there. Every run has routes.
const ALLOWED: &[(&str, Option<Way>)] = &[
    ("call:netlink-route", None),
    ("call:netlink-netfilter", Some(Way::Netfilter)),
    ("call:netlink-generic", Some(Way::Generic)),
    ("call:packet-dgram", Some(Way::Packets)),
    ("call:icmp6-raw", Some(Way::Packets)),
    ("call:make-tap", Some(Way::Taps)),
];

/// A call of x32 and one of i386, which the processor has beside its own. The kernel kills
/// a process whose filter isn't made for the ABI of a call.
#[cfg(target_arch = "x86_64")]
pub(crate) const OTHER_ABIS: [&str; 2] = ["abi:x32", "abi:i386"];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const OTHER_ABIS: [&str; 0] = [];

pub(crate) fn register(suite: &mut Suite, count: &Count) {
    for class in CLASSES {
        let count = count.clone();
        suite.test(format!("calls/{}", class.name), NEEDS, move || {
            all(class, &count);
        });
    }
}

fn all(class: &'static Class, count: &Count) {
    let world = World::new();
    let scene = Scene::new(&world, class);
    let is_allowed = |action: &str| {
        let mut allowed = ALLOWED.iter().filter(|(name, _)| *name == action);
        allowed.any(|(_, way)| way.is_none_or(|way| class.has(way)))
    };
    let mut results = Vec::new();
    for (action, call) in TABLES.iter() {
        let outcome = scene.run(&[action]);
        if is_allowed(action) {
            let report = outcome.reports.get(action);
            let works = report.is_some_and(|report| !is_refusal(report));
            assert!(works, "{action}: {:?}", outcome.output);
            continue;
        }
        results.push(is_blocked(action, call, &outcome));
    }
    results.push(is_killed(&scene, "masked:kill"));
    results.extend(OTHER_ABIS.map(|action| is_killed(&scene, action)));
    scene.nothing_is_changed();
    count.all_are_blocked(class, &results);
    scene.succeeds();
}

/// Whether an action has ended in a violation that names its system call, or was refused.
pub(crate) fn is_blocked(action: &str, call: &str, outcome: &Outcome) -> Result<(), String> {
    let output = &outcome.output;
    let is_refused = outcome.reports.get(action).is_some_and(|it| is_refusal(it));
    let is_named = outcome.violation.as_deref() == Some(call);
    let is_told = output.code == Some(1) && output.stdout.contains(&format!("system call {call},"));
    match is_refused || is_named && is_told {
        true => Ok(()),
        false => Err(format!("{action}: {:?}, {output:?}", outcome.reports)),
    }
}

/// Whether an action is ended by the filter's signal, without its handler, or is a violation
/// by a call without a name.
fn is_killed(scene: &Scene<'_>, action: &str) -> Result<(), String> {
    let outcome = scene.run(&[action]);
    match (outcome.output.code, outcome.violation.as_deref()) {
        (None, _) | (Some(1), Some("unknown")) => Ok(()),
        _ => Err(format!("{action}: {:?}", outcome.output)),
    }
}
