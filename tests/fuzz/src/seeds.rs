//! Inputs to begin with: what real programs have sent, and what is in this project.

use std::fs;
use std::path::{Path, PathBuf};

/// The documents that Podman and netavark have sent to plugins.
const CAPTURES: &str = "tests/fixtures/captures";
/// Components of the version of the interface before.
const COMPONENTS: &str = "tests/fixtures/drivers/0.2";
const DRIVERS: &str = "guest-examples";
/// What fuzzers have found, in a folder for each target.
const KEPT: &str = "tests/fuzz/inputs";
/// The kernel's answers, as the kernel crate's tests have recorded them.
#[cfg(fuzzing)]
const ANSWERS: &str = "tests/fixtures/netlink";

const JOURNAL: &str = include_str!("../../../host/journal/src/file/golden.jsonl");
const TRAIL: &str = include_str!("../../../host/audit/src/golden.jsonl");

pub(crate) fn setups() -> Vec<Vec<u8>> {
    captures(|name| name.contains("setup") || name.contains("teardown"))
}

pub(crate) fn networks() -> Vec<Vec<u8>> {
    captures(|name| name.contains("create."))
}

pub(crate) fn patches() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"network_interface":"eth0"}"#,
        r#"{"dns_enabled":false,"ipv6_enabled":true,"ipam_options":{"driver":"none"}}"#,
        r#"{"options":{"mode":"vepa","mtu":null},"labels":{"a":null}}"#,
        r#"{"subnets":[{"subnet":"10.1.0.0/24","gateway":"10.1.0.1","lease_range":null}]}"#,
        r#"{"routes":[{"destination":"10.2.0.0/16","gateway":"10.0.0.1","metric":7}]}"#,
        r#"{"network_dns_servers":["192.0.2.53"],"name":"other"}"#,
    ])
}

pub(crate) fn grants() -> Vec<Vec<u8>> {
    let head = "driver = \"d\"\ndigest = \
                \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n";
    let of_drivers = of_drivers("grant.toml");
    let grants = of_drivers
        .iter()
        .map(|text| [head.as_bytes(), text].concat());
    grants.collect()
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    of_drivers("manifest.toml")
}

pub(crate) fn components() -> Vec<Vec<u8>> {
    read_all(&workspace().join(COMPONENTS), |name| {
        name.ends_with(".wasm")
    })
}

pub(crate) fn journals() -> Vec<Vec<u8>> {
    let lines: Vec<&str> = JOURNAL
        .lines()
        .filter(|line| !line.contains("\"boot\""))
        .collect();
    let pairs = lines.windows(2).map(|pair| pair.join("\n").into_bytes());
    pairs.chain([lines.join("\n").into_bytes()]).collect()
}

pub(crate) fn trails() -> Vec<Vec<u8>> {
    TRAIL.lines().map(|line| line.as_bytes().to_vec()).collect()
}

pub(crate) fn values() -> Vec<Vec<u8>> {
    texts(&[
        "eth0\neth0.10\nbr-lan\n..",
        "02:00:00:00:00:01\n02-00-00-00-00-01",
        "0000:00:1f.6\n/sys/devices/pci0000:00/0000:00:1f.6/net/eth0",
        "net.ipv4.conf.eth0.arp_filter\nnet/ipv4/conf/eth0.10/arp_filter",
        "10\n10-20\n4094\n0x7",
        "web\nweb.dns.podman\na_b",
        "tcp\nudp\nsctp",
    ])
}

#[cfg(fuzzing)]
pub(crate) fn answers() -> Vec<Vec<u8>> {
    read_all(&workspace().join(ANSWERS), |name| name.ends_with(".bin"))
}

pub(crate) fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = workspace().join(KEPT).join(target);
    let files = if folder.is_dir() {
        entries(&folder)
    } else {
        Vec::new()
    };
    files
        .into_iter()
        .map(|file| {
            let input = fs::read(&file).expect("an input can be read");
            (file, input)
        })
        .collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn captures(wanted: impl Fn(&str) -> bool + Copy) -> Vec<Vec<u8>> {
    let folders = folders(&workspace().join(CAPTURES));
    folders
        .iter()
        .flat_map(|folder| read_all(folder, wanted))
        .collect()
}

fn of_drivers(file: &str) -> Vec<Vec<u8>> {
    let folders = folders(&workspace().join(DRIVERS));
    let files = folders.iter().map(|folder| folder.join(file));
    files.filter_map(|file| fs::read(file).ok()).collect()
}

fn folders(above: &Path) -> Vec<PathBuf> {
    let mut folders = entries(above);
    folders.retain(|entry| entry.is_dir());
    folders
}

fn read_all(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut files = entries(folder);
    files.retain(|file| {
        file.file_name()
            .is_some_and(|name| wanted(&name.to_string_lossy()))
    });
    files
        .iter()
        .map(|file| fs::read(file).expect("a seed can be read"))
        .collect()
}

/// Returns what is in a folder, in the order of the names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut entries: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    entries
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
