//! Drivers that misbehave. Each run ends with one error, and its changes are undone.

use std::time::{Duration, Instant};

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
/// What each does before it misbehaves.
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";

/// A way to misbehave.
struct Case {
    name: &'static str,
    script: &'static str,
    /// The grant's limit that stops it.
    limit: Option<(&'static str, u64)>,
    /// What the error must say.
    words: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "loops",
        script: "loop",
        limit: Some(("deadline-ms", 300)),
        words: &["300 ms", "deadline-ms"],
    },
    Case {
        name: "traps",
        script: "trap",
        limit: None,
        words: &[
            "crashed",
            "unreachable",
            "; it was in ",
            "; its last call was links.create-macvlan ",
            ", which succeeded",
        ],
    },
    Case {
        name: "panics",
        script: "panic",
        limit: None,
        // The names are those of the component's name section.
        words: &["crashed", "core::panicking::panic_fmt, called by "],
    },
    Case {
        name: "recurses",
        script: "recurse",
        limit: None,
        words: &["crashed", "stack"],
    },
    Case {
        name: "takes-memory",
        script: "alloc 100",
        limit: Some(("memory", 16 << 20)),
        words: &["memory", "16777216"],
    },
    Case {
        name: "floods-the-log",
        script: "flood 100",
        limit: Some(("log-bytes", 4096)),
        words: &["log-bytes", "4096"],
    },
    Case {
        name: "asks-too-often",
        script: "?links.get host no; ?links.get host no; ?links.get host no",
        limit: Some(("calls", 4)),
        words: &["4 calls", "`calls`"],
    },
    Case {
        name: "fails-without-a-word",
        script: "fail",
        limit: None,
        words: &["no reason"],
    },
];

pub(crate) fn register(suite: &mut Suite) {
    for case in CASES {
        let name = format!("hostile::{}", case.name);
        suite.test(name, NEEDS, || misbehaves(case));
    }
    suite.test("hostile::takes-tables", NEEDS, takes_tables);
    suite.test("hostile::too-many-instances", NEEDS, too_many_instances);
    suite.test("hostile::steers-the-terminal", NEEDS, steers_the_terminal);
    suite.test("hostile::loops-in-teardown", NEEDS, loops_in_teardown);
    suite.test(
        "hostile::asks-past-the-deadline",
        NEEDS,
        asks_past_the_deadline,
    );
}

fn grant(limit: Option<(&str, u64)>) -> Grant {
    let grant = Grant::of(&["links.get", "links.create-macvlan", "log.write"]);
    match limit {
        Some((limit, value)) => grant.limit(limit, value),
        None => grant,
    }
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn misbehaves(case: &Case) {
    let world = World::new();
    let probe = Probe::new(&world, &grant(case.limit));
    let script = format!("{MAKE}; {}", case.script);
    let error = probe.setup_fails(v4(), &script);
    for word in case.words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
    if case.limit.is_some() {
        let file = probe.wasmvark.grant_file(NAME);
        assert!(error.contains(&*file.to_string_lossy()), "{error}");
    }
}

fn takes_tables() {
    let world = World::new();
    let probe = Probe::with(
        &world,
        "grow-table",
        &Grant::nothing().limit("table-elements", 1000),
    );
    let error = probe.setup_fails(v4(), "");
    assert!(
        error.contains("table-elements") && error.contains("1000"),
        "{error}"
    );
}

fn too_many_instances() {
    let world = World::new();
    let probe = Probe::new(&world, &grant(Some(("instances", 1))));
    let error = probe.setup_fails(v4(), "");
    assert!(error.contains("instances"), "{error}");
}

fn steers_the_terminal() {
    let world = World::new();
    let probe = Probe::new(&world, &grant(None));
    let script = "log.write warn a\u{1b}[2Jb; fail c\u{1b}[2Jd\u{202e}e";
    let output = probe.setup(v4(), script);
    assert!(output.stderr.contains("a\u{fffd}[2Jb"), "{output:?}");
    assert!(!output.stderr.contains('\u{1b}'), "{output:?}");
    let error = wasmvark_tests::wasmvark::error_of(&output);
    assert_eq!(error, "c\u{fffd}[2Jd\u{fffd}e");
}

fn loops_in_teardown() {
    let world = World::new();
    let probe = Probe::new(&world, &grant(Some(("deadline-ms", 300))));
    wasmvark_tests::wasmvark::answer_of(&probe.setup(v4(), MAKE));
    let start = Instant::now();
    probe.teardown(&v4().option("teardown-script", "loop"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// The time of host calls counts too.
fn asks_past_the_deadline() {
    let world = World::new();
    let grant = Grant::of(&["links.get", "links.info"])
        .limit("calls", 100_000)
        .limit("deadline-ms", 50);
    let probe = Probe::new(&world, &grant);
    // More than any machine manages in that time.
    let script = format!("links.get host p0;{}", "?links.info 0;".repeat(60_000));
    let error = probe.setup_fails(v4(), &script);
    assert!(error.contains("deadline-ms"), "{error}");
    let lines = probe.wasmvark.audit();
    let calls = lines.iter().filter(|line| line.event == "call").count();
    assert!(
        (1..60_000).contains(&calls),
        "{calls} calls before the deadline"
    );
}
