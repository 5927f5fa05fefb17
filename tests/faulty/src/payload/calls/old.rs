//! Calls that newer processors' kernels don't have, and some of this processor alone.

use super::{Call, calls};
use crate::payload::raw::{memory, number, text};

fn nowhere() -> usize {
    text(c"/nowhere/file")
}

fn elsewhere() -> usize {
    text(c"/nowhere/other")
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "link": link(nowhere(), elsewhere());
    "symlink": symlink(nowhere(), elsewhere());
    "mknod": mknod(nowhere(), number(0o020_600), 0);
    "chmod": chmod(nowhere(), 0o666);
    "chown": chown(nowhere(), 0, 0);
    "creat": creat(nowhere(), 0o600);
    "dup2": dup2(2, 61);
    "pipe": pipe(memory(&[]));
    "uselib": uselib(text(c"/nowhere"));
    "fork": fork();
    "vfork": vfork();
    "modify_ldt": modify_ldt(0, memory(&[]), 8);
    "arch_prctl": arch_prctl(0x1003, memory(&[]));
    "iopl": iopl(0);
    "ioperm": ioperm(0x80, 0, 0);
    "alarm": alarm(0);
};
