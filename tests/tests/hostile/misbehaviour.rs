//! Drivers that don't end, take all resources, or crash after a change.

use crate::attack::{Attack, Does, Granted, plain};

type Calls = &'static [(&'static str, &'static str)];

const CALLS: Calls = &[
    ("links.get", "{}"),
    ("links.create-macvlan", "{}"),
    ("links.set-up", "{}"),
    ("log.write", "{}"),
];

/// What each does before.
macro_rules! after_a_change {
    ($name:literal, $grant:expr, $script:literal, $says:expr) => {
        Attack {
            name: $name,
            grant: $grant,
            asked: plain,
            does: Does::Setup(concat!(
                "links.get host p0; links.create-macvlan container eth0 0 bridge; links.set-up 1; ",
                $script
            )),
            says: $says,
        }
    };
}

/// A text ten times.
macro_rules! ten {
    ($($text:tt)*) => {
        concat!(
            $($text)*, $($text)*, $($text)*, $($text)*, $($text)*,
            $($text)*, $($text)*, $($text)*, $($text)*, $($text)*
        )
    };
}

/// The shipped limits.
const SHIPPED: Granted = Granted::Shipped("macvlan");

const fn limited(limit: &'static str, value: u64) -> Granted {
    Granted::Limited(CALLS, limit, value)
}

pub(crate) const ATTACKS: &[Attack] = &[
    after_a_change!("traps", SHIPPED, "trap", &["crashed", "unreachable"]),
    after_a_change!(
        "panics",
        SHIPPED,
        "panic",
        &["crashed", "the script says so"]
    ),
    after_a_change!("recurses", SHIPPED, "recurse", &["crashed", "stack"]),
    after_a_change!(
        "loops",
        limited("deadline-ms", 300),
        "loop",
        &["300 ms", "deadline-ms"]
    ),
    after_a_change!("takes memory", SHIPPED, "alloc 64", &["memory", "4194304"]),
    after_a_change!(
        "floods the log",
        limited("log-bytes", 16384),
        "flood 100",
        &["log-bytes"]
    ),
    after_a_change!("fails without a word", SHIPPED, "fail", &["no reason"]),
    after_a_change!(
        "fails with a forged document",
        SHIPPED,
        "fail \"}{\"error\":\"\u{1b}[2J",
        &["\"}{\"error\":\"\u{fffd}[2J"]
    ),
    after_a_change!(
        "asks too often",
        limited("calls", 6),
        "?links.get host x0; ?links.get host x0; ?links.get host x0; ?links.get host x0",
        &["`calls`"]
    ),
    Attack {
        name: "floods the trail with denials",
        grant: SHIPPED,
        asked: plain,
        does: Does::Setup(concat!(
            ten!(ten!("?links.get host x0;")),
            ten!(ten!("?links.get host x0;")),
            "trap"
        )),
        says: &["crashed"],
    },
    after_a_change!(
        "uses a handle that isn't there",
        SHIPPED,
        "links.set-up 7",
        &["7"]
    ),
    after_a_change!(
        "makes the same link twice",
        SHIPPED,
        "links.create-macvlan container eth0 0 bridge",
        &["links.create-macvlan"]
    ),
];
