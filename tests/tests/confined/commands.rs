//! The administrator's commands that run no driver: they give up what they don't need.

use std::fs::{self, File};
use std::process::Stdio;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::class::Class;
use crate::scene::{Scene, network};

/// CAP_NET_ADMIN (`linux/capability.h`).
const COMMAND: &str = "0000000000001000";
/// CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE: those of the process that looks at others.
const LOOKOUT: &str = "0000000000080004";

pub(crate) fn register(suite: &mut Suite) {
    for command in ["gc", "reload"] {
        suite.test(format!("commands/{command}"), NEEDS, move || {
            keeps_little(command);
        });
    }
}

/// The command waits for the network's lock, which this test holds, and shows what it has
/// meanwhile.
fn keeps_little(command: &str) {
    let world = World::new();
    let scene = Scene::new(&world, Class::named("setup/links"));
    scene.succeeds();
    let run = scene.wasmvark.root().join("run");
    scene.keep_empty_journal();
    fs::create_dir_all(run.join("lock")).unwrap();
    let lock = File::create(run.join("lock").join(network())).unwrap();
    lock.lock().unwrap();
    let mut command = scene.wasmvark.command(command);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let own = child.id();
    let done = || {
        let looks =
            child_of(own).is_some_and(|lookout| has_only(lookout, LOOKOUT) && is_filtered(lookout));
        looks && has_only(own, COMMAND)
    };
    let given_up = poll::until(done, |done| *done);
    let shown = [Some(own), child_of(own)].map(|process| process.map(status));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(given_up, "{shown:?}");
}

fn has_only(process: u32, capabilities: &str) -> bool {
    let text = status(process);
    let has = |line: &str| text.lines().any(|its| its == line);
    let sets = ["CapEff", "CapPrm"].map(|set| format!("{set}:\t{capabilities}"));
    sets.iter().all(|line| has(line)) && has("NoNewPrivs:\t1")
}

fn is_filtered(process: u32) -> bool {
    status(process).lines().any(|line| line == "Seccomp:\t2")
}

fn child_of(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

fn status(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default()
}
