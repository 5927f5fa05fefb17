//! The system calls of a process that only looks at others: [`crate::only_look`].

use std::os::fd::RawFd;

use nix::libc;
use syscalls::Sysno;

use super::Must::{Eq, LongMaskedEq, MaskedEq};
use super::{Line, argument, memory, number};

/// Those that change nothing outside of the process.
const PLAIN: &[Sysno] = &[
    Sysno::brk,
    Sysno::clock_gettime,
    Sysno::clock_nanosleep,
    Sysno::close,
    Sysno::exit,
    Sysno::exit_group,
    Sysno::fstat,
    Sysno::futex,
    Sysno::getdents64,
    Sysno::geteuid,
    Sysno::getpid,
    Sysno::getrandom,
    Sysno::gettid,
    Sysno::getuid,
    Sysno::lseek,
    Sysno::madvise,
    Sysno::mremap,
    Sysno::munmap,
    Sysno::nanosleep,
    Sysno::ppoll,
    Sysno::read,
    Sysno::readlinkat,
    Sysno::readv,
    Sysno::recvfrom,
    Sysno::restart_syscall,
    Sysno::rt_sigprocmask,
    Sysno::rt_sigreturn,
    Sysno::sigaltstack,
    Sysno::statx,
];

/// The older ones, which newer processors' kernels don't have.
#[cfg(target_arch = "x86_64")]
const OLD: &[Sysno] = &[
    Sysno::lstat,
    Sysno::newfstatat,
    Sysno::poll,
    Sysno::readlink,
    Sysno::stat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[Sysno] = &[Sysno::fstatat];

/// `O_LARGEFILE` as the kernel has it. The C library calls it 0 where all files are large.
const LARGE_FILE: i32 = 0o100_000;
/// The flags with which a file is opened to be read. `O_RDONLY` is 0.
const READING: i32 = libc::O_CLOEXEC
    | libc::O_DIRECTORY
    | libc::O_NOFOLLOW
    | libc::O_NONBLOCK
    | libc::O_PATH
    | LARGE_FILE;
/// The commands of fcntl(2).
const FCNTL: [i32; 3] = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];

/// Returns the allowed calls. `answers` is the one file that is written.
pub(in crate::filter) fn looking(answers: RawFd) -> Vec<Line> {
    let plain = PLAIN.iter().chain(OLD);
    let mut lines: Vec<Line> = plain.map(|call| (*call, Vec::new())).collect();
    lines.extend(memory());
    let reading = |index| {
        let flags = MaskedEq {
            mask: !number(READING),
            value: 0,
        };
        argument(index, flags)
    };
    #[cfg(target_arch = "x86_64")]
    lines.push((Sysno::open, vec![reading(1)]));
    lines.push((Sysno::openat, vec![reading(2)]));
    lines.extend(FCNTL.map(|command| {
        let command = argument(1, Eq(number(command)));
        (Sysno::fcntl, vec![command])
    }));
    let answers = || argument(0, Eq(number(answers)));
    lines.push((Sysno::write, vec![answers()]));
    let no_address = LongMaskedEq {
        mask: u64::MAX,
        value: 0,
    };
    // A message without an address goes where the socket is connected.
    lines.push((Sysno::sendto, vec![answers(), argument(4, no_address)]));
    lines
}
