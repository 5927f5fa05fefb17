//! The same actions by the same program, unconfined: what a payload could do without the
//! confinement.

use std::fs::{File, OpenOptions};
use std::process::exit;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use syscalls::Errno;

use super::{report, take, words};

/// Takes each action in a process of its own, which it may ruin.
pub(super) fn act(actions: &[String]) {
    for action in actions {
        // SAFETY: the process has one thread.
        let outcome = match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                let _trail = trail();
                exit(take(action).err().map_or(0, Errno::into_raw))
            }
            Ok(ForkResult::Parent { child }) => match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, 0)) => words(Ok(0)),
                Ok(WaitStatus::Exited(_, errno)) => words(Err(Errno::new(errno))),
                Ok(WaitStatus::Signaled(_, signal, _)) => signal.as_str().to_owned(),
                status => format!("{status:?}"),
            },
            Err(errno) => format!("can't be tried: {errno}"),
        };
        report(action, &outcome);
    }
}

/// Opens the file of `WASMVARK_PAYLOAD_TRAIL` like a trail.
fn trail() -> Option<File> {
    let path = std::env::var_os("WASMVARK_PAYLOAD_TRAIL")?;
    let open = OpenOptions::new().read(true).append(true).open(path);
    open.ok()
}
