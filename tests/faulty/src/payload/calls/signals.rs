//! Signals to any process, and timers that send some.

use nix::libc;

use super::{Call, calls};
use crate::payload::raw::{NONE, memory, number, own};

/// A signal's information: sent by a process (`SI_QUEUE`).
fn queued() -> usize {
    let queue = u64::from(libc::SI_QUEUE.cast_unsigned());
    memory(&[0, queue])
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "kill": kill(own(), 0);
    "kill-all": kill(NONE, 0);
    "tkill": tkill(own(), 0);
    "tgkill": tgkill(own(), own(), 0);
    "pidfd_send_signal": pidfd_send_signal(NONE, 0, 0, 0);
    "rt_sigqueueinfo": rt_sigqueueinfo(own(), 0, queued());
    "rt_tgsigqueueinfo": rt_tgsigqueueinfo(own(), own(), 0, queued());
    "rt_sigaction": rt_sigaction(number(libc::SIGSYS), memory(&[]), 0, 8);
    "timer_create": timer_create(number(libc::CLOCK_MONOTONIC), 0, memory(&[]));
    "setitimer": setitimer(number(libc::ITIMER_REAL), memory(&[]), 0);
    "alarm": alarm(0);
};
