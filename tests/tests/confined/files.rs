//! Files, for each class of grants: those that the grant needs, and no other.

use std::path::Path;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::is_blocked;
use crate::class::{CLASSES, Class, Way};
use crate::count::Count;
use crate::scene::{NAME, OTHER, OTHERS_SECRET, OWN_SECRET, Scene, is_refusal, network};

/// The machine's files that a payload would read or list. `PID` is another process's.
const READ: &[&str] = &[
    "/etc/shadow",
    "/etc/passwd",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/null",
    "/proc/PID/environ",
    "/proc/PID/maps",
    "/proc/PID/mem",
    "/proc/PID/stack",
    "/proc/PID/ns/mnt",
    "/proc/PID/ns/net",
    "/proc/PID/ns/pid",
    "/proc/PID/ns/user",
    "/proc/PID/root/etc/passwd",
    "/proc/PID/status",
    "/proc/self/environ",
    "/proc/self/maps",
    "/proc/self/mem",
    "/proc/kallsyms",
    "/proc/keys",
    "/proc/mounts",
    "/proc/sys/kernel/core_pattern",
    "/sys/kernel/notes",
];
/// The folders of the machine that a payload would list.
const LIST: &[&str] = &[
    "/",
    "/etc",
    "/proc",
    "/proc/PID/fd",
    "/proc/PID/task",
    "/proc/self/fd",
    "/proc/sys/kernel",
    "/sys/class/net",
];
/// The machine's files that a payload would write.
const WRITE: &[&str] = &[
    "/etc/passwd",
    "/dev/kmsg",
    "/dev/null",
    "/proc/PID/mem",
    "/proc/PID/oom_score_adj",
    "/proc/self/attr/current",
    "/proc/self/mem",
    "/proc/self/oom_score_adj",
    "/proc/self/uid_map",
    "/proc/sys/fs/file-max",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/randomize_va_space",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sysrq-trigger",
    "/sys/kernel/uevent_helper",
];

pub(crate) fn register(suite: &mut Suite, count: &Count) {
    for class in CLASSES {
        let count = count.clone();
        suite.test(format!("files/{}", class.name), NEEDS, move || {
            are_closed(class, &count);
        });
        suite.test(format!("allowed/{}", class.name), NEEDS, move || {
            are_open(class);
        });
    }
}

fn are_closed(class: &'static Class, count: &Count) {
    let world = World::new();
    let scene = Scene::new(&world, class);
    let outcome = scene.run(&actions(&scene));
    let refused = actions(&scene).into_iter().map(|action| {
        let report = outcome.reports.get(&action);
        let is_refused = report.is_some_and(|report| is_refusal(report));
        match is_refused {
            true => Ok(()),
            false => Err(format!("{action}: {report:?}")),
        }
    });
    let mut results: Vec<_> = refused.collect();
    for (action, call) in calls(&scene) {
        results.push(is_blocked(&action, call, &scene.run(&[&action])));
    }
    scene.nothing_is_changed();
    count.all_are_blocked(class, &results);
}

/// Returns the actions that no class may take.
pub(crate) fn actions(scene: &Scene<'_>) -> Vec<String> {
    let of_machine = [("read", READ), ("list", LIST), ("write", WRITE)];
    let pid = std::process::id().to_string();
    let of_machine = of_machine.into_iter().flat_map(|(verb, paths)| {
        let paths = paths.iter().map(|path| path.replace("PID", &pid));
        let there = paths.filter(|path| Path::new(path).symlink_metadata().is_ok());
        there.map(move |path| format!("{verb}:{path}"))
    });
    let mut actions: Vec<String> = of_machine.collect();
    actions.push(format!("follow:/proc/{pid}/exe"));
    actions.extend(of_installation(scene));
    actions
}

/// The installation's own files: the store, grants, secrets, plugins and the trail.
fn of_installation(scene: &Scene<'_>) -> Vec<String> {
    let wasmvark = &scene.wasmvark;
    let root = wasmvark.root().display();
    let [code, component] = [wasmvark.code("probe"), wasmvark.component("probe")];
    let [code, component] = [code.display(), component.display()];
    let trail = wasmvark.audit_file();
    let trail = trail.display();
    let plugin = format!("{root}/plugins/{OTHER}");
    let mut actions = vec![
        format!("remove:{plugin}"),
        format!("rename:{plugin}:{plugin}.1"),
    ];
    for file in [
        format!("{root}/grants/{OTHER}.toml"),
        format!("{root}/grants/{NAME}.toml"),
        format!("{root}/secrets/{OTHERS_SECRET}"),
        component.to_string(),
        trail.to_string(),
    ] {
        actions.push(format!("write:{file}"));
        actions.extend(["read", "remove"].map(|verb| format!("{verb}:{file}")));
        actions.push(format!("rename:{file}:{file}.1"));
    }
    for folder in [
        "grants", "lib", "lib/code", "log", "plugins", "run", "secrets",
    ] {
        actions.push(format!("list:{root}/{folder}"));
        actions.push(format!("make:{root}/{folder}/new"));
        actions.push(format!("folder:{root}/{folder}/newer"));
    }
    actions.extend([
        format!("write:{code}"),
        format!("write:{root}/secrets/{OWN_SECRET}"),
        format!("remove:{root}/secrets/{OWN_SECRET}"),
        format!("remove:{code}"),
        format!("make:{root}/../elsewhere"),
    ]);
    actions
}

/// Returns what no class may do with an open file, with the system call that is forbidden.
pub(crate) fn calls(scene: &Scene<'_>) -> [(String, &'static str); 2] {
    let code = scene.wasmvark.code("probe");
    ["fchmod", "fchown"].map(|call| (format!("open:{}:{call}", code.display()), call))
}

/// What a class needs is open to it, and closed to the others.
fn are_open(class: &'static Class) {
    let world = World::new();
    let scene = Scene::new(&world, class);
    let root = scene.wasmvark.root().display().to_string();
    let code = scene.wasmvark.code("probe").display().to_string();
    let journal = format!("{root}/run/journal/{}", network());
    let files = [
        (format!("read:{code}"), None),
        ("read:/proc/sys/net/ipv4/ip_forward".into(), None),
        (
            "write:/proc/sys/net/ipv4/ip_forward".into(),
            Some(Way::Settings),
        ),
        ("write:/dev/net/tun".into(), Some(Way::Taps)),
        (
            format!("read:{root}/secrets/{OWN_SECRET}"),
            Some(Way::Secret),
        ),
        (format!("make:{journal}/mine"), Some(Way::Journal)),
    ];
    for (action, way) in files {
        let outcome = scene.run(&[&action]);
        let report = outcome.reports.get(&action);
        let report = report.unwrap_or_else(|| panic!("{action}: {:?}", outcome.output));
        match way.is_none_or(|way| class.has(way)) {
            true => assert_eq!(report, "done", "{action}"),
            false => assert!(is_refusal(report), "{action}: {report}"),
        }
    }
}
