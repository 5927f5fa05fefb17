//! System calls, held by seccomp (seccomp(2)). What isn't listed ends the process.

mod list;

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::sync::OnceLock;

use list::{Argument, Line};
use nix::errno::Errno;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use syscalls::Sysno;

use crate::{Gap, Needs};

/// System calls that a program with faults on request needs beside the others.
static MORE: OnceLock<Vec<Sysno>> = OnceLock::new();

/// The processor of this program.
#[cfg(target_arch = "x86_64")]
const PROCESSOR: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const PROCESSOR: TargetArch = TargetArch::aarch64;

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
pub(crate) fn program(needs: &Needs) -> Result<BpfProgram, seccompiler::Error> {
    let more = MORE.get().into_iter().flatten();
    let more = more.map(|call| (*call, Vec::new()));
    compile(
        list::allowed(needs).into_iter().chain(more),
        SeccompAction::Trap,
    )
}

/// Makes the filter of a process that only looks at others. A forbidden call kills it.
pub(crate) fn looking(answers: RawFd) -> Result<BpfProgram, seccompiler::Error> {
    compile(list::looking(answers), SeccompAction::KillProcess)
}

fn compile(
    lines: impl IntoIterator<Item = Line>,
    otherwise: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (call, arguments) in lines {
        let rules = rules.entry(call.id().into()).or_default();
        if !arguments.is_empty() {
            let conditions: Result<_, _> = arguments.into_iter().map(condition).collect();
            rules.push(SeccompRule::new(conditions?)?);
        }
    }
    let filter = SeccompFilter::new(rules, otherwise, SeccompAction::Allow, PROCESSOR)?;
    Ok(filter.try_into()?)
}

fn condition(must: Argument) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(must.index, must.length, must.operator, must.value)
}

/// Holds all threads of the process by a filter.
pub(crate) fn hold(program: &BpfProgram) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter_all_threads(program)
}

/// Holds this thread by a filter that allows everything.
pub(crate) fn try_one() -> Result<(), Gap> {
    let none = BTreeMap::new();
    let filter = SeccompFilter::new(none, SeccompAction::Allow, SeccompAction::Trap, PROCESSOR);
    let program = filter.and_then(BpfProgram::try_from);
    let program = program.map_err(|_| Gap::NoSeccomp(Errno::EINVAL))?;
    seccompiler::apply_filter(&program).map_err(|error| Gap::NoSeccomp(errno(&error)))
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
