//! Runs of programs with input, output and a time limit.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};

use crate::patience;

/// The time limit of a run. Every run should end before, even one that ends by a
/// driver's deadline of 10 seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of a program's run.
#[derive(Debug)]
pub struct Output {
    /// The exit code, or `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The error that kept some of the input from being written.
    pub input_error: Option<io::Error>,
}

/// Runs a program to its end, with `input` on its standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    run_within(LIMIT, command, input)
}

/// Does the same as [`run`], with another time limit: a compiler takes its time.
pub fn run_within(limit: Duration, command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("can't run {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let stdout = reader(child.stdout.take().expect("stdout is a pipe"));
    let stderr = reader(child.stderr.take().expect("stderr is a pipe"));
    let watch = Watch::start(&child, patience::of(limit));
    let input_error = stdin.write_all(input).err();
    drop(stdin);
    let status = child.wait().expect("the program can be waited for");
    watch.stop(&format!("{command:?}"));
    Output {
        code: status.code(),
        stdout: stdout.join().expect("stdout was read"),
        stderr: stderr.join().expect("stderr was read"),
        input_error,
    }
}

/// Limits the memory that a program may take for data, in bytes.
pub fn limit_data(command: &mut Command, bytes: u64) {
    // SAFETY: between fork and exec only setrlimit is called. It's a system call that
    // allocates nothing.
    unsafe {
        command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_DATA, bytes, bytes)?));
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).expect("the pipe can be read");
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// The watch that ends a program at the time limit.
struct Watch {
    ended: mpsc::Sender<()>,
    thread: JoinHandle<bool>,
    limit: Duration,
}

impl Watch {
    fn start(child: &Child, limit: Duration) -> Self {
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let (ended, wait) = mpsc::channel();
        let thread = thread::spawn(move || {
            let late = wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                // The child hasn't been waited for yet, so the process ID is still its
                // own.
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
            }
            late
        });
        Self {
            ended,
            thread,
            limit,
        }
    }

    fn stop(self, what: &str) {
        drop(self.ended);
        let late = self.thread.join().expect("the watch ends");
        assert!(!late, "{what} didn't end in {:?}", self.limit);
    }
}
