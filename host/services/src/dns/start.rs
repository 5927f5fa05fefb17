//! Starting the server as netavark does: by itself, or in a scope of systemd where that
//! runs, so that the server doesn't end with the container that started it.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use types::text;

use super::{AardvarkConfig, DnsError};

/// The folder that exists where systemd is the init system (`sd_booted(3)`).
const SYSTEMD: &str = "/run/systemd/system";
/// The program that starts another one in a scope.
const SYSTEMD_RUN: &str = "systemd-run";
/// The most that is read of the server's error, in bytes.
const ERROR_MAX: usize = 4096;
/// The pause between two looks for the end of the server's first process.
const PAUSE: Duration = Duration::from_millis(2);

/// Starts the server. Its first process ends once the server answers.
pub(super) fn start(config: &AardvarkConfig, deadline: Instant) -> Result<(), DnsError> {
    trust::check_program(&config.program).map_err(|error| DnsError::Start(error.to_string()))?;
    let mut command = command(config);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if std::env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "error");
    }
    unblock_signals(&mut command);
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let ended = wait(&mut child, deadline);
    if !matches!(ended, Ok(Some(_))) {
        // What it has started may go on, but not this process.
        let _ = child.kill();
        let _ = child.wait();
    }
    match ended.map_err(|error| failed(&error))? {
        None => Err(DnsError::Start(
            "it took longer than the run may".to_owned(),
        )),
        Some((true, _)) => Ok(()),
        Some((false, error)) => Err(DnsError::Start(match error.trim() {
            "" => "it ended without an error message".to_owned(),
            error => text::plain_error(error),
        })),
    }
}

/// Has the server take all signals. A run blocks some, and the server would have them
/// blocked for good.
#[allow(
    unsafe_code,
    reason = "std has no other way to set a child's signal mask"
)]
fn unblock_signals(command: &mut Command) {
    let unblock = || Ok(SigSet::empty().thread_set_mask()?);
    // SAFETY: between fork and exec only `sigprocmask` is called. It is a system call that
    // allocates nothing.
    unsafe {
        command.pre_exec(unblock);
    }
}

fn failed(error: &io::Error) -> DnsError {
    DnsError::Start(error.to_string())
}

fn command(config: &AardvarkConfig) -> Command {
    let systemd_run = Path::new(SYSTEMD).exists().then(find_systemd_run).flatten();
    let mut command = match systemd_run {
        None => Command::new(&config.program),
        Some(systemd_run) => {
            let mut command = Command::new(systemd_run);
            command.args(["-q", "--scope"]);
            if config.rootless {
                command.arg("--user");
            }
            command.arg(&config.program);
            command
        }
    };
    command.arg("--config").arg(config.folder());
    command.arg("-p").arg(config.port.to_string()).arg("run");
    command
}

/// Finds systemd-run in the folders of PATH. Relative ones would depend on where this
/// program was called.
fn find_systemd_run() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders
        .map(|folder| folder.join(OsStr::new(SYSTEMD_RUN)))
        .find(|file| file.is_file())
}

/// Waits for the end of a process. Returns whether it was a success, and what it wrote to
/// its standard error, or `None` after the deadline.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<(bool, String)>> {
    let mut error = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // The server keeps no copy of it open.
        if !read_until_end(stderr, &mut error, deadline)? {
            return Ok(None);
        }
    }
    let error = String::from_utf8_lossy(&error).into_owned();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status.success(), error)));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Reads a pipe until its writers have closed it. Returns `false` after the deadline.
fn read_until_end(
    mut stderr: ChildStderr,
    text: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<bool> {
    fcntl(&stderr, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut buffer = [0; 1024];
    loop {
        match stderr.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(read) => {
                let room = ERROR_MAX.saturating_sub(text.len());
                text.extend(buffer.iter().take(read.min(room)));
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
