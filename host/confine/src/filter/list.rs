//! The allowed system calls, with conditions on their arguments where a call can do more
//! than a run needs. All conditions of a line hold together, and a call may have several
//! lines. Pointers can't be looked at.

mod looking;

use nix::libc;
use syscalls::Sysno;

use Must::{Eq, LongMaskedEq, MaskedEq, Ne};

use crate::Needs;
pub(super) use looking::looking;

/// A call, and what its arguments must be.
pub(super) type Line = (Sysno, Vec<Argument>);

/// What one argument must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument {
    pub(super) index: u8,
    pub(super) must: Must,
}

/// What a number must be. Of an argument that is an `int`, the kernel looks at the low half
/// alone, and so do the conditions that aren't long.
#[derive(Debug, Clone, Copy)]
pub(super) enum Must {
    Eq(u32),
    Ne(u32),
    /// With the bits that a mask leaves.
    MaskedEq {
        mask: u32,
        value: u32,
    },
    LongMaskedEq {
        mask: u64,
        value: u64,
    },
}

/// `SOCK_CLOEXEC` and `SOCK_NONBLOCK`, which stand beside a socket's type.
const SOCKET_FLAGS: u32 = 0x80800;
/// The commands of fcntl(2) for all files. None lets a file lose `O_APPEND`.
const FCNTL: [i32; 5] = [
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_GETPIPE_SZ,
    libc::F_SETPIPE_SZ,
];
/// `RLIMIT_NPROC`: the one limit that is lowered later.
const NPROC: u32 = 6;
/// The levels of setsockopt(2) and getsockopt(2) for all. The others have options that
/// replace the rules of ip6tables, for one.
const SOCKET_LEVELS: [i32; 2] = [libc::SOL_SOCKET, libc::SOL_NETLINK];
/// The options of an ICMPv6 socket that sends an announcement.
const ANNOUNCING: [i32; 3] = [
    libc::IPV6_MULTICAST_IF,
    libc::IPV6_MULTICAST_HOPS,
    libc::IPV6_MULTICAST_LOOP,
];
/// The mode of all files that a run makes: nobody else's.
const OWN_MODE: u32 = 0o600;
/// All flags with which clone(2) makes a namespace.
const NEW_NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;
/// The calls of ioctl(2) for all: switching a socket's waiting, and asking what a terminal
/// or pipe is.
const IOCTL: [u32; 3] = [0x5421, 0x5451, 0x5413];
/// `TUNSETIFF`, `TUNSETPERSIST`, `TUNSETOWNER` and `TUNSETGROUP` (`linux/if_tun.h`).
const TAPS: [u32; 4] = [0x4004_54ca, 0x4004_54cb, 0x4004_54cc, 0x4004_54ce];

/// Those that can do nothing beyond what the process has.
const PLAIN: &[Sysno] = &[
    Sysno::bind,
    Sysno::brk,
    Sysno::clock_getres,
    Sysno::clock_gettime,
    Sysno::clock_nanosleep,
    Sysno::epoll_create1,
    Sysno::epoll_ctl,
    Sysno::epoll_pwait,
    Sysno::eventfd2,
    Sysno::exit,
    Sysno::exit_group,
    Sysno::fdatasync,
    Sysno::flock,
    Sysno::fstat,
    Sysno::fstatfs,
    Sysno::fsync,
    Sysno::futex,
    Sysno::getdents64,
    Sysno::getegid,
    Sysno::geteuid,
    Sysno::getgid,
    Sysno::getpid,
    Sysno::getrandom,
    Sysno::getsockname,
    Sysno::gettid,
    Sysno::gettimeofday,
    Sysno::getuid,
    Sysno::lseek,
    Sysno::madvise,
    Sysno::mkdirat,
    Sysno::mprotect,
    Sysno::mremap,
    Sysno::munmap,
    Sysno::nanosleep,
    Sysno::openat,
    Sysno::ppoll,
    Sysno::pread64,
    Sysno::read,
    Sysno::readlinkat,
    Sysno::readv,
    Sysno::recvfrom,
    Sysno::recvmsg,
    Sysno::renameat,
    Sysno::renameat2,
    Sysno::restart_syscall,
    Sysno::rt_sigprocmask,
    Sysno::rt_sigreturn,
    Sysno::sched_getaffinity,
    Sysno::sched_yield,
    Sysno::sigaltstack,
    Sysno::signalfd4,
    Sysno::statx,
    Sysno::unlinkat,
    Sysno::write,
    Sysno::writev,
];

