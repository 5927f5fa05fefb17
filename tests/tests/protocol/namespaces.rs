//! Paths that lead to no namespace or to the wrong one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, fails, good, installed};

pub(crate) fn register(suite: &mut Suite) {
    let mut wrong = |name: &str, path: fn(&World) -> PathBuf| {
        suite.test(format!("namespaces/{name}"), LINKS, move || {
            let (world, path) = world_with(path);
            let wasmvark = installed(&world);
            is_refused(&world, &wasmvark, "setup", &path);
            is_refused(&world, &wasmvark, "teardown", &path);
        });
    };
    wrong("a pid namespace", |_| "/proc/self/ns/pid".into());
    wrong("a mount namespace", |_| "/proc/self/ns/mnt".into());
    wrong("the host's own", |world| world.host.path());
    wrong("its own", |_| "/proc/self/ns/net".into());
    wrong("a link in a circle", |world| {
        let path = world.file("circle");
        symlink(&path, &path).unwrap();
        path
    });

    // A namespace may have been there: teardown takes it for gone.
    let mut gone = |name: &str, path: fn(&World) -> PathBuf| {
        suite.test(format!("namespaces/{name}"), LINKS, move || {
            let (world, path) = world_with(path);
            let wasmvark = installed(&world);
            is_refused(&world, &wasmvark, "setup", &path);
            is_gone(&world, &wasmvark, &path);
        });
    };
    gone("a missing path", |world| world.file("no/such/namespace"));
    gone("a path below a file", |world| {
        regular_file(world).join("below")
    });
    gone("a regular file", regular_file);
    gone("a directory", |world| world.directory().to_owned());
    gone("a device", |_| "/dev/null".into());
    gone("a FIFO", |world| {
        let path = world.file("fifo");
        mkfifo(&path, Mode::S_IRUSR).unwrap();
        path
    });
}

fn world_with(path: fn(&World) -> PathBuf) -> (World, PathBuf) {
    let world = World::new();
    let path = path(&world);
    (world, path)
}

fn regular_file(world: &World) -> PathBuf {
    let path = world.file("regular");
    fs::write(&path, "").unwrap();
    path
}

fn is_refused(world: &World, wasmvark: &Wasmvark, verb: &str, path: &Path) {
    let mention = path.to_string_lossy();
    fails(world, verb, &[&mention], || run(wasmvark, verb, path));
}

fn is_gone(world: &World, wasmvark: &Wasmvark, path: &Path) {
    let before = world.dump();
    let output = run(wasmvark, "teardown", path);
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
}

fn run(wasmvark: &Wasmvark, verb: &str, path: &Path) -> Output {
    wasmvark.plugin(
        DRIVER,
        &[verb, &path.to_string_lossy()],
        good().for_plugin(),
    )
}
