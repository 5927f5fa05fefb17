//! Drivers that fail, and drivers that are replaced while a container runs.

use wasmvark_tests::grant::Grant;
use wasmvark_tests::places;

use crate::case::{Cases, HOST_DEVICE, LAN, MACVLAN};
use crate::podman::Podman;

pub(crate) fn register(cases: &mut Cases) {
    cases.add("driver/errors of create reach the user", errors_of_create);
    cases.add("driver/errors of setup reach the user", errors_of_setup);
    cases.add("driver/the remedy in a denial works", denied);
    cases.add("driver/no grant", no_grant);
    cases.add("driver/removed while a container runs", removed);
    cases.add("driver/removed and back", removed_and_back);
    cases.add("driver/upgraded while a container runs", upgraded);
}

fn errors_of_create(podman: &Podman) {
    let cases = [
        (
            format!("-d {MACVLAN} -o parent=nope --subnet 10.88.0.0/16"),
            "parent interface nope does not exist",
        ),
        (
            format!("-d {MACVLAN} -o parent=p0 --ipam-driver dhcp --subnet 10.88.0.0/16"),
            "ipam driver dhcp set but subnets are set",
        ),
        (
            format!("-d {HOST_DEVICE} -o parent=p0 --ipam-driver dhcp"),
            "ipam driver dhcp is not supported with wasm-host-device: give --subnet, or \
             --ipam-driver none for a network without addresses",
        ),
        (
            format!("-d {HOST_DEVICE} --ipam-driver none"),
            "no network interface is specified: give one of --interface-name NAME, -o parent=NAME, \
             -o hwaddr=MAC, -o pci=ADDRESS and -o kernelpath=PATH",
        ),
    ];
    for (options, error) in cases {
        let seen = podman.fails(&format!("network create {options} lan"));
        assert_ends_with(&seen, error);
        assert_eq!(podman.run("network ls -q"), "podman");
    }
}

fn errors_of_setup(podman: &Podman) {
    podman.run(&format!(
        "network create -d {HOST_DEVICE} -o parent=nope --ipam-driver none lan"
    ));
    let seen = podman.fails("run --rm --network lan test true");
    assert_ends_with(
        &seen,
        "links.get on link host:nope failed: No such device (ENODEV); `ip link` lists the links \
         that there are",
    );
}

/// The user's terminal shows the line that allows the call; with this line in
/// the file that it names everything works.
fn denied(podman: &Podman) {
    podman.wasmvark(&["remove", MACVLAN]);
    let calls = [
        "addresses.add",
        "links.get",
        "links.set-up",
        "routes.add",
        "routes.list",
        "sysctl.set-autoconf",
    ];
    let grant = Grant::of(&calls).to_toml(MACVLAN, &places::guest("macvlan"));
    podman.install_with("macvlan", MACVLAN, &grant);
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let before = podman.machine.before();
    let seen = podman.fails("run --rm --network lan test true");
    let (_, remedy) = seen
        .split_once("to allow it, write this line under [calls] in ")
        .unwrap_or_else(|| panic!("no remedy: {seen}"));
    let (file, line) = remedy.trim_end().split_once(": ").expect("a file: a line");
    assert_eq!(file, "/etc/wasmvark/grants/wasm-macvlan.toml");
    podman.machine.assert_nothing_left(&before);

    podman
        .machine
        .write(file, &format!("{}{line}\n", podman.machine.read(file)));
    let container = podman.start("c", "--network lan:ip=10.88.0.9");
    container.assert_inspect_is_true("lan", "eth0");
    container.reaches("10.88.0.9", "10.88.0.1");
}

/// A driver whose grant is gone may do nothing, and says who can change that.
fn no_grant(podman: &Podman) {
    podman.install("macvlan-c", "fresh");
    let grant = podman.machine.path("/etc/wasmvark/grants/fresh.toml");
    std::fs::remove_file(grant).unwrap();
    let seen = podman.fails(&format!("network create -d fresh {LAN}"));
    assert!(seen.contains("/etc/wasmvark/grants/fresh.toml"), "{seen}");
    assert_eq!(podman.run("network ls -q"), "podman");
}

/// Podman says which driver it misses, and the container goes. What is still
/// in the journal is cleared by `wasmvark gc`.
fn removed(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let before = podman.machine.before();
    podman.start("c", "--network lan");
    podman.wasmvark(&["remove", MACVLAN]);
    let seen = podman.fails("rm -f -t 0 c");
    assert!(seen.contains(MACVLAN), "{seen}");
    assert_eq!(podman.run("ps -a -q"), "");
    podman.wasmvark(&["gc"]);
    podman.machine.assert_nothing_left(&before);
}

/// With the driver back before the container ends, all goes its usual way.
fn removed_and_back(podman: &Podman) {
    podman.run(&format!(
        "network create -d {HOST_DEVICE} -o parent=p0 --ipam-driver none device"
    ));
    let before = podman.machine.before();
    podman.start("c", "--network device");
    podman.wasmvark(&["remove", HOST_DEVICE]);
    podman.install("host-device", HOST_DEVICE);
    podman.remove("c");
    podman.machine.assert_nothing_left(&before);
}

/// The new driver takes away what the old one made, and works.
fn upgraded(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let before = podman.machine.before();
    let container = podman.start("c", "--network lan:ip=10.88.0.9");
    container.assert_inspect_is_true("lan", "eth0");
    podman.upgrade("macvlan-c", MACVLAN);
    podman.run("network reload c");
    container.assert_inspect_is_true("lan", "eth0");
    container.reaches("10.88.0.9", "10.88.0.1");
    podman.wasmvark(&["rollback", MACVLAN]);
    podman.remove("c");
    podman.machine.assert_nothing_left(&before);
}

/// What the user sees ends with the driver's own words, whatever Podman and
/// netavark write before them.
#[track_caller]
fn assert_ends_with(seen: &str, error: &str) {
    assert!(
        seen.trim_end().ends_with(error),
        "{seen}\nshould end with\n{error}"
    );
}
