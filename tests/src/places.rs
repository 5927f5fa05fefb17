//! The paths of the program, the drivers and other files.

use std::env;
use std::path::{Path, PathBuf};

/// The program of systemd's journal.
pub const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// The DHCP server dnsmasq.
pub const DNSMASQ: &str = "/usr/sbin/dnsmasq";

/// Debian's Python interpreter.
pub const PYTHON: &str = "/usr/bin/python3";

/// Returns the program under test: `WASMVARK_BIN`, or else the release build.
pub fn wasmvark() -> PathBuf {
    place("WASMVARK_BIN", || {
        let target = format!("{}-unknown-linux-musl", env::consts::ARCH);
        target_dir().join(target).join("release/wasmvark")
    })
}

/// Returns the program with faults on request: `WASMVARK_FAULT_BIN`, or else the one
/// that `just build` makes.
pub fn faulty() -> PathBuf {
    let program = place("WASMVARK_FAULT_BIN", || target_dir().join("fault/wasmvark"));
    assert!(
        program.exists(),
        "{} isn't there: `just build` makes it",
        program.display()
    );
    program
}

/// Returns a driver by its file name without `.wasm`.
pub fn guest(name: &str) -> PathBuf {
    guests().join(format!("{name}.wasm"))
}

/// Returns a driver that was built for an older version of the interface.
pub fn frozen(version: &str, name: &str) -> PathBuf {
    let folder = workspace().join("tests/fixtures/drivers").join(version);
    folder.join(format!("{name}.wasm"))
}

/// Returns the folder of the drivers: `WASMVARK_GUESTS`, or else the one of `cargo
/// xtask guests`.
pub fn guests() -> PathBuf {
    place("WASMVARK_GUESTS", || target_dir().join("guests"))
}

/// Returns Debian's or Fedora's aardvark-dns, if it is installed.
pub fn aardvark_dns() -> Option<PathBuf> {
    let folders = ["/usr/lib/podman", "/usr/libexec/podman"];
    let programs = folders.map(|folder| Path::new(folder).join("aardvark-dns"));
    programs.into_iter().find(|program| program.exists())
}

/// Returns the Debian package, if `just package` has made it.
pub fn package() -> Option<PathBuf> {
    let folder = target_dir().join("package");
    let mut files = folder.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.find(|file| file.extension().is_some_and(|extension| extension == "deb"))
}

/// Returns the source of a crate, by its name with its version, if cargo has fetched it.
pub fn crate_source(name: &str) -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let registries = home.join("registry/src").read_dir().ok()?.flatten();
    let mut sources = registries.map(|registry| registry.path().join(name));
    sources.find(|source| source.is_dir())
}

/// Returns a program of netavark: in `WASMVARK_TOOLS`, or else where `just setup`
/// installs it.
pub fn tool(name: &str) -> PathBuf {
    let tools = place("WASMVARK_TOOLS", || cache().join("tools/bin"));
    tools.join(name)
}

/// Returns the same program as its authors release it: optimised.
pub fn fast_tool(name: &str) -> PathBuf {
    tool(".").join("../release/bin").join(name)
}

/// Returns a compiler of another language, where `just setup` installs it.
pub fn compiler(name: &str) -> PathBuf {
    cache().join("tools/languages/bin").join(name)
}

/// Returns the folder of files that take long to make.
pub fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    cache.join("wasmvark")
}

/// Whether each unpacked Debian system with Podman has a file, or a link by its name.
pub fn podman_trees_have(file: &str) -> bool {
    let systems = cache().join("podman").read_dir().into_iter().flatten();
    let systems = systems.flatten().map(|entry| entry.path());
    let mut trees = systems.filter(|system| system.join("image.tar").exists());
    trees.all(|tree| tree.join(file).symlink_metadata().is_ok())
}

/// Returns the program `just`.
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

/// Returns the cargo that runs the tests, or the one in the path.
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Returns the folder of the documents that real Podman and netavark have sent to a
/// plugin.
pub fn captures() -> PathBuf {
    workspace().join("tests/fixtures/captures")
}

/// Returns the folder of the configurations in the documentation of CNI's plugins.
pub fn documents() -> PathBuf {
    workspace().join("tests/fixtures/cni")
}

/// Returns the folder of the project: `WASMVARK_WORKSPACE`, or else the one in which
/// the tests were built.
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

/// Debian's program `nft`.
pub const NFT: &str = "/usr/sbin/nft";
