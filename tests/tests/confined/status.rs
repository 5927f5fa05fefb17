//! The process of a run, as the kernel shows it where the driver's code would run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::class::{CLASSES, Class, Way};
use crate::scene::Scene;

/// CAP_NET_ADMIN and CAP_NET_RAW (`linux/capability.h`).
const ADMIN: u64 = 1 << 12;
const RAW: u64 = 1 << 13;

pub(crate) fn register(suite: &mut Suite) {
    for class in CLASSES {
        suite.test(format!("status/{}", class.name), NEEDS, move || {
            is_confined(class);
        });
    }
}

fn is_confined(class: &'static Class) {
    let world = World::new();
    let scene = Scene::new(&world, class);
    let mut child = paused(&scene);
    let process = format!("/proc/{}", child.id());
    let process = Path::new(&process);
    let threads = fs::read_dir(process.join("task")).expect("the process is there");
    let threads: Vec<_> = threads.flatten().map(|thread| thread.path()).collect();
    let expected = usize::from(class.command != "create") + 1;
    let problems: Vec<String> = threads
        .iter()
        .flat_map(|thread| problems(class, thread))
        .chain(unlimited(process))
        .chain(others_files(&scene, process))
        .collect();
    child.kill().expect("the run can be killed");
    child.wait().expect("the run ends");
    assert!(threads.len() >= expected, "{threads:?}");
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Starts a run that pauses, and waits until it does.
fn paused(scene: &Scene<'_>) -> Child {
    let mut command = scene.command(&["pause"]);
    let pipes = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.stdout(Stdio::null()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("it has an input");
    let written = input.write_all(scene.document().as_bytes());
    written.expect("it reads its input");
    drop(input);
    let mut error = BufReader::new(child.stderr.take().expect("it has an output"));
    let mut line = String::new();
    while !line.contains("payload pause") {
        line.clear();
        let length = error.read_line(&mut line).expect("it says what it does");
        assert_ne!(length, 0, "the run ends before it pauses");
    }
    child
}

/// Lists what isn't as it should be in a thread's status.
fn problems(class: &Class, thread: &Path) -> Vec<String> {
    let text = fs::read_to_string(thread.join("status")).expect("the status can be read");
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let line = lines.find(|(key, _)| *key == name);
        line.map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let admin = if class.command == "create" { 0 } else { ADMIN };
    let kept = admin | if class.has(Way::Packets) { RAW } else { 0 };
    let mut expected = vec![("NoNewPrivs", "1".to_owned()), ("Seccomp", "2".to_owned())];
    let capabilities = [
        ("CapEff", kept),
        ("CapPrm", kept),
        ("CapInh", 0),
        ("CapBnd", 0),
        ("CapAmb", 0),
    ];
    expected.extend(capabilities.map(|(name, set)| (name, format!("{set:016x}"))));
    let wrong = expected
        .into_iter()
        .filter(|(name, expected)| value(name) != *expected);
    wrong
        .map(|(name, expected)| format!("{name}: {}, not {expected}", value(name)))
        .collect()
}

/// Lists the process's limits that aren't set.
fn unlimited(process: &Path) -> Vec<String> {
    let text = fs::read_to_string(process.join("limits")).expect("the limits can be read");
    let limits = [
        "Max core file size",
        "Max open files",
        "Max file size",
        "Max data size",
    ];
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let mut words = line.unwrap_or_default().split_whitespace();
        words.next().unwrap_or_default().to_owned()
    };
    let mut wrong: Vec<String> = limits
        .into_iter()
        .filter(|name| of(name).parse::<u64>().is_err())
        .map(|name| format!("{name}: {}", of(name)))
        .collect();
    if of("Max core file size") != "0" {
        wrong.push("core files are allowed".to_owned());
    }
    wrong
}

/// Lists open files that aren't the run's own: beside sockets and the like, it has its
/// driver's code, the trail and the network's lock.
fn others_files(scene: &Scene<'_>, process: &Path) -> Vec<String> {
    const KINDS: [&str; 4] = ["anon_inode:", "net:", "pipe:", "socket:"];
    let root = scene.wasmvark.root();
    let own = [
        root.join("run"),
        scene.wasmvark.audit_file(),
        scene.wasmvark.code("probe"),
    ];
    let is_own = |target: &Path| {
        let is_kind = |kind| target.to_string_lossy().starts_with(kind);
        KINDS.into_iter().any(is_kind) || own.iter().any(|own| target.starts_with(own))
    };
    let files = fs::read_dir(process.join("fd")).expect("the files can be listed");
    let files = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    let others = files.filter(|file| !is_own(file) && file != Path::new("/dev/null"));
    others
        .map(|file| format!("{} is open", file.display()))
        .collect()
}
