//! Plans that fail, pictures of plans, and the page about plans. `netavark/plan.rs`
//! compares plans with real runs.

mod page;
mod picture;
mod refused;

use wasmvark_tests::harness::Suite;

pub(crate) fn register(suite: &mut Suite) {
    refused::register(suite);
    page::register(suite);
    picture::register(suite);
}
