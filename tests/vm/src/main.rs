//! Runs test programs in virtual machines with a complete Debian kernel, and prints
//! each test's result at once.
//!
//! - [`programs`]: the test programs
//! - [`disk`]: the disk with the tests for a machine
//! - [`machine`]: QEMU's command line
//! - [`report`]: the report of a machine

mod disk;
mod machine;
mod programs;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use machine::{Parts, Task};
use programs::Program;
use report::{Counts, Failure, Limits};

const USAGE: &str = "usage: wasmvark-vm IMAGE PODMAN-DISK|none CARGO-MESSAGES [FILTER]";

/// The number of machines that run at the same time.
const MACHINES: usize = 2;

/// Suites that aren't run by default. They take too long in software emulation:
/// `protocol` needs nothing of the kernel that other suites don't, `fuzz` needs nothing of
/// it at all, `differential` compares little in minutes, and `languages` needs compilers
/// and their registries. `WASMVARK_VM_SUITES` runs them.
const TOO_SLOW: [&str; 4] = ["differential", "fuzz", "languages", "protocol"];

/// The suite that needs a system with Podman.
const PODMAN: &str = "podman";

const LIMITS: Limits = Limits {
    silence: Duration::from_secs(300),
    whole: Duration::from_secs(1500),
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [image, podman, messages] => run(image, podman, messages, ""),
        [image, podman, messages, filter] => run(image, podman, messages, filter),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all tests whose names contain `filter`. Returns whether all have passed.
fn run(image: &str, podman: &str, messages: &str, filter: &str) -> anyhow::Result<bool> {
    if filter.contains(|c: char| c.is_whitespace() || c == '"') {
        bail!("no test has a name with {filter:?} in it");
    }
    let mut programs = programs::read(Path::new(messages))?;
    programs.retain(is_wanted);
    let podman = (podman != "none").then(|| PathBuf::from(podman));
    if podman.is_none() {
        programs.retain(|program| program.name != PODMAN);
    }
    let folder = tempfile::tempdir()?;
    let parts = Parts {
        image: PathBuf::from(image),
        tests: disk::make(folder.path(), &programs)?,
        podman,
    };
    let tasks: Vec<Task> = (1..=MACHINES).map(|n| task(&programs, n, filter)).collect();
    let results = thread::scope(|scope| {
        let machines: Vec<_> = (1..)
            .zip(&tasks)
            .map(|(number, task)| {
                let console = folder.path().join(format!("console{number}"));
                let parts = &parts;
                scope.spawn(move || run_machine(number, parts, task, &console))
            })
            .collect();
        let join = |machine: thread::ScopedJoinHandle<'_, _>| match machine.join() {
            Ok(result) => result,
            Err(_) => bail!("a machine's thread crashed"),
        };
        machines.into_iter().map(join).collect::<Vec<_>>()
    });
    conclude(results)
}

/// Whether a program is in `WASMVARK_VM_SUITES`. Without this variable, all are wanted
/// except those in `TOO_SLOW`.
fn is_wanted(program: &Program) -> bool {
    match std::env::var("WASMVARK_VM_SUITES") {
        Ok(suites) => suites.split(' ').any(|suite| suite == program.name),
        Err(_) => !TOO_SLOW.contains(&&*program.name),
    }
}

/// Returns the task of a machine: its share of each suite. The first machine also runs
/// the programs that can't be shared.
fn task(programs: &[Program], number: usize, filter: &str) -> Task {
    let programs_here = programs
        .iter()
        .filter(|program| program.shares || number == 1);
    Task {
        programs: programs_here.map(|program| program.name.clone()).collect(),
        share: format!("{number}/{MACHINES}"),
        filter: filter.into(),
    }
}

/// Runs a machine to its end. Returns the failure if one of its programs or the machine
/// itself failed.
fn run_machine(
    number: usize,
    parts: &Parts,
    task: &Task,
    console: &Path,
) -> anyhow::Result<(Counts, Option<Failure>)> {
    let machine = machine::command(parts, task, console)
        .spawn()
        .context("qemu-system-x86_64")?;
    let (report, failure) = report::follow(machine, LIMITS, |line| println!("vm{number}: {line}"))?;
    let failure = failure.or_else(|| report.check(&task.programs));
    let Some(failure) = failure else {
        return Ok((report.counts, None));
    };
    if failure.is_of_the_machine() {
        let log = fs::read(console).unwrap_or_default();
        println!(
            "vm{number}: its console:\n{}",
            String::from_utf8_lossy(&log)
        );
    }
    println!("vm{number}: FAILED: {failure}");
    Ok((report.counts, Some(failure)))
}

/// Prints the sums. Returns whether all tests have passed.
fn conclude(results: Vec<anyhow::Result<(Counts, Option<Failure>)>>) -> anyhow::Result<bool> {
    let mut sum = Counts::default();
    let mut good = true;
    for result in results {
        let (counts, failure) = result?;
        sum.add(counts);
        good &= failure.is_none();
    }
    if good && sum.passed == 0 {
        bail!("not one test was run");
    }
    println!();
    println!(
        "{} passed, {} failed, {} skipped",
        sum.passed, sum.failed, sum.skipped
    );
    Ok(good)
}
