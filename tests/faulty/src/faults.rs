//! Faults on request, for the tests.
//!
//! `WASMVARK_FAULT` lists faults, separated by commas. N is counted from 1 in each
//! run, with the processes that it forks.
//!
//! | fault | effect |
//! |---|---|
//! | `kill:N` | SIGKILL right before operation N of the kernel crate |
//! | `killafter:N` | SIGKILL right after it |
//! | `panic:N` | a panic of the host's own code right before operation N |
//! | `fail:N:ERRNO` | operation N isn't made and fails with this error |
//! | `killbeforewrite:N` | SIGKILL right before write N of a journal |
//! | `killafterwrite:N` | SIGKILL right after it |
//! | `tear:N` | SIGKILL after half of write N |
//! | `failwrite:N:ERRNO` | write N isn't made and fails with this error |
//! | `short:N` | half of write N is made, and it fails with ENOSPC |
//!
//! `WASMVARK_FAULT_COUNT` is the path of a file to which a line is added for each
//! operation and each write.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

use failpoint::Observer;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, getpid, getppid};
use syscalls::Sysno;

use crate::payload::{self, shared};

/// The system calls that kill a run, beyond those of a confined one.
const KILLING: [Sysno; 3] = [Sysno::tkill, Sysno::kill, Sysno::getppid];

/// A fault at one point.
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

/// The faults of a run.
pub(crate) struct Faults {
    faults: Vec<(u32, Fault)>,
    /// The numbers of operations and of writes, which forked processes count on.
    counters: &'static [AtomicU32; 2],
    /// The file that gets a line for each. It is opened before the run is confined.
    count: Option<File>,
    /// The process that the caller waits for.
    main: Pid,
}

impl Faults {
    /// Reads the faults from the environment.
    pub(crate) fn from_environment() -> Self {
        let text = std::env::var("WASMVARK_FAULT").unwrap_or_default();
        let faults: Vec<_> = text.split(',').filter_map(parse).collect();
        if !faults.is_empty() {
            confine::also_allow(KILLING.to_vec());
        }
        Self {
            faults,
            counters: shared(),
            count: count_file(),
            main: getpid(),
        }
    }

    fn operations(&self) -> &AtomicU32 {
        &self.counters[0]
    }

    fn writes(&self) -> &AtomicU32 {
        &self.counters[1]
    }

    /// Adds a line to the file that counts.
    fn count(&self, line: &str) {
        if let Some(mut file) = self.count.as_ref() {
            // If a line is lost, the test that counts them fails.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Kills the run: this process, and the one that forked it. No destructor and no
    /// handler runs.
    fn die(&self) -> ! {
        if getpid() != self.main {
            let _ = kill(getppid(), Signal::SIGKILL);
        }
        let _ = raise(Signal::SIGKILL);
        std::process::abort()
    }

    fn at(&self, number: u32) -> impl Iterator<Item = Fault> {
        let here = self.faults.iter().filter(move |(at, _)| *at == number);
        here.map(|(_, fault)| *fault)
    }
}

impl Observer for Faults {
    fn before_operation(&self, at: &'static Location<'static>) -> Result<(), Errno> {
        payload::at_operation();
        let number = self.operations().fetch_add(1, Ordering::SeqCst) + 1;
        self.count(&format!("operation {at}"));
        for fault in self.at(number) {
            match fault {
                Fault::Kill => self.die(),
                Fault::Panic => panic_here(),
                Fault::Fail(errno) => {
                    self.after_operation();
                    return Err(errno);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn after_operation(&self) {
        let number = self.operations().load(Ordering::SeqCst);
        if self.at(number).any(|fault| fault == Fault::KillAfter) {
            self.die();
        }
    }

    fn before_write(&self, to: &mut dyn Write, line: &[u8]) -> io::Result<()> {
        let number = self.writes().fetch_add(1, Ordering::SeqCst) + 1;
        self.count("write");
        let half = line.get(..line.len() / 2).unwrap_or_default();
        for fault in self.at(number) {
            match fault {
                Fault::KillBeforeWrite => self.die(),
                Fault::Tear => {
                    to.write_all(half)?;
                    self.die();
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

    fn after_write(&self) {
        let number = self.writes().load(Ordering::SeqCst);
        if self.at(number).any(|fault| fault == Fault::KillAfterWrite) {
            self.die();
        }
    }

    fn in_guest(&self) {
        payload::in_guest();
    }

    fn in_lookout(&self) {
        payload::in_lookout();
    }
}

#[expect(
    clippy::panic,
    reason = "the tests find out what a panic leaves behind"
)]
fn panic_here() -> ! {
    panic!("the tests want a panic here")
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

/// Opens the file that counts.
fn count_file() -> Option<File> {
    let path = std::env::var_os("WASMVARK_FAULT_COUNT")?;
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.ok()
}
