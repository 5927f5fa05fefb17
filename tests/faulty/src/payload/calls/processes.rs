//! Other programs, other processes, and looking into them.

use nix::libc;

use super::{Call, calls};
use crate::payload::files::here;
use crate::payload::raw::{NONE, memory, number, own, text};

/// The end of a process that a child reports.
const REPORTED: i32 = libc::SIGCHLD;
/// `KCMP_FILE` (`linux/kcmp.h`).
const FILES: usize = 0;

fn vector() -> usize {
    memory(&[memory(&[]) as u64, 1])
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "execve": execve(text(c"/bin/true"), 0, 0);
    "execveat": execveat(here(), text(c"/bin/true"), 0, 0, 0);
    "fork": fork();
    "vfork": vfork();
    "clone": clone(number(REPORTED), 0, 0, 0, 0);
    "clone-user": clone(number(REPORTED | libc::CLONE_NEWUSER), 0, 0, 0, 0);
    "clone-net": clone(number(REPORTED | libc::CLONE_NEWNET), 0, 0, 0, 0);
    "clone3": clone3(memory(&[0, 0, 0, 0, REPORTED as u64, 0, 0, 0]), 64);
    "ptrace": ptrace(number(libc::PTRACE_TRACEME), 0, 0, 0);
    "process_vm_readv": process_vm_readv(own(), vector(), 1, vector(), 1, 0);
    "process_vm_writev": process_vm_writev(own(), vector(), 1, vector(), 1, 0);
    "process_madvise": process_madvise(NONE, vector(), 1, number(libc::MADV_COLD), 0);
    "process_mrelease": process_mrelease(NONE, 0);
    "pidfd_open": pidfd_open(own(), 0);
    "pidfd_getfd": pidfd_getfd(NONE, 0, 0);
    "kcmp": kcmp(own(), own(), FILES, 0, 0);
    "wait4": wait4(NONE, 0, number(libc::WNOHANG), 0);
    "sched_setaffinity": sched_setaffinity(0, 8, memory(&[u64::MAX]));
    "sched_setscheduler": sched_setscheduler(0, number(libc::SCHED_OTHER), memory(&[]));
    "setpriority": setpriority(number(libc::PRIO_PROCESS), 0, 0);
    "ioprio_set": ioprio_set(1, 0, 0);
    "prlimit64": prlimit64(0, number(libc::RLIMIT_CORE), memory(&[0, 0]), 0);
    "setrlimit": setrlimit(number(libc::RLIMIT_CORE), memory(&[0, 0]));
    "setsid": setsid();
    "setpgid": setpgid(0, 0);
};
