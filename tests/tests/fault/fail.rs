//! Runs in which an operation or a write of the journal fails.

use wasmvark_tests::harness::{Need, Suite};

use crate::bench::{self, Bench};
use crate::case::Case;
use crate::points::{Point, Trace};

/// What all of these tests need.
pub(crate) const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite, case: Case) {
    let mut trial = |name: &'static str, test: fn(Case, &str)| {
        suite.test(format!("{}/{name}", case.title), case.needs, move || {
            test(case, name);
        });
    };
    trial("setup errors", |case, title| {
        bench::try_all(case, title, setup_points, failing_setup);
    });
    trial("teardown errors", |case, title| {
        bench::try_all(case, title, teardown_points, failing_teardown);
    });
    if case.stands_for_all() {
        trial("setup panics", |case, title| {
            bench::try_all(case, title, setup_panics, failing_setup);
        });
        trial("teardown panics", |case, title| {
            bench::try_all(case, title, teardown_panics, failing_teardown);
        });
    }
    trial("setup failing writes", |case, title| {
        bench::try_all(case, title, setup_writes, failing_setup);
    });
    trial("teardown failing writes", |case, title| {
        bench::try_all(case, title, teardown_writes, failing_teardown);
    });
}

fn setup_points(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_setup(bench, failures(bench))
}

fn teardown_points(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_teardown(bench, failures(bench))
}

/// One in so many operations: what comes after a panic is the same everywhere.
const PANIC_STEP: usize = 3;

fn setup_panics(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_setup(bench, |trace| trace.panics(PANIC_STEP))
}

fn teardown_panics(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_teardown(bench, |trace| trace.panics(PANIC_STEP))
}

/// All errors for drivers that stand for all; one an operation for the others and
/// for scripts, which ask the kernel for much the same again and again.
fn failures(bench: &Bench<'_>) -> fn(&Trace) -> Vec<Point> {
    match bench.case.is_tried_in_full() {
        true => Trace::failures,
        false => Trace::failures_in_turn,
    }
}

/// The same for writes.
fn failed_writes(bench: &Bench<'_>) -> fn(&Trace) -> Vec<Point> {
    match bench.case.is_tried_in_full() {
        true => Trace::failed_writes,
        false => Trace::failed_writes_in_turn,
    }
}

fn setup_writes(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_setup(bench, failed_writes(bench))
}

fn teardown_writes(bench: &Bench<'_>) -> Vec<Point> {
    bench::of_teardown(bench, failed_writes(bench))
}

/// netavark sends no teardown after a setup that failed. Where the setup
/// manages in spite of the error, it's torn down.
fn failing_setup(bench: &Bench<'_>, point: &Point) -> Result<(), String> {
    let output = bench.run("setup", &point.fault);
    match output.code {
        Some(1) => bench
            .nothing_is_left()
            .map_err(|error| format!("after {}: {error}", output.stdout)),
        Some(0) => bench.end_point("teardown: "),
        _ => Err(format!("{output:?}")),
    }
}

/// The teardown may fail then, but not say that it succeeded and leave
/// something; and the next one clears everything.
fn failing_teardown(bench: &Bench<'_>, point: &Point) -> Result<(), String> {
    bench.succeeds("setup")?;
    let output = bench.run("teardown", &point.fault);
    match output.code {
        Some(0) => bench.nothing_is_left(),
        Some(1) => bench.end_point("teardown again: "),
        _ => Err(format!("{output:?}")),
    }
}
