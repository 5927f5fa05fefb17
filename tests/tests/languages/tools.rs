//! The tools of the languages, as their users have them.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use wasmvark_tests::places;
use wasmvark_tests::world::World;

use crate::go_modules;

/// The time that a build may take: compilers and packages come from registries.
pub(crate) const LIMIT: Duration = Duration::from_secs(600);

/// Gives a command the compilers and this program, and takes away what is for this
/// project's own build.
pub(crate) fn with<'a>(world: &World, command: &'a mut Command) -> &'a mut Command {
    let programs = world.file("bin");
    if !programs.exists() {
        fs::create_dir_all(&programs).unwrap();
        symlink(places::wasmvark(), programs.join("wasmvark")).unwrap();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let all = [programs].into_iter().chain(env::split_paths(&path));
    let all = all.chain([places::compiler("")]);
    command
        .env("PATH", env::join_paths(all).unwrap())
        .env("ZIG", places::compiler("python-zig"))
        .envs(go_modules::environment(world))
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
}
