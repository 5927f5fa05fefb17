//! The machine and its kernel.

use nix::libc;

use super::{Call, calls};
use crate::payload::raw::{NONE, memory, number, text};

/// `BPF_PROG_GET_NEXT_ID` (`linux/bpf.h`).
const NEXT_PROGRAM: usize = 11;
/// `PERF_TYPE_SOFTWARE` with the size of the structure (`linux/perf_event.h`).
const SOFTWARE: u64 = 1 | 64 << 32;
/// `SYSLOG_ACTION_SIZE_BUFFER` (`kernel/printk/printk.c`).
const SIZE: usize = 10;
/// More segments than there may be (`KEXEC_SEGMENT_MAX`, `linux/kexec.h`).
const MANY: usize = 17;

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "bpf": bpf(NEXT_PROGRAM, memory(&[]), 16);
    "perf_event_open": perf_event_open(memory(&[SOFTWARE]), 0, NONE, NONE, 0);
    "init_module": init_module(memory(&[]), 4, text(c""));
    "finit_module": finit_module(NONE, text(c""), 0);
    "delete_module": delete_module(text(c"nowhere"), number(libc::O_NONBLOCK));
    "kexec_load": kexec_load(0, MANY, 0, 0);
    "kexec_file_load": kexec_file_load(NONE, NONE, 0, 0, 0);
    "reboot": reboot(0, 0, 0, 0);
    "settimeofday": settimeofday(memory(&[0, u64::MAX]), 0);
    "clock_settime": clock_settime(number(libc::CLOCK_MONOTONIC), memory(&[]));
    "clock_adjtime": clock_adjtime(number(libc::CLOCK_REALTIME), memory(&[]));
    "adjtimex": adjtimex(memory(&[]));
    "syslog": syslog(SIZE, 0, 0);
    "lookup_dcookie": lookup_dcookie(0, memory(&[]), 8);
    "nfsservctl": nfsservctl(0, 0, 0);
    "sysinfo": sysinfo(memory(&[]));
    "uname": uname(memory(&[]));
    "times": times(memory(&[]));
    "getcpu": getcpu(0, 0, 0);
};