/// The older ones, which newer processors' kernels don't have.
#[cfg(target_arch = "x86_64")]
const OLD: &[Sysno] = &[
    Sysno::access,
    Sysno::epoll_create,
    Sysno::epoll_wait,
    Sysno::lstat,
    Sysno::mkdir,
    Sysno::newfstatat,
    Sysno::open,
    Sysno::poll,
    Sysno::readlink,
    Sysno::rename,
    Sysno::rmdir,
    Sysno::stat,
    Sysno::unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[Sysno] = &[Sysno::fstatat];

/// Returns the allowed calls.
pub(super) fn allowed(needs: &Needs) -> Vec<Line> {
    let plain = PLAIN.iter().chain(OLD);
    let mut lines: Vec<Line> = plain.map(|call| (*call, Vec::new())).collect();
    lines.extend(memory());
    lines.extend(threads());
    lines.extend(sockets(needs));
    lines.extend(files(needs));
    lines.extend(controls(needs));
    lines.push(closing(needs));
    lines
}

/// Memory that no other process and no file shares: through a shared mapping, lines of the
/// trail could be changed.
fn memory() -> [Line; 1] {
    let private = LongMaskedEq {
        mask: number(libc::MAP_SHARED).into(),
        value: 0,
    };
    [(Sysno::mmap, vec![argument(3, private)])]
}

/// Threads with names, and no processes or namespaces. SIGSYS keeps its handler.
fn threads() -> [Line; 3] {
    let thread = number(libc::CLONE_THREAD);
    let mask = thread | number(NEW_NAMESPACES);
    let no_process = LongMaskedEq {
        mask: mask.into(),
        value: thread.into(),
    };
    [
        (Sysno::clone, vec![argument(0, no_process)]),
        (
            Sysno::prctl,
            vec![argument(0, Eq(number(libc::PR_SET_NAME)))],
        ),
        (
            Sysno::rt_sigaction,
            vec![argument(0, Ne(number(libc::SIGSYS)))],
        ),
    ]
}

/// The families of sockets, and where their messages go.
fn sockets(needs: &Needs) -> Vec<Line> {
    let netlink = [
        (libc::NETLINK_ROUTE, needs.network),
        (libc::NETLINK_NETFILTER, needs.netfilter),
        (libc::NETLINK_GENERIC, needs.generic),
    ];
    let open = netlink.into_iter().filter(|(_, is_needed)| *is_needed);
    let mut lines: Vec<Line> = open
        .map(|(protocol, _)| {
            let family = argument(0, Eq(number(libc::AF_NETLINK)));
            let protocol = argument(2, Eq(number(protocol)));
            (Sysno::socket, vec![family, protocol])
        })
        .collect();
    if needs.announce {
        let kind = |kind: i32| {
            let kind = MaskedEq {
                mask: !SOCKET_FLAGS,
                value: number(kind),
            };
            argument(1, kind)
        };
        let family = |family: i32| argument(0, Eq(number(family)));
        let protocol = |protocol: i32| argument(2, Eq(number(protocol)));
        lines.push((
            Sysno::socket,
            vec![family(libc::AF_PACKET), kind(libc::SOCK_DGRAM), protocol(0)],
        ));
        lines.push((
            Sysno::socket,
            vec![
                family(libc::AF_INET6),
                kind(libc::SOCK_RAW),
                protocol(libc::IPPROTO_ICMPV6),
            ],
        ));
    }
    lines.extend(options(needs));
    lines.extend(sending(needs));
    lines
}

/// The options of sockets.
fn options(needs: &Needs) -> Vec<Line> {
    let level = |level: i32| argument(1, Eq(number(level)));
    let calls = [Sysno::setsockopt, Sysno::getsockopt];
    let all = SOCKET_LEVELS.iter();
    let all = all.flat_map(|of| calls.map(|call| (call, vec![level(*of)])));
    let announcing = ANNOUNCING.iter().filter(|_| needs.announce);
    let announcing = announcing.map(|option| {
        let option = argument(2, Eq(number(*option)));
        (Sysno::setsockopt, vec![level(libc::IPPROTO_IPV6), option])
    });
    all.chain(announcing).collect()
}

/// Messages. Those of systemd's journal go where its socket is connected.
fn sending(needs: &Needs) -> Vec<Line> {
    let Some(journald) = needs.journald else {
        return vec![(Sysno::sendto, Vec::new())];
    };
    let is_journald = |must: fn(u32) -> Must| argument(0, must(number(journald)));
    let no_address = LongMaskedEq {
        mask: u64::MAX,
        value: 0,
    };
    vec![
        (Sysno::sendto, vec![is_journald(Ne)]),
        (
            Sysno::sendto,
            vec![is_journald(Eq), argument(4, no_address)],
        ),
    ]
}

/// What is done with open files.
fn files(needs: &Needs) -> Vec<Line> {
    let mut lines: Vec<Line> = FCNTL
        .iter()
        .map(|command| {
            let command = argument(1, Eq(number(*command)));
            (Sysno::fcntl, vec![command])
        })
        .collect();
    let kept = [needs.trail, needs.kept_open, needs.journald];
    let others = kept.into_iter().flatten();
    let others = others.map(|file| argument(0, Ne(number(file))));
    let copy = argument(1, Eq(number(libc::F_DUPFD_CLOEXEC)));
    lines.push((Sysno::fcntl, others.chain([copy]).collect()));
    if needs.truncates {
        lines.push((Sysno::ftruncate, Vec::new()));
    }
    lines.push((
        Sysno::prlimit64,
        vec![argument(0, Eq(0)), argument(1, Eq(NPROC))],
    ));
    let mode = argument(
        1,
        MaskedEq {
            mask: !OWN_MODE,
            value: 0,
        },
    );
    lines.push((Sysno::fchmod, vec![mode]));
    lines
}

/// Closing files, but for the one through which a forbidden call is recorded.
fn closing(needs: &Needs) -> Line {
    let others = |file| argument(0, Ne(number(file)));
    (
        Sysno::close,
        needs.kept_open.map(others).into_iter().collect(),
    )
}

fn controls(needs: &Needs) -> Vec<Line> {
    let taps = TAPS.iter().filter(|_| needs.taps);
    let calls = IOCTL.iter().chain(taps);
    calls
        .map(|call| (Sysno::ioctl, vec![argument(1, Eq(*call))]))
        .collect()
}

fn argument(index: u8, must: Must) -> Argument {
    Argument { index, must }
}

/// Returns a constant of C as the number that an argument is compared with.
fn number(value: i32) -> u32 {
    value.cast_unsigned()
}
