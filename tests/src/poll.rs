//! Waiting for what the kernel does a little later: carriers, link states,
//! the end of a namespace.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::patience;

const LIMIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(10);

/// The first value that fits, or the last one seen when the time is up.
pub fn until<T>(look: impl FnMut() -> T, fits: impl Fn(&T) -> bool) -> T {
    until_within(LIMIT, look, fits)
}

/// The same with a limit for a machine of usual speed.
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
