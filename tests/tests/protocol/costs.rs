//! What a run costs, in system calls. Their number doesn't depend on how fast the machine
//! is, or on what else runs on it. `tests/fixtures/costs.toml` has the numbers on record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, PROBE};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Strace, Need::Confinement];

/// The record.
const RECORD: &str = "tests/fixtures/costs.toml";
/// The head of the record.
const HEAD: &str = "\
# The system calls of runs, as strace counts them, by the processor's architecture, the run
# and the call. `just costs` writes them. Calls that wait are left out.
";

/// By how many percent the number of calls may grow before the test fails. Kernels differ:
/// in their capabilities, for example, each of which a run gives up by a call of its own.
const GROWTH: u64 = 10;

/// System calls that wait. How often a run makes them depends on what runs beside it.
const WAITING: [&str; 9] = [
    "clock_nanosleep",
    "epoll_pwait",
    "epoll_wait",
    "futex",
    "nanosleep",
    "poll",
    "ppoll",
    "restart_syscall",
    "sched_yield",
];

/// The calls of one run, with their numbers.
type Calls = BTreeMap<String, u64>;
/// The calls of each run.
type Runs = BTreeMap<String, Calls>;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("costs/counts-of-calls", &[], counting);
    suite.test("costs/growth", &[], growing);
    suite.test("costs/system-calls", NEEDS, system_calls);
}

/// A run must not make many more system calls than are on record.
fn system_calls() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install(PROBE, "nothing", &Grant::nothing());
    wasmvark.install(GUEST, DRIVER, &Grant::example(GUEST));
    let other = Connection::new("nothing").network("name", "other");
    let nothing = other.network("id", "0".repeat(64)).for_create();
    let connection = Connection::v4(DRIVER).for_plugin();
    let netns = world.container.path();
    let netns = netns.to_str().unwrap();
    let mut runs = Runs::new();
    // The first round makes folders, and isn't counted.
    for _ in 0..2 {
        for (title, driver, arguments, input) in [
            ("create", "nothing", &["create"][..], &nothing),
            ("setup", DRIVER, &["setup", netns], &connection),
            ("teardown", DRIVER, &["teardown", netns], &connection),
        ] {
            let calls = trace(&wasmvark, driver, arguments, input);
            runs.insert(title.to_owned(), calls);
        }
    }
    let path = places::workspace().join(RECORD);
    let record = fs::read_to_string(&path).unwrap_or_default();
    let mut record: BTreeMap<String, Runs> = toml::from_str(&record).unwrap();
    let architecture = std::env::consts::ARCH;
    if std::env::var("WASMVARK_TEST_COSTS").is_ok_and(|how| how == "write") {
        record.insert(architecture.to_owned(), runs);
        fs::write(
            &path,
            HEAD.to_owned() + "\n" + &toml::to_string(&record).unwrap(),
        )
        .unwrap();
        return;
    }
    let Some(recorded) = record.get(architecture) else {
        println!("skipped: {RECORD} has no numbers for {architecture}; `just costs` writes them");
        return;
    };
    let growth: String = runs
        .iter()
        .filter_map(|(title, calls)| growth(title, recorded.get(title)?, calls))
        .collect();
    assert!(
        growth.is_empty(),
        "{growth}If that is worth it, `just costs` puts it on record."
    );
    assert!(
        runs.keys().eq(recorded.keys()),
        "`just costs` writes all runs"
    );
}

/// Counts the system calls of a driver's run.
fn trace(wasmvark: &Wasmvark<'_>, driver: &str, arguments: &[&str], input: &str) -> Calls {
    let world = wasmvark.world();
    let log = world.file("strace");
    let mut strace: Command = world.host.command("strace");
    strace
        .env_clear()
        .env("WASMVARK_ROOT", wasmvark.root())
        .args(["--follow-forks", "-qq", "--signal=none", "--output"])
        .arg(&log)
        .arg(wasmvark.plugins().join(driver))
        .args(arguments);
    let output = process::run(&mut strace, input.as_bytes());
    assert_eq!(output.code, Some(0), "{driver}: {output:?}");
    count(&fs::read_to_string(log).unwrap())
}

/// Counts the calls in strace's log that don't wait. A call that another process
/// interrupts has two lines: with `<unfinished ...>`, and with `resumed>`.
fn count(log: &str) -> Calls {
    let mut calls = Calls::new();
    for line in log.lines() {
        let (_process, event) = line.split_once(' ').unwrap();
        let Some((name, _)) = event.trim_start().split_once('(') else {
            continue;
        };
        let is_call = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_call && !WAITING.contains(&name) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    calls
}

/// Says by which calls a run has grown, if it has grown beyond [`GROWTH`].
fn growth(title: &str, before: &Calls, now: &Calls) -> Option<String> {
    let [total, recorded] = [now, before].map(|calls| calls.values().sum::<u64>());
    if total * 100 <= recorded * (100 + GROWTH) {
        return None;
    }
    let mut text = format!("{title}: {total} system calls instead of {recorded}:");
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    for name in names {
        let [now, before] = [now, before].map(|calls| calls.get(name).unwrap_or(&0));
        if now != before {
            write!(text, " {name} {now} instead of {before},").unwrap();
        }
    }
    text.pop();
    Some(text + "\n")
}

fn counting() {
    let log = "\
        7     open(\"/proc\", O_RDONLY) = 3\n\
        7     read(3,  <unfinished ...>\n\
        12    futex(0x7f, FUTEX_WAIT, 1, NULL <unfinished ...>\n\
        7     <... read resumed>\"f(x)\", 4) = 4\n\
        12    <... futex resumed>) = 0\n\
        12    open(\"/sys\", O_RDONLY) = 4\n";
    let expected = [("open", 2), ("read", 1)].map(|(name, number)| (name.to_owned(), number));
    assert_eq!(count(log), Calls::from(expected));
}

fn growing() {
    let calls = |numbers: [u64; 2]| -> Calls {
        let names = ["open", "read"].map(str::to_owned);
        names.into_iter().zip(numbers).collect()
    };
    let before = calls([50, 50]);
    assert_eq!(growth("create", &before, &calls([60, 50])), None);
    assert_eq!(growth("create", &before, &calls([10, 50])), None);
    let expected = "create: 111 system calls instead of 100: open 61 instead of 50\n";
    let grown = growth("create", &before, &calls([61, 50]));
    assert_eq!(grown.as_deref(), Some(expected));
}
