//! What this program does in another process of its own.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use confine::{Alarm, Needs, Place, Use, Wall};
use nix::sys::resource::{UsageWho, getrusage};

use crate::run::Run;

/// The argument that makes this program run one command and print its peak memory, in KiB.
const PEAK: &str = "--peak-memory-of";

/// The argument that makes this program confine itself and print the time that this took,
/// in nanoseconds.
const CONFINE: &str = "--confine";

/// Does what the first argument says. Whether it says something of these.
pub(crate) fn runs(arguments: &[OsString]) -> bool {
    let Some((first, rest)) = arguments.split_first() else {
        return false;
    };
    match first.to_str() {
        Some(PEAK) => tell_peak_memory(rest),
        Some(CONFINE) => println!("{}", confine().as_nanos()),
        _ => return false,
    }
    true
}

/// Returns a run of a command that prints its peak memory as an error.
pub(crate) fn peak_memory_of(program: impl AsRef<std::ffi::OsStr>) -> Run {
    Run::of(std::env::current_exe().unwrap())
        .arg(PEAK)
        .arg(program)
}

/// Returns a run that prints how long it took to confine itself.
pub(crate) fn confining() -> Run {
    Run::of(std::env::current_exe().unwrap()).arg(CONFINE)
}

/// The most memory of a process among the command and its children. The kernel counts this
/// program's own before the command starts, which is less.
fn tell_peak_memory(command: &[OsString]) {
    let (program, arguments) = command.split_first().expect("a command");
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::inherit()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    println!(
        "{}",
        getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
    );
}

/// Confines this process as a setup does: it, and a thread in the container's namespace.
fn confine() -> Duration {
    let needs = Needs {
        network: true,
        admin: true,
        netfilter: true,
        places: [
            ("/proc/sys/net", Use::Write),
            ("/proc/sys/kernel/random/boot_id", Use::Read),
            ("/run", Use::Read),
            ("/run", Use::RemoveFolders),
            ("/run/lock", Use::RemoveFiles),
            ("/tmp", Use::Keep),
        ]
        .map(|(path, uses)| Place {
            path: path.into(),
            uses,
        })
        .to_vec(),
        memory: 1 << 30,
        file_size: 1 << 30,
        ..Needs::default()
    };
    let (walls, wall) = mpsc::channel::<Wall>();
    let (done, confined) = mpsc::channel();
    std::thread::spawn(move || {
        let wall = wall.recv().unwrap();
        done.send(wall.around_thread().is_ok()).unwrap();
        // It stays until the process ends.
        std::thread::park();
    });
    let start = Instant::now();
    let wall = Wall::new(needs).unwrap();
    walls.send(wall.clone()).unwrap();
    assert!(confined.recv().unwrap(), "the thread is confined");
    wall.around_process(1, Alarm::default()).unwrap();
    start.elapsed()
}
