//! System calls, held by seccomp (seccomp(2)). What isn't listed ends the process.

mod list;
mod tree;

use std::os::fd::RawFd;
use std::sync::OnceLock;

use nix::errno::Errno;
use seccompiler::BpfProgram;
use syscalls::Sysno;
use tree::Action;
pub use tree::FilterError;

use crate::{Gap, Needs};

/// System calls that a program with faults on request needs beside the others.
static MORE: OnceLock<Vec<Sysno>> = OnceLock::new();

/// Allows further system calls, for tests that kill a run at a point. The released program
/// never does, and no input can.
pub fn also_allow(calls: Vec<Sysno>) {
    let _ = MORE.set(calls);
}

/// Returns the names of the allowed system calls, sorted.
pub fn allowed_calls(needs: &Needs) -> Vec<&'static str> {
    let mut names: Vec<_> = list::allowed(needs)
        .iter()
        .map(|(call, _)| call.name())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Makes the filter. A forbidden call raises SIGSYS in the thread, which can't be blocked:
/// see [`crate::Alarm`].
pub(crate) fn program(needs: &Needs) -> Result<BpfProgram, FilterError> {
    let more = MORE.get().into_iter().flatten();
    let more = more.map(|call| (*call, Vec::new()));
    tree::program(list::allowed(needs).into_iter().chain(more), Action::Trap)
}

/// Makes the filter of a process that only looks at others. A forbidden call kills it.
pub(crate) fn looking(answers: RawFd) -> Result<BpfProgram, FilterError> {
    tree::program(list::looking(answers), Action::Kill)
}

/// Holds all threads of the process by a filter.
pub(crate) fn hold(program: &BpfProgram) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter_all_threads(program)
}

/// Holds this thread by a filter that allows everything.
pub(crate) fn try_one() -> Result<(), Gap> {
    seccompiler::apply_filter(&tree::everything()).map_err(|error| Gap::NoSeccomp(errno(&error)))
}

/// Returns the kernel's error.
pub(crate) fn errno(error: &seccompiler::Error) -> Errno {
    match error {
        seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error) => {
            error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)
        }
        _ => Errno::EINVAL,
    }
}
