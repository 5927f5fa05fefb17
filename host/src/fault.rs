//! Faults on request, for the tests. It exists only with the feature
//! `fault-injection`, which the released program is built without.
//!
//! `WASMVARK_FAULT` says what happens, and where, counted from 1 in each
//! process; several are separated by commas:
//!
//! | fault | what happens |
//! |---|---|
//! | `kill:N` | SIGKILL right before operation N on the kernel |
//! | `killafter:N` | SIGKILL right after it |
//! | `panic:N` | a panic of the host's own code right before operation N |
//! | `fail:N:ERRNO` | operation N isn't done and fails with this error |
//! | `killbeforewrite:N` | SIGKILL right before write N of a journal |
//! | `killafterwrite:N` | SIGKILL right after it |
//! | `tear:N` | SIGKILL when half of write N is done |
//! | `failwrite:N:ERRNO` | write N isn't done and fails with this error |
//! | `short:N` | half of write N is done, then there is no room |
//!
//! `WASMVARK_FAULT_COUNT` names a file that gets a line for each operation
//! and each write.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};

static OPERATIONS: AtomicU32 = AtomicU32::new(0);
static WRITES: AtomicU32 = AtomicU32::new(0);

/// What happens at one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    KillAfter,
    Panic,
    Fail(Errno),
    KillBeforeWrite,
    KillAfterWrite,
    Tear,
    FailWrite(Errno),
    Short,
}

/// Comes before each operation on the kernel.
#[track_caller]
pub(crate) fn before_operation() -> Result<(), Errno> {
    let number = OPERATIONS.fetch_add(1, Ordering::SeqCst) + 1;
    count(&format!("operation {}", Location::caller()));
    for fault in faults_at(number) {
        match fault {
            Fault::Kill => die(),
            Fault::Panic => panic_here(),
            Fault::Fail(errno) => {
                after_operation();
                return Err(errno);
            }
            _ => {}
        }
    }
    Ok(())
}

#[expect(
    clippy::panic,
    reason = "the tests find out what a panic leaves behind"
)]
fn panic_here() -> ! {
    panic!("the tests want a panic here")
}

/// Comes after each operation on the kernel.
pub(crate) fn after_operation() {
    let number = OPERATIONS.load(Ordering::SeqCst);
    if faults_at(number).any(|fault| fault == Fault::KillAfter) {
        die();
    }
}

/// Comes before each write of a journal.
pub(crate) fn before_write(mut to: impl Write, line: &[u8]) -> std::io::Result<()> {
    let number = WRITES.fetch_add(1, Ordering::SeqCst) + 1;
    count("write");
    let half = line.get(..line.len() / 2).unwrap_or_default();
    for fault in faults_at(number) {
        match fault {
            Fault::KillBeforeWrite => die(),
            Fault::Tear => {
                to.write_all(half)?;
                die();
            }
            Fault::FailWrite(errno) => return Err(errno.into()),
            Fault::Short => {
                to.write_all(half)?;
                return Err(Errno::ENOSPC.into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Comes after each write of a journal.
pub(crate) fn after_write() {
    let number = WRITES.load(Ordering::SeqCst);
    if faults_at(number).any(|fault| fault == Fault::KillAfterWrite) {
        die();
    }
}

fn faults_at(number: u32) -> impl Iterator<Item = Fault> {
    static FAULTS: OnceLock<Vec<(u32, Fault)>> = OnceLock::new();
    let faults = FAULTS.get_or_init(|| {
        let text = std::env::var("WASMVARK_FAULT").unwrap_or_default();
        text.split(',').filter_map(parse).collect()
    });
    let here = faults.iter().filter(move |(at, _)| *at == number);
    here.map(|(_, fault)| *fault)
}

fn parse(text: &str) -> Option<(u32, Fault)> {
    let mut words = text.split(':');
    let (fault, number) = (words.next()?, words.next()?.parse().ok()?);
    let fault = match fault {
        "kill" => Fault::Kill,
        "killafter" => Fault::KillAfter,
        "panic" => Fault::Panic,
        "fail" => Fault::Fail(errno(words.next()?)?),
        "killbeforewrite" => Fault::KillBeforeWrite,
        "killafterwrite" => Fault::KillAfterWrite,
        "tear" => Fault::Tear,
        "failwrite" => Fault::FailWrite(errno(words.next()?)?),
        "short" => Fault::Short,
        _ => return None,
    };
    Some((number, fault))
}

fn errno(name: &str) -> Option<Errno> {
    Some(match name {
        "EBUSY" => Errno::EBUSY,
        "EEXIST" => Errno::EEXIST,
        "EIO" => Errno::EIO,
        "ENODEV" => Errno::ENODEV,
        "ENOMEM" => Errno::ENOMEM,
        "ENOSPC" => Errno::ENOSPC,
        "EPERM" => Errno::EPERM,
        _ => return None,
    })
}

fn count(line: &str) {
    let Some(path) = std::env::var_os("WASMVARK_FAULT_COUNT") else {
        return;
    };
    let file = OpenOptions::new().append(true).create(true).open(path);
    if let Ok(mut file) = file {
        // A test that counts too little fails by itself.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// No destructor and no handler runs.
fn die() -> ! {
    let _ = raise(Signal::SIGKILL);
    std::process::abort()
}
