//! Plans that fail, pictures of plans, and their page. That plans say what runs
//! then do is tried with the drivers, beside netavark.

mod page;
mod picture;
mod refused;

use wasmvark_tests::harness::Suite;

pub(crate) fn register(suite: &mut Suite) {
    refused::register(suite);
    page::register(suite);
    picture::register(suite);
}
