//! Runs that are killed by SIGKILL at every point.

use wasmvark_tests::harness::Suite;

use crate::bench::{self, Bench};
use crate::case::Case;
use crate::points::{Point, Trace};

pub(crate) fn register(suite: &mut Suite, case: Case) {
    let mut trial = |name: &'static str, test: fn(Case, &str)| {
        suite.test(format!("{}/{name}", case.title), case.needs, move || {
            test(case, name);
        });
    };
    trial("setup kill", |case, title| {
        bench::try_all(case, title, setup_points, teardown_after_killed_setup);
    });
    trial("setup kill, setup", |case, title| {
        bench::try_all(case, title, second_setup_points, setup_after_killed_setup);
    });
    trial("teardown kill", |case, title| {
        bench::try_all(case, title, teardown_points, teardown_after_killed_teardown);
    });
}

fn setup_points(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_setup(bench, Trace::kills)
}

/// Where a setup comes after the killed one: a teardown that comes first undoes the
/// same, so for drivers that don't stand for all it's every second point.
fn second_setup_points(bench: &Bench<'_>) -> Vec<Point> {
    let step = match bench.case.is_tried_in_full() {
        true => 1,
        false => 2,
    };
    setup_points(bench).into_iter().step_by(step).collect()
}

fn teardown_points(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_teardown(bench, Trace::kills)
}

fn teardown_after_killed_setup(bench: &Bench<'_>, point: &Point) -> Result<(), String> {
    bench.is_killed("setup", point)?;
    bench.end_point("teardown after it: ")
}

fn setup_after_killed_setup(bench: &Bench<'_>, point: &Point) -> Result<(), String> {
    bench.is_killed("setup", point)?;
    bench.succeeds("setup")?;
    bench.compare(&bench.connected)?;
    bench.end_point("teardown in the end: ")
}

fn teardown_after_killed_teardown(bench: &Bench<'_>, point: &Point) -> Result<(), String> {
    bench.succeeds("setup")?;
    bench.is_killed("teardown", point)?;
    bench.end_point("teardown again: ")
}
