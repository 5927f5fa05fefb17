//! Pictures of plans.

use wasmvark_tests::harness::Suite;

pub(crate) fn register(_suite: &mut Suite) {}
