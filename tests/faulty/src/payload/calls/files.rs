//! What can be done to files beside opening them.

use nix::libc;

use super::{Call, calls};
use crate::payload::files::here;
use crate::payload::raw::{NONE, memory, number, text};

fn nowhere() -> usize {
    text(c"/nowhere/file")
}

fn elsewhere() -> usize {
    text(c"/nowhere/other")
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "linkat": linkat(here(), nowhere(), here(), elsewhere(), 0);
    "symlinkat": symlinkat(nowhere(), here(), elsewhere());
    "mknodat": mknodat(here(), nowhere(), number(0o020_600), 0);
    "truncate": truncate(nowhere(), 0);
    "fchmod-others": fchmod(NONE, 0o606);
    "fchmodat": fchmodat(here(), nowhere(), 0o666);
    "fchown": fchown(NONE, 0, 0);
    "setxattr": setxattr(nowhere(), text(c"user.x"), memory(&[]), 1, 0);
    "removexattr": removexattr(nowhere(), text(c"user.x"));
    "utimensat": utimensat(here(), nowhere(), 0, 0);
    "openat2": openat2(here(), nowhere(), memory(&[]), 24);
    "name_to_handle_at": name_to_handle_at(here(), text(c"/"), memory(&[]), memory(&[]), 0);
    "open_by_handle_at": open_by_handle_at(NONE, memory(&[]), 0);
    "dup": dup(2);
    "dup3": dup3(2, 61, 0);
    "set-flags": fcntl(2, number(libc::F_SETFL), 0);
    "copy-by-fcntl": fcntl(2, number(libc::F_DUPFD), 0);
    "set-owner": fcntl(2, number(libc::F_SETOWN), 0);
    "set-lease": fcntl(NONE, number(libc::F_SETLEASE), 0);
    "seal": fcntl(NONE, number(libc::F_ADD_SEALS), 0);
    "pipe2": pipe2(memory(&[]), 0);
    "splice": splice(NONE, 0, NONE, 0, 1, 0);
    "tee": tee(NONE, NONE, 1, 0);
    "vmsplice": vmsplice(NONE, memory(&[]), 1, 0);
    "sendfile": sendfile(NONE, NONE, 0, 1);
    "copy_file_range": copy_file_range(NONE, 0, NONE, 0, 1, 0);
    "fallocate": fallocate(NONE, 0, 0, 1);
    "pwrite64": pwrite64(NONE, memory(&[]), 1, 0);
    "pwritev": pwritev(NONE, memory(&[]), 1, 0, 0);
    "pwritev2": pwritev2(NONE, memory(&[]), 1, 0, 0, 0);
    "close_range": close_range(200, 210, 0);
    "inotify_init1": inotify_init1(0);
    "fanotify_init": fanotify_init(0, 0);
    "quotactl": quotactl(0x0080_0001, 0, 0, 0);
    "swapon": swapon(nowhere(), 0);
    "swapoff": swapoff(nowhere());
    "acct": acct(nowhere());
};
