//! Trails and journals that can't be written.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::mounts::with_tmpfs;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, fails, good, installed};

/// The smallest file system, in bytes: one page.
const PAGE: usize = 4096;

pub(crate) fn register(suite: &mut Suite) {
    let mut refused = |name: &str, mention: &'static str, damage: fn(&Wasmvark)| {
        suite.test(format!("disk/{name}"), LINKS, move || {
            is_refused(mention, damage);
        });
    };
    refused(
        "a directory for the trail",
        "audit.jsonl",
        directory_for_trail,
    );
    refused("a full trail", "audit.jsonl", full_trail);
    refused(
        "a file for the trail's directory",
        "audit.jsonl",
        |wasmvark| {
            let folder = wasmvark.audit_file().parent().unwrap().to_owned();
            let _ = fs::remove_dir_all(&folder);
            fs::write(folder, "no directory").unwrap();
        },
    );
    refused("a file for the runtime directory", "run", |wasmvark| {
        let folder = wasmvark.root().join("run");
        let _ = fs::remove_dir_all(&folder);
        fs::write(folder, "no directory").unwrap();
    });
    suite.test("disk/a trail that fills up", LINKS, trail_fills_up);
    suite.test("disk/teardown with a full trail", LINKS, || {
        teardown_without_a_trail(full_trail);
    });
    suite.test(
        "disk/teardown with a directory for the trail",
        LINKS,
        || {
            teardown_without_a_trail(directory_for_trail);
        },
    );
    suite.test(
        "disk/no room for the journal",
        LINKS,
        no_room_for_the_journal,
    );
    suite.test(
        "disk/no inode for the journal",
        LINKS,
        no_inode_for_the_journal,
    );
    suite.test(
        "disk/teardown on a full disk",
        LINKS,
        teardown_on_a_full_disk,
    );
}

pub(crate) fn directory_for_trail(wasmvark: &Wasmvark) {
    remove(&wasmvark.audit_file());
    fs::create_dir_all(wasmvark.audit_file()).unwrap();
}

pub(crate) fn full_trail(wasmvark: &Wasmvark) {
    remove(&wasmvark.audit_file());
    let folder = wasmvark.audit_file().parent().unwrap().to_owned();
    fs::create_dir_all(folder).unwrap();
    symlink("/dev/full", wasmvark.audit_file()).unwrap();
}

/// What can't be recorded is told, and everything goes all the same.
fn teardown_without_a_trail(damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    damage(&wasmvark);
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    let expected = "not in the audit trail: link container:eth0 made, undone";
    assert!(output.stderr.contains(expected), "{output:?}");
    assert!(output.stderr.contains("audit.jsonl"), "{output:?}");
    world.assert_unchanged(&before);
    assert!(wasmvark.run_files().is_empty());
}

fn is_refused(mention: &str, damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    damage(&wasmvark);
    fails(&world, "setup", &[mention], || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
}

/// The first line fits, a later one doesn't: what was done is undone.
fn trail_fills_up() {
    for room in [500, 1000, 1500] {
        let world = World::new();
        let wasmvark = installed(&world);
        let folder = wasmvark.audit_file().parent().unwrap().to_owned();
        fs::create_dir_all(&folder).unwrap();
        with_tmpfs(&folder, &format!("size={PAGE}"), || {
            fs::write(wasmvark.audit_file(), "\n".repeat(PAGE - room)).unwrap();
            fails(&world, "setup", &["audit.jsonl"], || {
                wasmvark.setup(DRIVER, good().for_plugin())
            });
        });
    }
}

fn no_room_for_the_journal() {
    let world = World::new();
    let wasmvark = installed(&world);
    let folder = runtime_directory(&wasmvark);
    with_tmpfs(&folder, &format!("size={PAGE}"), || {
        fill(&folder);
        fails(&world, "setup", &["journal"], || {
            wasmvark.setup(DRIVER, good().for_plugin())
        });
    });
}

fn no_inode_for_the_journal() {
    let world = World::new();
    let wasmvark = installed(&world);
    let folder = runtime_directory(&wasmvark);
    // One for the root, one for the file.
    with_tmpfs(&folder, "nr_inodes=2", || {
        File::create(folder.join("filler")).unwrap();
        // The lock is what comes first.
        fails(&world, "setup", &["run/lock", "free space"], || {
            wasmvark.setup(DRIVER, good().for_plugin())
        });
    });
}

/// What is there must go, whether or not its going can be written down.
fn teardown_on_a_full_disk() {
    let world = World::new();
    let wasmvark = installed(&world);
    let folder = runtime_directory(&wasmvark);
    let before = world.dump();
    with_tmpfs(&folder, &format!("size={}", 4 * PAGE), || {
        answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
        fill(&folder);
        let output = wasmvark.teardown(DRIVER, good().for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
        world.assert_unchanged(&before);
    });
}

fn runtime_directory(wasmvark: &Wasmvark) -> std::path::PathBuf {
    let folder = wasmvark.root().join("run");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes until nothing fits any more.
fn fill(folder: &Path) {
    let mut file = File::create(folder.join("filler")).unwrap();
    while file.write_all(&[0; PAGE]).is_ok() {
        assert!(
            file.metadata().unwrap().len() < 1 << 20,
            "the file system is small"
        );
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
