//! Longer waits for slow machines, such as emulated ones. Assertions about time aren't
//! loosened.

use std::env;
use std::time::Duration;

/// Returns the time to wait: `usual`, multiplied by `WASMVARK_TEST_PATIENCE`.
pub fn of(usual: Duration) -> Duration {
    let factor = env::var("WASMVARK_TEST_PATIENCE").ok();
    usual
        * factor.map_or(1, |factor| {
            factor.parse().expect("WASMVARK_TEST_PATIENCE is a number")
        })
}
