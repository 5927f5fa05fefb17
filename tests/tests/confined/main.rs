//! Tests that a driver which has broken out of its sandbox gets nowhere: payloads run in
//! its place, in the confined process. The same payloads work in the unconfined program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod calls;
mod class;
mod commands;
mod control;
mod count;
mod files;
mod lookout;
mod planned;
mod rotated;
mod scene;
mod status;
mod thin;
mod unlisted;

use wasmvark_tests::harness::{Need, Suite};

use count::Count;

/// What all of these tests need.
const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Confinement];

fn main() {
    let mut suite = Suite::default();
    let count = Count::default();
    calls::register(&mut suite, &count);
    files::register(&mut suite, &count);
    unlisted::register(&mut suite, &count);
    status::register(&mut suite);
    commands::register(&mut suite);
    lookout::register(&mut suite);
    planned::register(&mut suite);
    rotated::register(&mut suite, &count);
    thin::register(&mut suite);
    control::register(&mut suite);
    suite.has_its_rows("confined");
    suite.run_then(move || print!("{count}"));
}
