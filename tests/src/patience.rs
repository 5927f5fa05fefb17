//! How much longer than usual the harness waits: for machines that are slow by
//! themselves, such as emulated ones. What tests promise is not stretched.

use std::env;
use std::time::Duration;

/// The time to wait where a machine of usual speed would get `usual`:
/// `WASMVARK_TEST_PATIENCE` times as much.
pub fn of(usual: Duration) -> Duration {
    let factor = env::var("WASMVARK_TEST_PATIENCE").ok();
    usual
        * factor.map_or(1, |factor| {
            factor.parse().expect("WASMVARK_TEST_PATIENCE is a number")
        })
}
