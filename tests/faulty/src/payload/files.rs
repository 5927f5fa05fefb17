//! Files: opening, making, removing and renaming them.

use std::ffi::CString;

use nix::libc;
use syscalls::{Errno, Sysno};

use super::raw::{call, memory, number, text};
use super::{Outcome, UNKNOWN};

/// The working directory (`AT_FDCWD`).
pub(super) fn here() -> usize {
    number(libc::AT_FDCWD)
}

/// Tries one action on a path.
pub(super) fn try_to(verb: &str, object: &str) -> Outcome {
    let (first, second) = object.split_once(':').unwrap_or((object, ""));
    let [path, other] = [first, second].map(|path| CString::new(path).unwrap_or_default());
    let [at, to] = [&path, &other].map(|path| text(path));
    let open = |flags: i32| call(Sysno::openat, &[here(), at, number(flags), 0o600]);
    match verb {
        "read" => open(libc::O_RDONLY),
        "write" => open(libc::O_WRONLY),
        "list" => list(open(libc::O_RDONLY | libc::O_DIRECTORY)?),
        "make" => open(libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL),
        "folder" => call(Sysno::mkdirat, &[here(), at, 0o700]),
        "remove" => call(Sysno::unlinkat, &[here(), at, 0]),
        "empty" => call(Sysno::unlinkat, &[here(), at, number(libc::AT_REMOVEDIR)]),
        "rename" => call(Sysno::renameat2, &[here(), at, here(), to, 0]),
        "follow" => call(Sysno::readlinkat, &[here(), at, memory(&[]), 4096]),
        "open" => use_open(open(libc::O_RDONLY)?, second),
        _ => UNKNOWN,
    }
}

fn list(folder: usize) -> Outcome {
    call(Sysno::getdents64, &[folder, memory(&[]), 4096])
}

/// Does more with a file that may be read than reading it.
fn use_open(file: usize, what: &str) -> Outcome {
    match what {
        "fchmod" => call(Sysno::fchmod, &[file, 0o666]),
        "fchown" => call(Sysno::fchown, &[file, 0, 0]),
        _ => Err(Errno::ENOSYS),
    }
}
