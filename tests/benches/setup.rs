//! Compares the cost of one `setup` with netavark's native example plugin and with the
//! driver `host-device`. Both move an interface into a container. They run in turns, so
//! that other load on the machine affects both. The confinement, which the native plugin
//! doesn't have, is measured in the same turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that can't go on should say so and end"
)]

use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use confine::{Alarm, Needs, Place, Use, Wall};
use nix::sys::resource::{UsageWho, getrusage};
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

/// The number of runs of each plugin.
const RUNS: usize = 200;
/// The argument that makes this program run one command and print its peak memory.
const PEAK: &str = "--peak-memory-of";

/// The argument that makes this program confine itself and print the time that this took, in
/// nanoseconds.
const CONFINE: &str = "--confine";

/// One of the two plugins.
struct Plugin {
    title: &'static str,
    program: std::path::PathBuf,
    root: std::path::PathBuf,
    document: String,
}

fn main() {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == PEAK) {
        tell_peak_memory(arguments.get(at + 1..).unwrap_or_default());
        return;
    }
    if arguments.iter().any(|argument| argument == CONFINE) {
        println!("{}", confine().as_nanos());
        return;
    }
    if !nix::unistd::Uid::effective().is_root() {
        println!("skipped: it needs root");
        return;
    }
    compare();
}

fn compare() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("host-device", "host-device", &Grant::host_device());
    // The native plugin keeps the interface's name, and adds no addresses.
    let connection = Connection::new("host-device")
        .ipam("none")
        .join("interface_name", PARENT);
    let plugin = |title, program| Plugin {
        title,
        program,
        root: wasmvark.root().to_owned(),
        document: connection.for_plugin(),
    };
    let native = plugin("native", places::fast_tool("host-device-plugin"));
    let ours = plugin("wasmvark", wasmvark.plugins().join("host-device"));
    let mut times = [Vec::new(), Vec::new()];
    let mut confined = Vec::new();
    for _ in 0..RUNS {
        for (plugin, times) in [&native, &ours].into_iter().zip(&mut times) {
            times.push(plugin.setup(&world));
            plugin.teardown(&world);
        }
        confined.push(time_to_confine());
    }
    println!("{INTERFACE}: {RUNS} runs of setup each, in turns; medians");
    for (plugin, times) in [&native, &ours].into_iter().zip(&mut times) {
        let memory = plugin.peak_memory(&world);
        println!(
            "{:<9}{:>7} µs  {memory:>6} KiB at most",
            plugin.title,
            median(times).as_micros()
        );
    }
    let share = median(&mut confined).as_secs_f64() / median(&mut times[1]).as_secs_f64();
    println!(
        "{:<9}{:>7} µs, {:.0} % of wasmvark's setup",
        "confining",
        median(&mut confined).as_micros(),
        100.0 * share
    );
    let program = std::fs::metadata(places::wasmvark()).unwrap().len();
    println!("the program wasmvark has {program} bytes");
}

/// Has another process confine itself, and returns the time that this took.
fn time_to_confine() -> Duration {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = process::run(command.arg(CONFINE), b"");
    Duration::from_nanos(output.stdout.trim().parse().expect("a number"))
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

impl Plugin {
    fn command(&self, world: &World, verb: &str) -> Command {
        let mut command = world.host.command(&self.program);
        command
            .env_clear()
            .env("WASMVARK_ROOT", &self.root)
            .arg(verb)
            .arg(world.container.path());
        command
    }

    fn setup(&self, world: &World) -> Duration {
        let mut command = self.command(world, "setup");
        let start = Instant::now();
        let output = process::run(&mut command, self.document.as_bytes());
        let time = start.elapsed();
        assert_eq!(output.code, Some(0), "{}: {output:?}", self.title);
        time
    }

    fn teardown(&self, world: &World) {
        let output = process::run(
            &mut self.command(world, "teardown"),
            self.document.as_bytes(),
        );
        assert_eq!(output.code, Some(0), "{}: {output:?}", self.title);
        let up = format!("link set {PARENT} up");
        world.host.ip_batch(&[], &up);
    }

    /// Returns the peak memory of one `setup`, in KiB.
    fn peak_memory(&self, world: &World) -> String {
        let mut command = world.host.command(std::env::current_exe().unwrap());
        command
            .env("WASMVARK_ROOT", &self.root)
            .arg(PEAK)
            .arg(&self.program)
            .arg("setup")
            .arg(world.container.path());
        let output = process::run(&mut command, self.document.as_bytes());
        assert_eq!(output.code, Some(0), "{}: {output:?}", self.title);
        self.teardown(world);
        output.stderr.trim().to_owned()
    }
}

fn tell_peak_memory(command: &[std::ffi::OsString]) {
    let (program, arguments) = command.split_first().expect("a command");
    let status = Command::new(program).args(arguments).status().unwrap();
    eprintln!(
        "{}",
        getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
    );
    std::process::exit(status.code().unwrap_or(1));
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
