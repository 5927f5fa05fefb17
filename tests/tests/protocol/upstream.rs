//! The changes in `upstream/` are for the crates that the lock file has, apply to
//! them, and are all on their page. That they compile and pass their tests is
//! tried by `upstream/check.sh`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;

/// The folders: crates with their versions.
const CRATES: [&str; 5] = [
    "ethtool-0.3.0",
    "netlink-packet-netfilter-0.4.0",
    "netlink-packet-route-0.34.0",
    "netlink-proto-0.14.1",
    "rtnetlink-0.24.0",
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("upstream/versions", &[], versions);
    suite.test("upstream/page", &[], page);
    for name in CRATES {
        let needs = [Need::CrateSource(name)];
        suite.test(format!("upstream/{name}"), &needs, move || applies(name));
    }
}

fn folder() -> PathBuf {
    places::workspace().join("upstream")
}

/// Lists the patches of a crate, in their order.
fn patches(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(name)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Checks the versions: a new release may have what a patch adds.
fn versions() {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let mut folders: Vec<String> = entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, CRATES);
    let locked = locked();
    let mut count = 0;
    for name in CRATES {
        let (name, version) = name.rsplit_once('-').unwrap();
        if let Some(locked) = locked.get(name) {
            assert_eq!(version, locked, "upstream/README.md says what to do");
            count += 1;
        }
    }
    assert_eq!(count, 4, "all but ethtool are in the lock file");
}

/// Reads the versions in the lock file, of crates that are there once.
fn locked() -> BTreeMap<String, String> {
    let text = fs::read_to_string(places::workspace().join("Cargo.lock")).unwrap();
    let lock: toml::Table = text.parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let field = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages
        .map(|package| (field(package, "name"), field(package, "version")))
        .collect()
}

/// Checks that the page lists all patches, and where our own is until then.
fn page() {
    let page = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let named: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    for name in CRATES {
        let there = patches(name).into_iter();
        let there = there.map(|patch| format!("{name}/{}", file_name(&patch)));
        let named = named.iter().filter(|path| path.starts_with(name));
        assert!(there.eq(named.copied()), "upstream/README.md: {name}");
    }
    let own = page.lines().filter(|line| line.starts_with("| `"));
    let netlink = places::workspace().join("host/kernel/src/netlink");
    for place in own.flat_map(|row| row.split('`').filter(|word| word.ends_with(".rs"))) {
        assert!(netlink.join(place).exists(), "upstream/README.md: {place}");
    }
}

/// Applies all patches to a copy of the crate.
fn applies(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(name);
    let source = places::crate_source(name).expect("the test needs it");
    copy_all(&source, &copy);
    let patches = patches(name);
    assert!(!patches.is_empty());
    for patch in patches {
        let mut git = Command::new("git");
        git.args(["apply", "--whitespace=error-all"]).arg(&patch);
        // No repository further up is meant.
        git.env("GIT_CEILING_DIRECTORIES", folder.path());
        let output = git.current_dir(&copy).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", patch.display());
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}
