//! Tests that nothing is left if a run is killed or an operation fails. They try every
//! point of setup and teardown, one per run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod bench;
mod case;
mod fail;
mod kill;
mod points;
mod recovery;
mod released;
mod reload;
mod state;
mod storm;

use wasmvark_tests::harness::Suite;

fn main() {
    let mut suite = Suite::default();
    storm::register(&mut suite);
    for case in case::ALL.iter().copied() {
        kill::register(&mut suite, case);
        fail::register(&mut suite, case);
    }
    // A recovery goes the same way whatever a driver is written in, and however
    // many links there are.
    let recovered = |case: &&case::Case| case.is_tried_in_full();
    for case in case::ALL.iter().filter(recovered) {
        recovery::register(&mut suite, *case);
    }
    state::register(&mut suite);
    released::register(&mut suite);
    reload::register(&mut suite);
    suite.has_its_rows("fault");
    suite.run();
}
