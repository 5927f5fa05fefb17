//! Memory that others could share, and interfaces that work through shared memory.

use nix::libc;

use super::{Call, calls};
use crate::payload::raw::{NONE, memory, number, own, text};

/// `IPC_PRIVATE`, and the flags of a new object of System V.
const PRIVATE: usize = 0;
const MODE: usize = 0o600;

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "mmap-shared": mmap(0, 4096, number(libc::PROT_READ), number(libc::MAP_SHARED | libc::MAP_ANONYMOUS), NONE, 0);
    "memfd_create": memfd_create(text(c"x"), 0);
    "memfd_secret": memfd_secret(0);
    "userfaultfd": userfaultfd(0);
    "io_uring_setup": io_uring_setup(1, memory(&[]));
    "io_uring_enter": io_uring_enter(NONE, 0, 0, 0, 0, 0);
    "io_uring_register": io_uring_register(NONE, 0, 0, 0);
    "io_setup": io_setup(1, memory(&[]));
    "io_submit": io_submit(0, 1, memory(&[]));
    "shmget": shmget(PRIVATE, 4096, MODE);
    "semget": semget(PRIVATE, 1, MODE);
    "msgget": msgget(PRIVATE, MODE);
    "mq_open": mq_open(text(c"nowhere"), 0, 0, 0);
    "mbind": mbind(0, 0, 0, 0, 0, 0);
    "set_mempolicy": set_mempolicy(0, 0, 0);
    "move_pages": move_pages(own(), 0, 0, 0, 0, 0);
    "migrate_pages": migrate_pages(own(), 0, 0, 0);
    "mlock": mlock(memory(&[]), 1);
    "mlockall": mlockall(number(libc::MCL_ONFAULT | libc::MCL_CURRENT));
    "remap_file_pages": remap_file_pages(0, 0, 0, 0, 0);
    "pkey_alloc": pkey_alloc(0, 0);
    "membarrier": membarrier(0, 0, 0);
    "rseq": rseq(0, 0, 0, 0);
    "set_robust_list": set_robust_list(memory(&[]), 24);
    "get_robust_list": get_robust_list(0, memory(&[]), memory(&[]));
};
