//! Runs on a kernel that can't hold all of the confinement. A filter of system calls makes
//! this one look so: Landlock's calls don't exist for the run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;

use nix::errno::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use syscalls::Sysno;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::class::Class;
use crate::scene::{NAME, Scene};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("thin/is-on-record", NEEDS, is_recorded);
    suite.test(
        "thin/ends-the-run-if-the-grant-says-so",
        NEEDS,
        ends_the_run,
    );
}

fn is_recorded() {
    let world = World::new();
    let scene = Scene::new(&world, Class::named("setup/smallest"));
    let output = without_landlock(&scene);
    assert_eq!(output.code, Some(0), "{output:?}");
    let lines = scene.wasmvark.audit();
    let gaps = lines.iter().filter(|line| line.event == "unconfined");
    let gaps: Vec<&str> = gaps.filter_map(|line| line.object.as_deref()).collect();
    assert!(
        matches!(*gaps, [gap] if gap.contains("no Landlock")),
        "{gaps:?}"
    );
}

fn ends_the_run() {
    let world = World::new();
    let scene = Scene::new(&world, Class::named("setup/smallest"));
    let grant = scene.wasmvark.grant_file(NAME);
    let text = fs::read_to_string(&grant).unwrap();
    fs::write(&grant, text + "\n[confinement]\nrequired = true\n").unwrap();
    let output = without_landlock(&scene);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("can't be confined"), "{output:?}");
    assert!(
        !output.stderr.contains("payload"),
        "the driver has run: {output:?}"
    );
    scene.succeeds();
}

/// Runs the driver with a payload where Landlock's system calls fail as in a kernel that
/// has none.
#[expect(unsafe_code, reason = "std has no other way to filter a child's calls")]
fn without_landlock(scene: &Scene<'_>) -> Output {
    let calls = [
        Sysno::landlock_create_ruleset,
        Sysno::landlock_add_rule,
        Sysno::landlock_restrict_self,
    ];
    let rules: BTreeMap<i64, _> = calls.map(|call| (call.id().into(), Vec::new())).into();
    let missing = SeccompAction::Errno(Errno::ENOSYS as u32);
    let processor = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, processor);
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    let mut command = scene.command(&["read:/etc/passwd"]);
    let hold = move || seccompiler::apply_filter(&program).map_err(std::io::Error::other);
    // SAFETY: between fork and exec only prctl(2) and seccomp(2) are called.
    unsafe { command.pre_exec(hold) };
    process::run(&mut command, scene.document().as_bytes())
}
