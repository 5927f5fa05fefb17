//! The report of a machine, and the failures of machines.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

/// The prefix of the lines that the machine's process 1 prints.
const MARK: &str = "@vm ";

/// The time limits of a machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The time from one line to the next.
    pub(crate) silence: Duration,
    /// The time from start to end.
    pub(crate) whole: Duration,
}

/// The report of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The results of the tests.
    pub(crate) counts: Counts,
    /// The exit statuses of the test programs.
    statuses: BTreeMap<String, String>,
    /// Whether process 1 has finished.
    done: bool,
}

/// The numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// The reason why a run has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The machine printed nothing for this time.
    Silence(Duration),
    /// The machine hadn't finished after this time.
    Late(Duration),
    /// The machine ended before its report was complete.
    Died,
    /// A program didn't run to its end.
    Missing(String),
    /// A program ended with a status other than 0.
    Status(String, String),
}

impl Failure {
    /// Whether the machine itself failed. Then its console may have the reason.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::Late(_) | Self::Died)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(time) => write!(f, "the machine printed nothing for {time:?}"),
            Self::Late(time) => write!(f, "the machine hadn't finished after {time:?}"),
            Self::Died => write!(f, "the machine ended before its report was complete"),
            Self::Missing(program) => write!(f, "{program} didn't run to its end"),
            Self::Status(program, status) => write!(f, "{program} ended with status {status}"),
        }
    }
}

/// Reads a machine's report to its end, and calls `tell` with each line. A machine that
/// exceeds a limit is killed.
pub(crate) fn follow(
    mut machine: Child,
    limits: Limits,
    tell: impl FnMut(&str),
) -> anyhow::Result<(Report, Option<Failure>)> {
    let output = machine.stdout.take().context("the report is a pipe")?;
    let mut report = Report::default();
    let read = report.read(&lines_of(output), limits, tell);
    if read.is_err() {
        machine.kill()?;
    }
    machine.wait()?;
    Ok((report, read.err()))
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // Tests may print bytes that aren't UTF-8.
        while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
}

impl Report {
    /// Reads to the end of the report, or until a limit is exceeded.
    fn read(
        &mut self,
        lines: &Receiver<String>,
        limits: Limits,
        mut tell: impl FnMut(&str),
    ) -> Result<(), Failure> {
        let end = Instant::now() + limits.whole;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = match lines.recv_timeout(limits.silence.min(left)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) if self.done => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Died),
                Err(RecvTimeoutError::Timeout) if left <= limits.silence => {
                    return Err(Failure::Late(limits.whole));
                }
                Err(RecvTimeoutError::Timeout) => return Err(Failure::Silence(limits.silence)),
            };
            tell(&line);
            self.take(&line);
        }
    }

    fn take(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.counts.add(Counts::parse(counts));
        }
        let words: Vec<&str> = match line.strip_prefix(MARK) {
            Some(words) => words.split(' ').collect(),
            None => return,
        };
        match *words.as_slice() {
            ["end", program, status] => {
                self.statuses.insert(program.into(), status.into());
            }
            ["done"] => self.done = true,
            _ => (),
        }
    }

    /// Returns the first failure in the report.
    pub(crate) fn check(&self, programs: &[String]) -> Option<Failure> {
        programs
            .iter()
            .find_map(|program| match self.statuses.get(program) {
                None => Some(Failure::Missing(program.clone())),
                Some(status) if status != "0" => {
                    Some(Failure::Status(program.clone(), status.clone()))
                }
                Some(_) => None,
            })
    }
}

impl Counts {
    /// Parses a line such as `ok. 3 passed; 0 failed; 1 ignored; …`.
    fn parse(result: &str) -> Self {
        let number = |what: &str| {
            let words: Vec<&str> = result.split([' ', ';']).collect();
            let at = words.iter().position(|word| *word == what)?;
            words.get(at.checked_sub(1)?)?.parse().ok()
        };
        Self {
            passed: number("passed").unwrap_or(0),
            failed: number("failed").unwrap_or(0),
            skipped: number("ignored").unwrap_or(0),
        }
    }

    /// Adds the numbers of other tests.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::process::{Command, Stdio};

    use super::*;

    const LIMITS: Limits = Limits {
        silence: Duration::from_secs(5),
        whole: Duration::from_secs(20),
    };

    const GOOD: &str = "echo @vm start gate; echo test a ... ok; \
        echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured'; \
        echo @vm end gate 0; echo @vm done";

    /// Runs a shell script in place of a machine.
    fn follow_script(script: &str, limits: Limits) -> (Report, Option<Failure>, Vec<String>) {
        let machine = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = Vec::new();
        let (report, failure) =
            follow(machine, limits, |line| lines.push(line.to_owned())).unwrap();
        (report, failure, lines)
    }

    #[test]
    fn a_good_report_is_told_and_counted() {
        let (report, failure, lines) = follow_script(GOOD, LIMITS);
        assert_eq!(failure, None);
        assert_eq!(report.check(&["gate".into()]), None);
        let counts = Counts {
            passed: 3,
            failed: 0,
            skipped: 1,
        };
        assert_eq!(report.counts, counts);
        assert!(lines.contains(&"test a ... ok".to_owned()), "{lines:?}");
    }

    #[test]
    fn a_failed_program_fails_the_run() {
        let script = GOOD.replace("gate 0", "gate 101");
        let (report, failure, _) = follow_script(&script, LIMITS);
        assert_eq!(failure, None);
        let status = Failure::Status("gate".into(), "101".into());
        assert_eq!(report.check(&["gate".into()]), Some(status));
    }

    #[test]
    fn a_program_that_was_not_run_fails_the_run() {
        let (report, _, _) = follow_script(GOOD, LIMITS);
        let missing = Failure::Missing("netavark".into());
        let programs = ["gate".into(), "netavark".into()];
        assert_eq!(report.check(&programs), Some(missing));
    }

    #[test]
    fn a_machine_that_dies_is_noticed() {
        let script = GOOD.replace("; echo @vm done", "");
        let (_, failure, _) = follow_script(&script, LIMITS);
        assert_eq!(failure, Some(Failure::Died));
    }

    #[test]
    fn a_silent_machine_is_ended() {
        let silence = Duration::from_millis(200);
        let limits = Limits { silence, ..LIMITS };
        let start = Instant::now();
        let (_, failure, lines) = follow_script("echo hello; exec sleep 60", limits);
        assert_eq!(failure, Some(Failure::Silence(silence)));
        assert_eq!(lines, ["hello"]);
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_machine_that_talks_for_ever_is_ended() {
        let whole = Duration::from_millis(700);
        let limits = Limits { whole, ..LIMITS };
        let (_, failure, _) = follow_script("while sleep 0.1; do echo on; done", limits);
        assert_eq!(failure, Some(Failure::Late(whole)));
    }
}
