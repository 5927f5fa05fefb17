//! Plans: what a driver would do, and that nothing is done.

mod page;
mod picture;
mod refused;
mod same;
mod trial;

use wasmvark_tests::harness::Suite;

pub(crate) fn register(suite: &mut Suite) {
    same::register(suite);
    refused::register(suite);
    page::register(suite);
    picture::register(suite);
}
