//! Scripts that are part of the component: tests stamp them over [`PLACE`], so
//! that each is a driver of its own, and no word of it comes from the user.
//!
//! A stamp begins with [`STAMPED`]; then come the scripts for `create`, `setup`
//! and `teardown`, a line each, and whatever is behind the last line's end.

use core::hint::black_box;

/// How much room there is.
const SIZE: usize = 8192;
/// What is there where nothing is stamped.
const MARK: &[u8] = b"tests may stamp scripts over this: ";
/// What a stamp begins with.
const STAMPED: &str = "stamped\n";

static PLACE: [u8; SIZE] = unstamped();

#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
const fn unstamped() -> [u8; SIZE] {
    let mut place = [b'~'; SIZE];
    let mut at = 0;
    while at < MARK.len() {
        place[at] = MARK[at];
        at += 1;
    }
    place
}

/// When a script is run.
#[derive(Clone, Copy)]
pub(crate) enum At {
    Create,
    Setup,
    Teardown,
}

/// The stamped script; `None` where nothing is stamped.
pub(crate) fn script(at: At) -> Option<&'static str> {
    // What the compiler knows of the place isn't what is there.
    let place: &'static [u8; SIZE] = black_box(&PLACE);
    let text = core::str::from_utf8(place).ok()?;
    let mut scripts = text.strip_prefix(STAMPED)?.split('\n');
    scripts.nth(at as usize)
}
