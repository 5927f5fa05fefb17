//! Processes of the program's own that are split from it, for what the rest must not be
//! able to do.

mod connection;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{ForkResult, Pid, close, dup2_stdin, dup2_stdout, fork, getpid, getppid};

use super::remains;
#[cfg(test)]
pub(super) use connection::MESSAGE_MAX;
pub(super) use connection::{Connection, ConnectionError};

/// The threads of this process.
const THREADS: &str = "/proc/self/task";
/// The open files of this process.
const OPEN_FILES: &str = "/proc/self/fd";
/// The file without content that takes the place of closed ones.
const NULL: &str = "/dev/null";

/// Why a process can't be split from this one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// This process has more than one thread.
    #[error(
        "internal error: there are {0} threads where a process must be started, and may be one; \
         please report it"
    )]
    Threads(usize),
    /// No process can be made.
    #[error("{0}; raise the limits of processes and open files")]
    Start(#[from] io::Error),
}

/// Starts a process that does some work at the other end of a connection, and then ends.
/// It ends with this one at the latest.
///
/// # Errors
///
/// This process has other threads, whose locks nobody would ever open in the new one; or
/// no process can be made.
pub(super) fn start(work: impl FnOnce(Connection)) -> Result<(Connection, Pid), ChildError> {
    let threads = fs::read_dir(THREADS)?.count();
    match threads {
        1 => split(work),
        _ => Err(ChildError::Threads(threads)),
    }
}

#[allow(unsafe_code, reason = "a process can be split in no other way")]
fn split(work: impl FnOnce(Connection)) -> Result<(Connection, Pid), ChildError> {
    let (here, there) = Connection::pair()?;
    let parent = getpid();
    // SAFETY: the process has one thread. So no lock is held by a thread that the new
    // process doesn't have.
    match unsafe { fork() }.map_err(io::Error::from)? {
        ForkResult::Parent { child } => Ok((here, child)),
        ForkResult::Child => {
            // A panic ends the process as any end does.
            let _ = remains::contain(|| {
                if detach(parent, &there).is_ok() {
                    work(there);
                }
            });
            // SAFETY: `_exit` ends the process and calls nothing of it.
            unsafe { nix::libc::_exit(0) }
        }
    }
}

/// Has the new process end with its parent, whose signals it leaves to it, and keeps
/// only standard error and the connection open. The parent's locks end with the parent
/// then, and so does its standard output for whoever reads that.
fn detach(parent: Pid, connection: &Connection) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != parent {
        return Err(io::ErrorKind::NotConnected.into());
    }
    SigSet::all().thread_block()?;
    let null = File::options().read(true).write(true).open(NULL)?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    drop(null);
    let stays = connection.as_raw_fd();
    for file in open_files()? {
        // The file that lists the open ones is closed by now.
        if file > io::stderr().as_raw_fd() && file != stays {
            let _ = close(file);
        }
    }
    Ok(())
}

fn open_files() -> io::Result<Vec<RawFd>> {
    let files = fs::read_dir(OPEN_FILES)?.flatten();
    let numbers = files.filter_map(|file| file.file_name().to_str()?.parse().ok());
    Ok(numbers.collect())
}
