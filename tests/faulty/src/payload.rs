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
//! With `WASMVARK_PAYLOAD_AT=start` the program takes the actions at its start, unconfined,
//! each in a process of its own, and ends. With `list` it prints the tables instead.

mod calls;
mod control;
mod files;
mod raw;
mod trail;

use std::time::Duration;

use syscalls::{Errno, Sysno};

pub(crate) use raw::shared;

/// What came of an action.
type Outcome = Result<usize, Errno>;

/// Takes the actions in place of a driver.
pub(crate) fn act() {
    for action in actions() {
        let outcome = take(&action);
        report(&action, &words(outcome));
    }
}

/// Does what `WASMVARK_PAYLOAD_AT` says, and then ends the process.
pub(crate) fn at_start() {
    match std::env::var("WASMVARK_PAYLOAD_AT").as_deref() {
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
