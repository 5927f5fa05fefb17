//! The administrator's commands that run no driver: they give up what they don't need.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::class::Class;
use crate::scene::{Scene, network};

/// CAP_DAC_READ_SEARCH, CAP_NET_ADMIN and CAP_SYS_PTRACE (`linux/capability.h`).
const KEPT: &str = "0000000000081004";

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
    let journals = run.join("journal").join(network());
    fs::create_dir_all(&journals).unwrap();
    fs::write(journals.join("waits.jsonl"), "").unwrap();
    fs::create_dir_all(run.join("lock")).unwrap();
    let lock = File::create(run.join("lock").join(network())).unwrap();
    lock.lock().unwrap();
    let mut command = scene.wasmvark.command(command);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let has_given_up = || {
        let text = fs::read_to_string(Path::new(&status)).unwrap_or_default();
        let has = |line: &str| text.lines().any(|its| its == line);
        let capabilities = ["CapEff", "CapPrm"];
        let mut lines = capabilities
            .map(|set| format!("{set}:\t{KEPT}"))
            .into_iter();
        lines.all(|line| has(&line)) && has("NoNewPrivs:\t1")
    };
    let given_up = poll::until(has_given_up, |done| *done);
    let shown = fs::read_to_string(&status).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(given_up, "{shown}");
}
