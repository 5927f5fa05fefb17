//! Payloads on request: what a driver tries that has broken out of its sandbox.
//!
//! `WASMVARK_PAYLOAD` lists actions, one a line. They are taken in the process of a run,
//! where the driver's function is about to run. The program reports each on standard
//! error: `payload ACTION: done`, or an error of the kernel in place of `done`.
//!
//! | action | what is tried |
//! |---|---|
//! | `read:PATH`, `write:PATH`, `list:PATH` | opening a file or a folder |
//! | `make:PATH`, `folder:PATH` | making it |
//! | `remove:PATH`, `empty:PATH` | removing a file, or an empty folder |
//! | `rename:PATH:PATH` | renaming a file |
//! | `follow:PATH` | reading where a link leads |
//! | `open:PATH:fchmod`, `open:PATH:fchown` | opening a file, and changing its mode or owner |
//! | `trail:NAME` | a call of the table of the trail, on each file that is open for appending |
//! | `call:NAME` | a call of the table of system calls |
//! | `number:NAME` | the system call of this name, whose arguments are zero |
//! | `masked:NAME` | a call of the table with SIGSYS blocked |
//! | `abi:x32`, `abi:i386` | a call through another ABI of the processor |
//! | `pause` | waiting for SIGKILL |
//!
//! `WASMVARK_PAYLOAD_AT` moves them to another point:
//!
//! | point | where the actions are taken |
//! |---|---|
//! | `start` | at the program's start, unconfined, each in a process of its own; then it ends |
//! | `rotated` | in the run, once it has another file of the trail than at first |
//! | `lookout` | in the process that looks at others for a command |
//! | `list` | nowhere: the program prints the tables |

mod calls;
mod control;
mod files;
mod raw;
mod trail;

use std::sync::OnceLock;
use std::time::Duration;

use syscalls::{Errno, Sysno};

pub(crate) use raw::shared;
use trail::FileId;

/// What came of an action.
type Outcome = Result<usize, Errno>;

/// The variable that names the point.
const AT: &str = "WASMVARK_PAYLOAD_AT";

/// The trail's files when the driver began, for a payload that waits for another.
static AT_FIRST: OnceLock<Vec<FileId>> = OnceLock::new();

/// Takes the actions in place of a driver, or prepares to wait for the trail.
pub(crate) fn in_guest() {
    match std::env::var(AT).as_deref() {
        Ok("rotated") => drop(AT_FIRST.set(trail::files())),
        Ok(_) => {}
        Err(_) => act(),
    }
}

/// Takes the actions, once the trail has been rotated.
pub(crate) fn at_operation() {
    if AT_FIRST.get().is_some_and(|first| *first != trail::files()) {
        act();
        std::process::exit(0);
    }
}

/// Takes the actions in place of a process that looks at others.
pub(crate) fn in_lookout() {
    if std::env::var(AT).as_deref() == Ok("lookout") {
        act();
    }
}

fn act() {
    for action in actions() {
        let outcome = take(&action);
        report(&action, &words(outcome));
    }
}

/// Does what `WASMVARK_PAYLOAD_AT` says, and then ends the process.
pub(crate) fn at_start() {
    match std::env::var(AT).as_deref() {
        Ok("start") => control::act(&actions()),
        Ok("list") => list(),
        _ => return,
    }
    std::process::exit(0);
}

fn actions() -> Vec<String> {
    let text = std::env::var("WASMVARK_PAYLOAD").unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn report(action: &str, outcome: &str) {
    eprintln!("payload {action}: {outcome}");
}

fn words(outcome: Outcome) -> String {
    match outcome {
        Ok(_) => "done".to_owned(),
        Err(errno) => errno.name().unwrap_or("unknown").to_owned(),
    }
}

/// Prints the tables: a line for each action, with the system call that it tries.
fn list() {
    for call in calls::all() {
        println!("call:{} {}", call.name, call.number);
    }
    for call in trail::ALL {
        println!("trail:{} {}", call.name, call.number);
    }
}

fn take(action: &str) -> Outcome {
    let (verb, object) = action.split_once(':').unwrap_or((action, ""));
    match verb {
        "trail" => trail::attack(object),
        "call" => calls::named(object).map_or(UNKNOWN, calls::Call::make),
        "number" => object
            .parse()
            .map_or(UNKNOWN, |call: Sysno| raw::call(call, &[])),
        "masked" => raw::block_sigsys().and_then(|_| take(&format!("call:{object}"))),
        "abi" => raw::other_abi(object),
        "pause" => pause(),
        _ => files::try_to(verb, object),
    }
}

/// The outcome of an action that isn't in a table.
const UNKNOWN: Outcome = Err(Errno::ENOSYS);

fn pause() -> Outcome {
    report("pause", "waits");
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}
