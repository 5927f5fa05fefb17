//! Where the program, the drivers and netavark lie.

use std::env;
use std::path::{Path, PathBuf};

/// systemd's journal.
pub const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// Debian's Python.
pub const PYTHON: &str = "/usr/bin/python3";

/// The program under test: `WASMVARK_BIN`, else the release build.
pub fn wasmvark() -> PathBuf {
    place("WASMVARK_BIN", || {
        let target = format!("{}-unknown-linux-musl", env::consts::ARCH);
        target_dir().join(target).join("release/wasmvark")
    })
}

/// The program with faults on request: `WASMVARK_FAULT_BIN`, or else where
/// `just build` puts it.
pub fn faulty() -> PathBuf {
    let program = place("WASMVARK_FAULT_BIN", || target_dir().join("fault/wasmvark"));
    assert!(
        program.exists(),
        "{} isn't there: `just build` makes it",
        program.display()
    );
    program
}

/// A driver by its file name without `.wasm`, in `WASMVARK_GUESTS` or else
/// where `cargo xtask guests` puts it.
pub fn guest(name: &str) -> PathBuf {
    guests().join(format!("{name}.wasm"))
}

/// A driver that was built for a version of the interface while that was the
/// newest.
pub fn frozen(version: &str, name: &str) -> PathBuf {
    let folder = workspace().join("tests/fixtures/drivers").join(version);
    folder.join(format!("{name}.wasm"))
}

/// The folder of the drivers.
pub fn guests() -> PathBuf {
    place("WASMVARK_GUESTS", || target_dir().join("guests"))
}

/// The Debian package, where `just package` has made it.
pub fn package() -> Option<PathBuf> {
    let folder = target_dir().join("package");
    let mut files = folder.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.find(|file| file.extension().is_some_and(|extension| extension == "deb"))
}

/// A program of netavark's in `WASMVARK_TOOLS`, or else where the set-up
/// script puts it.
pub fn tool(name: &str) -> PathBuf {
    let tools = place("WASMVARK_TOOLS", || cache().join("tools/bin"));
    tools.join(name)
}

/// The same program as its authors release it: optimised.
pub fn fast_tool(name: &str) -> PathBuf {
    tool(".").join("../release/bin").join(name)
}

/// Where the scripts keep what takes long to make.
pub fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    cache.join("wasmvark")
}

/// The runner of the justfile's recipes.
pub fn just() -> PathBuf {
    let own = cache().join("tools/just/bin/just");
    if own.exists() {
        return own;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path).map(|folder| folder.join("just"));
    found
        .find(|file| file.is_file())
        .expect("just is installed")
}

/// The builder of this project: the one that runs the tests, else the one in the
/// path.
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Documents that real Podman and netavark sent to a plugin.
pub fn captures() -> PathBuf {
    workspace().join("tests/fixtures/captures")
}

/// Every configuration in the documentation of CNI's plugins.
pub fn documents() -> PathBuf {
    workspace().join("tests/fixtures/cni")
}

/// The folder of the whole project: `WASMVARK_WORKSPACE`, else where the tests
/// were built.
pub fn workspace() -> PathBuf {
    place("WASMVARK_WORKSPACE", || {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = tests.parent();
        workspace.expect("the tests are part of it").to_owned()
    })
}

fn place(variable: &str, default: impl FnOnce() -> PathBuf) -> PathBuf {
    env::var_os(variable).map_or_else(default, PathBuf::from)
}

fn target_dir() -> PathBuf {
    place("CARGO_TARGET_DIR", || workspace().join("target"))
}

/// Where Debian has the tool `nft`.
pub const NFT: &str = "/usr/sbin/nft";
