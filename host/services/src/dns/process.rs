//! The server's process. Its number is in a file that outlasts it, so the number alone
//! says nothing: another process may have it by now.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::geteuid;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::DnsError;

/// The server's name in the kernel, if its program has no other one.
const NAME: &str = "aardvark-dns";
/// The longest name of a process (TASK_COMM_LEN in `linux/sched.h`, without the 0).
const COMM_MAX: usize = 15;
/// The largest file with a process number that is read, in bytes.
const PID_MAX: u64 = 64;
/// How long a server without files has to end.
const ENDING: Duration = Duration::from_secs(2);

/// A running server.
#[derive(Debug)]
pub(super) struct Process {
    pid: i32,
    fd: OwnedFd,
}

impl Process {
    /// Finds the server of a folder. `program` may have another name than the usual.
    pub(super) fn find(folder: &Path, program: Option<&Path>) -> Result<Option<Self>, DnsError> {
        let path = folder.join("aardvark.pid");
        let text = match trust::read(&path, PID_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(super::aardvark::failed(&path, &error)),
        };
        let text = String::from_utf8_lossy(&text);
        let number = text.trim().parse().ok().filter(|pid| *pid > 1);
        Ok(number.and_then(|number| Self::open(number, program)))
    }

    /// Opens a process, which keeps its number from being used again unnoticed, and
    /// looks whether it is the server.
    fn open(number: i32, program: Option<&Path>) -> Option<Self> {
        let pid = Pid::from_raw(number)?;
        let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        if !is_of_this_user(number)? {
            return None;
        }
        let comm = std::fs::read(format!("/proc/{number}/comm")).ok()?;
        let comm = comm.trim_ascii_end();
        (comm == NAME.as_bytes() || program.is_some_and(|program| comm == comm_of(program)))
            .then_some(Self { pid: number, fd })
    }

    /// Has the server read its files. Returns whether it is still there.
    pub(super) fn reload(&self) -> Result<bool, DnsError> {
        match pidfd_send_signal(&self.fd, Signal::HUP) {
            // One that has ended takes signals until its parent has waited for it.
            Ok(()) => Ok(!self.has_ended_within(Duration::ZERO)),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(DnsError::Start(format!(
                "failed to send SIGHUP to aardvark: {errno}"
            ))),
        }
    }

    /// Whether the server runs in this process's network namespace. A server that is
    /// ending has none, and counts as here.
    pub(super) fn is_here(&self) -> bool {
        let netns = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net"));
        match (netns("self"), netns(&self.pid.to_string())) {
            (Ok(own), Ok(its)) => own == its,
            _ => true,
        }
    }

    /// Waits until a server without files has ended. Otherwise the next container's
    /// signal could reach the one that is about to end.
    pub(super) fn wait_end(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        self.has_ended_within(left.min(ENDING));
    }

    fn has_ended_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Err(nix::errno::Errno::EINTR) if !left.is_zero() => {}
                ended => return ended.is_ok_and(|ended| ended > 0),
            }
        }
    }
}

/// Whether a process is this user's, and sees the same files: a container's root can have
/// the same user, and give its processes any name.
fn is_of_this_user(number: i32) -> Option<bool> {
    let process = PathBuf::from(format!("/proc/{number}"));
    let owner = process.metadata().ok()?.uid();
    let root = |path: &Path| path.metadata().map(|root| (root.dev(), root.ino()));
    let same_root = root(&process.join("root")).ok()? == root(Path::new("/")).ok()?;
    Some(owner == geteuid().as_raw() && same_root)
}

/// Returns the name that the kernel gives to a process of a program.
fn comm_of(program: &Path) -> &[u8] {
    let name = program.file_name().map_or(&[][..], OsStrExt::as_bytes);
    name.get(..COMM_MAX).unwrap_or(name)
}
