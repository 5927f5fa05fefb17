//! `gc`, which clears the changes for containers whose namespace is gone. It must leave
//! everything that may be in use, even if it can't tell.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, good, installed};

pub(crate) fn register(suite: &mut Suite) {
    suite.test(
        "living/in another mount namespace",
        LINKS,
        mounted_elsewhere,
    );
    suite.test("living/open, and its mount is gone", LINKS, opened_by_path);
    suite.test("living/a stranger's process", LINKS, strangers_process);
    suite.test("living/who can't read all clears nothing", LINKS, unknown);
}

/// A process that ends with the test.
struct Keeper(Child);

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has a program run a shell that keeps something until the test ends, and says
/// when it does.
fn keep(command: &mut Command, script: &str) -> Keeper {
    let script = format!("{script}\necho ready\nexec sleep 600");
    let child = command
        .args(["sh", "-ec", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell can be started");
    let mut keeper = Keeper(child);
    let stdout = keeper.0.stdout.take().expect("stdout is a pipe");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("the shell says something");
    assert_eq!(line, "ready\n");
    keeper
}

/// Connects a container whose namespace `netns` is.
fn connect(wasmvark: &Wasmvark, netns: &Netns) {
    let path = netns.path();
    let arguments = ["setup", &path.to_string_lossy()];
    answer_of(&wasmvark.plugin(DRIVER, &arguments, good().for_plugin()));
}

#[track_caller]
fn gc_says(wasmvark: &Wasmvark, expected: &str) {
    let output = wasmvark.administer(&["gc"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains(expected), "{output:?}");
}

/// The kernel frees a mount namespace a little later.
#[track_caller]
fn gc_clears(wasmvark: &Wasmvark) {
    wasmvark.gc_until("1 cleared, 0 in use");
}

fn is_kept_by(script: &str) {
    let world = World::new();
    let wasmvark = installed(&world);
    let netns = Netns::new();
    connect(&wasmvark, &netns);
    let place = world.file("netns");
    fs::write(&place, "").unwrap();
    let mut shell = Command::new("unshare");
    shell
        .args(["--mount", "--propagation", "private"])
        .env("NETNS", netns.path())
        .env("PLACE", &place);
    let keeper = keep(&mut shell, script);
    drop(netns);
    gc_says(&wasmvark, "0 cleared, 1 in use");
    drop(keeper);
    gc_clears(&wasmvark);
    assert!(wasmvark.run_files().is_empty());
}

fn mounted_elsewhere() {
    is_kept_by("mount --bind \"$NETNS\" \"$PLACE\"");
}

fn opened_by_path() {
    is_kept_by("mount --bind \"$NETNS\" \"$PLACE\"\nexec 3< \"$PLACE\"\numount -l \"$PLACE\"");
}

/// A process of another user's in the namespace.
fn stranger(netns: &Netns) -> Keeper {
    let mut setpriv = netns.command("setpriv");
    setpriv.args(["--reuid", "1234", "--regid", "1234", "--clear-groups"]);
    keep(&mut setpriv, "")
}

fn strangers_process() {
    let world = World::new();
    let wasmvark = installed(&world);
    let netns = Netns::new();
    connect(&wasmvark, &netns);
    let keeper = stranger(&netns);
    drop(netns);
    gc_says(&wasmvark, "0 cleared, 1 in use");
    drop(keeper);
    gc_clears(&wasmvark);
}

fn unknown() {
    let world = World::new();
    let wasmvark = installed(&world);
    let netns = Netns::new();
    connect(&wasmvark, &netns);
    let keeper = stranger(&netns);
    drop(netns);
    let kept = wasmvark.run_files();
    let output = without_ptrace(&world, wasmvark.root(), "gc");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("0 cleared, 0 in use"), "{output:?}");
    for words in ["can't tell", good().container_id(), "CAP_SYS_PTRACE"] {
        assert!(output.stderr.contains(words), "{output:?}");
    }
    assert_eq!(wasmvark.run_files(), kept);
    let output = without_ptrace(&world, wasmvark.root(), "journal");
    assert!(output.stdout.contains("namespace unknown"), "{output:?}");
    drop(keeper);
    // It still can't tell, and who can clears.
    let output = without_ptrace(&world, wasmvark.root(), "gc");
    assert_eq!(output.code, Some(1), "{output:?}");
    gc_clears(&wasmvark);
    assert!(wasmvark.run_files().is_empty());
}

/// Runs a command as root without the right to look into other processes.
fn without_ptrace(world: &World, root: &Path, command: &str) -> Output {
    let mut setpriv = world.host.command("setpriv");
    setpriv
        .args(["--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"])
        .arg(places::wasmvark())
        .arg("--root")
        .arg(root)
        .arg(command);
    process::run(&mut setpriv, b"")
}
