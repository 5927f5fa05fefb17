//! Tests that are killed. Nothing of their machines may be left.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::poll;

use crate::case::{LAN, MACVLAN, NEEDS};
use crate::edition;
use crate::machine::{Account, Machine};
use crate::podman::Podman;

/// With it this program holds a machine until it is killed.
const HOLD: &str = "WASMVARK_TEST_HOLD";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("tests/killed while a container runs", NEEDS, killed);
}

/// Holds a machine with a container, and tells its init's process id.
pub(crate) fn hold_if_asked() {
    if env::var_os(HOLD).is_none() {
        return;
    }
    let machine = Machine::boot(edition::ALL[0]);
    let podman = Podman::new(&machine, Account::Root);
    podman.install("macvlan", MACVLAN);
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.start("c", "--network lan");
    println!("{}", machine.init());
    sleep(Duration::from_secs(600));
}

/// The programs of a container that runs.
const RUNNING: [&str; 2] = ["conmon", "sleep"];

fn killed() {
    let mut tests = Command::new(env::current_exe().expect("this program has a path"))
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be run");
    let stdout = tests.stdout.take().expect("stdout is a pipe");
    let mut line = String::new();
    let read = BufReader::new(stdout).read_line(&mut line);
    // The runtime becomes the container's program in its own time.
    let started = poll::until(
        || descendants(line.trim()),
        |found| RUNNING.iter().all(|name| names(found).contains(name)),
    );
    tests.kill().expect("the tests can be killed");
    tests.wait().expect("the tests end");
    read.expect("a process id");
    for name in RUNNING {
        assert!(
            names(&started).contains(&name),
            "{name} has run: {started:?}"
        );
    }
    let living = || {
        started
            .iter()
            .filter(|(id, _)| process(id).is_some())
            .count()
    };
    let left = poll::until(living, |left| *left == 0);
    assert_eq!(left, 0, "of {started:?}");
}

fn names(processes: &[(String, String)]) -> Vec<&str> {
    processes.iter().map(|(_, name)| name.as_str()).collect()
}

/// All processes below one, with their names.
fn descendants(id: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir("/proc").expect("processes can be listed");
    let all: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter_map(|id| process(&id).map(|(name, parent)| (id, name, parent)))
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut parents = vec![id.to_owned()];
    while let Some(above) = parents.pop() {
        for (id, name, _) in all.iter().filter(|(_, _, parent)| *parent == above) {
            parents.push(id.clone());
            found.push((id.clone(), name.clone()));
        }
    }
    found
}

/// The name of a process, and its parent.
fn process(id: &str) -> Option<(String, String)> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let field = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim().to_owned())
    };
    Some((field("Name:")?, field("PPid:")?))
}
