//! Waits for changes that the kernel makes with a delay, such as carriers, link states
//! and the end of a namespace.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::patience;

const LIMIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(10);

/// Returns the first value that fits, or the last one at the time limit.
pub fn until<T>(look: impl FnMut() -> T, fits: impl Fn(&T) -> bool) -> T {
    until_within(LIMIT, look, fits)
}

/// Returns the first value that fits, or the last one at a time limit. Slow machines
/// wait longer.
pub fn until_within<T>(
    limit: Duration,
    mut look: impl FnMut() -> T,
    fits: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + patience::of(limit);
    loop {
        let seen = look();
        if fits(&seen) || Instant::now() > deadline {
            return seen;
        }
        sleep(STEP);
    }
}
