//! One timed process. Its input and output are files, so that nothing of the measuring
//! program runs beside it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::iter::Sum;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::sys::wait::wait;
use wasmvark_tests::netns::Netns;

/// A program with its arguments, its environment and its input.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: String,
}

/// What something took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// The time until its end.
    pub(crate) time: Duration,
    /// The time of all processors for it, which other load hardly changes.
    pub(crate) processor: Duration,
}

/// A process that runs.
pub(crate) struct Running {
    child: std::process::Child,
    output: File,
    errors: File,
    what: String,
}

impl Run {
    /// Returns a run of a program with an empty environment and no input.
    pub(crate) fn of(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: String::new(),
        }
    }

    /// Returns a run of a driver of the installation in `root`, as netavark makes it.
    pub(crate) fn driver(program: impl AsRef<OsStr>, root: &Path) -> Self {
        Self::of(program).env("WASMVARK_ROOT", root)
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, Self::arg)
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    /// Sets the input.
    pub(crate) fn input(mut self, text: impl Into<String>) -> Self {
        self.input = text.into();
        self
    }

    /// Runs the program in a namespace, and returns its cost. It must succeed.
    pub(crate) fn time(&self, host: &Netns) -> Cost {
        self.time_and_read(host).0
    }

    /// Does the same, and returns the output, too.
    pub(crate) fn time_and_read(&self, host: &Netns) -> (Cost, String) {
        host.run(|| {
            let input = self.prepared();
            let used = used_by_children();
            let start = Instant::now();
            let mut running = self.start(input);
            let status = running.wait();
            let time = start.elapsed();
            wait_for_the_rest();
            let processor = used_by_children().saturating_sub(used);
            (Cost { time, processor }, running.output(status))
        })
    }

    /// Writes the input to a file that has no name.
    pub(crate) fn prepared(&self) -> File {
        let mut file = tempfile::tempfile().expect("a file can be made");
        file.write_all(self.input.as_bytes())
            .and_then(|()| file.rewind())
            .expect("the input can be written");
        file
    }

    /// Starts the program in this thread's namespace.
    pub(crate) fn start(&self, input: File) -> Running {
        let [output, errors] = [(); 2].map(|()| tempfile::tempfile().expect("a file can be made"));
        let both = [&output, &errors].map(|file| file.try_clone().expect("it can be copied"));
        let [stdout, stderr] = both;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("can't run {:?}: {error}", self.program));
        Running {
            child,
            output,
            errors,
            what: format!("{:?} {:?}", self.program, self.arguments),
        }
    }
}

impl Running {
    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it can be waited for")
    }

    /// Returns the output of a process that ended. It must have succeeded.
    pub(crate) fn output(mut self, status: ExitStatus) -> String {
        let output = read(&mut self.output);
        let errors = read(&mut self.errors);
        assert!(status.success(), "{}: {output}{errors}", self.what);
        output
    }
}

impl From<Duration> for Cost {
    fn from(time: Duration) -> Self {
        let processor = Duration::ZERO;
        Self { time, processor }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| Self {
            time: sum.time + cost.time,
            processor: sum.processor + cost.processor,
        })
    }
}

/// Has the kernel give this process those children whose parents end before them.
pub(crate) fn adopt_orphans() {
    set_child_subreaper(true).expect("it can be set");
}

/// Waits until all processes have ended that a program left behind.
fn wait_for_the_rest() {
    while wait() != Err(Errno::ECHILD) {}
}

/// Returns the processors' time for all children so far that have ended.
fn used_by_children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts it");
    let sum = usage.user_time() + usage.system_time();
    Duration::from_micros(sum.num_microseconds().unsigned_abs())
}

fn read(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind()
        .and_then(|()| file.read_to_string(&mut text))
        .expect("the output can be read");
    text
}
