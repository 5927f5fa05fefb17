//! The open trail: whatever could change the lines that are there.

use std::os::fd::BorrowedFd;

use nix::libc;
use nix::sys::stat::fstat;
use syscalls::{Errno, Sysno};

use super::Outcome;
use super::raw::{NONE, call, memory, number};

/// A call on a file that is open for appending.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) number: Sysno,
    arguments: fn(usize) -> Vec<usize>,
}

/// The numbers that an inherited or opened file can have.
const FILES: std::ops::Range<usize> = 3..64;

/// `RWF_NOAPPEND` (`linux/fs.h`, since Linux 6.9).
const NO_APPEND: usize = 0x20;
/// `FS_IOC_SETFLAGS` and `FICLONE` (`linux/fs.h`), and `EXT4_IOC_MOVE_EXT`
/// (`fs/ext4/ext4.h`).
const SET_FLAGS: usize = 0x4008_6602;
const CLONE: usize = 0x4004_9409;
const MOVE_EXTENT: usize = 0xc028_660f;

macro_rules! attacks {
    ($($name:literal: $number:ident($($argument:expr),+) with $file:ident;)*) => {
        &[$(Attack {
            name: $name,
            number: Sysno::$number,
            arguments: |$file| vec![$($argument),+],
        }),*]
    };
}

/// All attacks.
#[rustfmt::skip]
pub(super) const ALL: &[Attack] = attacks! {
    "cut": ftruncate(file, 0) with file;
    "not-append": fcntl(file, number(libc::F_SETFL), 0) with file;
    "not-append-with-flags": fcntl(file, number(libc::F_SETFL), number(libc::O_NONBLOCK)) with file;
    "write-at": pwrite64(file, memory(&[]), 1, 0) with file;
    "write-at-no-append": pwritev2(file, memory(&[memory(&[]) as u64, 1]), 1, 0, 0, NO_APPEND) with file;
    "map": mmap(0, 4096, number(libc::PROT_WRITE), number(libc::MAP_SHARED), file, 0) with file;
    "map-validated": mmap(0, 4096, number(libc::PROT_WRITE), number(libc::MAP_SHARED_VALIDATE), file, 0) with file;
    "copy": dup(file) with file;
    "copy-to": dup3(file, 60, number(libc::O_CLOEXEC)) with file;
    "copy-by-fcntl": fcntl(file, number(libc::F_DUPFD), 0) with file;
    "copy-by-fcntl-closing": fcntl(file, number(libc::F_DUPFD_CLOEXEC), 0) with file;
    "punch": fallocate(file, number(libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE), 0, 1) with file;
    "collapse": fallocate(file, number(libc::FALLOC_FL_COLLAPSE_RANGE), 0, 4096) with file;
    "copy-into": copy_file_range(file, memory(&[]), file, memory(&[]), 1, 0) with file;
    "send-into": sendfile(file, file, memory(&[]), 1) with file;
    "splice-into": splice(NONE, 0, file, 0, 1, 0) with file;
    "open-mode": fchmod(file, 0o666) with file;
    "other-owner": fchown(file, 65534, 65534) with file;
    "flags": ioctl(file, SET_FLAGS, memory(&[])) with file;
    "clone": ioctl(file, CLONE, file) with file;
    "move-extent": ioctl(file, MOVE_EXTENT, memory(&[])) with file;
    "attribute": fsetxattr(file, super::raw::text(c"user.x"), memory(&[]), 1, 0) with file;
    "close": close(file) with file;
    "owner-of-signals": fcntl(file, number(libc::F_SETOWN), super::raw::own()) with file;
};

/// Tries an attack on each file that is open for appending. The first that isn't refused
/// counts.
pub(super) fn attack(name: &str) -> Outcome {
    let attack = ALL.iter().find(|attack| attack.name == name);
    let attack = attack.ok_or(Errno::ENOSYS)?;
    let mut outcome = Err(Errno::EBADF);
    for file in FILES.filter(|file| appends(*file)) {
        outcome = call(attack.number, &(attack.arguments)(file));
        // The line of a forbidden call needs one of them, so closing goes on.
        if outcome.is_ok() && attack.number != Sysno::close {
            break;
        }
    }
    outcome
}

/// A file's device and inode.
pub(super) type FileId = (u64, u64);

/// Returns the files that are open for appending.
pub(super) fn files() -> Vec<FileId> {
    let open = FILES.filter(|file| appends(*file));
    let numbers = open.filter_map(|file| i32::try_from(file).ok());
    let statuses = numbers.filter_map(|file| {
        // SAFETY: nobody closes the file while its status is read.
        fstat(unsafe { BorrowedFd::borrow_raw(file) }).ok()
    });
    statuses
        .map(|status| (status.st_dev, status.st_ino))
        .collect()
}

fn appends(file: usize) -> bool {
    let flags = call(Sysno::fcntl, &[file, number(libc::F_GETFL)]);
    flags.is_ok_and(|flags| flags & number(libc::O_APPEND) != 0)
}
