//! The drivers in Podman's own lists.

use crate::case::{Cases, HOST_DEVICE, MACVLAN, MACVLAN_C};
use crate::podman::Podman;

pub(crate) fn register(cases: &mut Cases) {
    cases.add("info/lists the drivers", lists_the_drivers);
    cases.add("info/is the version meant", is_the_version_meant);
}

fn lists_the_drivers(podman: &Podman) {
    let info = podman.json("info --format json");
    let drivers: Vec<&str> = info["plugins"]["network"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    for driver in [MACVLAN, MACVLAN_C, HOST_DEVICE] {
        assert!(drivers.contains(&driver), "{driver}: {drivers:?}");
    }
}

fn is_the_version_meant(podman: &Podman) {
    let edition = podman.machine.edition;
    let info = podman.json("info --format json");
    let told = info["version"]["Version"].as_str().expect("a version");
    assert!(version(told) >= edition.podman, "Podman {told}");
    let backend = &info["host"]["networkBackendInfo"];
    let told = backend["version"].as_str().expect("a version");
    let found = version(told.trim_start_matches("netavark "));
    assert!(found >= edition.netavark, "{backend}");
    assert_eq!(found.0, edition.netavark.0, "{backend}");
}

/// Major and minor.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text
        .split('.')
        .map(|number| number.parse().expect("a number"));
    (numbers.next().unwrap(), numbers.next().unwrap())
}
