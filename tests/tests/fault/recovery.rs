//! Runs that fail while they recover from a killed setup, at every point.
//!
//! A point fails with one error only, because there are so many points. The setups that
//! weren't killed try each operation with each error.

use wasmvark_tests::harness::Suite;

use crate::bench::{self, Bench, Try};
use crate::case::Case;
use crate::points::{Point, Trace};

pub(crate) fn register(suite: &mut Suite, case: Case) {
    let mut trial = |name: &'static str, points: fn(&Bench<'_>) -> Vec<Point>, attempt: Try| {
        suite.test(format!("{}/{name}", case.title), case.needs, move || {
            bench::try_all(case, name, points, attempt);
        });
    };
    trial(
        "setup kill, teardown kill",
        |bench| points(bench, "teardown", Trace::kills),
        |bench, point| is_killed(bench, "teardown", point),
    );
    trial(
        "setup kill, setup kill",
        |bench| points(bench, "setup", Trace::kills),
        |bench, point| is_killed(bench, "setup", point),
    );
    trial(
        "setup kill, teardown errors",
        |bench| points(bench, "teardown", Trace::failures_in_turn),
        |bench, point| has_error(bench, "teardown", point),
    );
    trial(
        "setup kill, setup errors",
        |bench| points(bench, "setup", Trace::failures_in_turn),
        |bench, point| has_error(bench, "setup", point),
    );
}

/// All points of the recovery from each of the chosen kills.
fn points(bench: &Bench<'_>, command: &str, kind: fn(&Trace) -> Vec<Point>) -> Vec<Point> {
    let mut points = Vec::new();
    for kill in chosen_kills(bench) {
        kill_setup(bench, &kill).unwrap();
        let mut trace = bench.trace_next(command);
        bench.end_point("").unwrap();
        if command == "setup" {
            trace = trace.before(&bench.trace_next(command));
            bench.end_point("").unwrap();
        }
        let here = kind(&trace).into_iter();
        points.extend(here.map(|point| Point {
            before: Some(kill.clone()),
            ..point
        }));
    }
    points
}

/// SIGKILL after the first change of the kernel, in the middle, and when all
/// is done but the answer.
fn chosen_kills(bench: &Bench<'_>) -> [String; 3] {
    let trace = bench.trace("setup");
    bench.end_point("").unwrap();
    let last = trace.operations().count();
    let after = |number: usize| format!("killafter:{number}");
    let changes = |number: &usize| {
        kill_setup(bench, &after(*number)).unwrap();
        let changed = bench.is_changed();
        bench.end_point("").unwrap();
        changed
    };
    let first = (1..=last).find(changes).expect("a setup changes something");
    [after(first), after(first.midpoint(last)), trace.end()]
}

fn kill_setup(bench: &Bench<'_>, fault: &str) -> Result<(), String> {
    bench::killed("setup", &bench.run("setup", fault))
}

fn before(point: &Point) -> &str {
    point.before.as_deref().expect("a setup was killed before")
}

fn is_killed(bench: &Bench<'_>, command: &str, point: &Point) -> Result<(), String> {
    kill_setup(bench, before(point))?;
    bench::killed(command, &bench.run_next(command, &point.fault, None))?;
    bench.end_point("teardown in the end: ")
}

/// The run may fail then; a teardown that says that it succeeded left nothing.
fn has_error(bench: &Bench<'_>, command: &str, point: &Point) -> Result<(), String> {
    kill_setup(bench, before(point))?;
    let output = bench.run_next(command, &point.fault, None);
    match (command, output.code) {
        ("teardown", Some(0)) => bench.nothing_is_left(),
        (_, Some(0 | 1)) => bench.end_point("teardown in the end: "),
        _ => Err(format!("{output:?}")),
    }
}
