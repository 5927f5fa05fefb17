//! The Debian package on a clean system, as docs/packages.md describes it.

use std::collections::BTreeSet;
use std::process::Command;

use wasmvark_tests::harness::Need;
use wasmvark_tests::{places, poll, process};

use crate::case::Cases;
use crate::firewalld;
use crate::machine::{Account, Machine};
use crate::podman::Podman;

const PAGE: &str = "docs/packages.md";
const LINK: &str = "/usr/local/libexec/netavark/wasm-macvlan";
/// What an administrator has besides.
const THEIRS: [&str; 2] = [
    "/usr/local/libexec/netavark/their-plugin",
    "/etc/wasmvark/secrets/key",
];

pub(crate) fn register(cases: &mut Cases) {
    // Debian's own systems: the third differs by netavark only.
    if !cases.edition.built_netavark {
        cases.add_clean_with(&[Need::Package], "package/whole life", whole_life);
    }
}

fn whole_life(machine: &Machine) {
    let podman = Podman::new(machine, Account::Root);
    podman.run("tag test:latest docker.io/library/busybox:latest");
    name_the_interface(machine);
    machine.write(THEIRS[0], "#!/bin/sh\n");
    machine.write(THEIRS[1], "secret\n");
    shell(machine, &format!("chmod 600 {}", THEIRS[1]));
    let clean = files(machine);

    install(machine);
    assert!(!machine.path(LINK).exists(), "it made a link");
    assert_eq!(entries(machine, "/etc/wasmvark/grants"), [""; 0]);
    assert!(
        !machine.path("/var/lib/wasmvark").exists(),
        "it installed a driver"
    );
    let known = podman.run("info --format {{.Plugins.Network}}");
    assert!(!known.contains("wasm-"), "{known}");
    let version = shell(machine, "wasmvark --version --verbose");
    assert!(version.contains("/etc/wasmvark/grants"), "{version}");
    the_unit(machine);
    the_unit_for_firewalld(machine);
    the_page(machine);
    stays_when_removed(machine, &podman);

    dpkg(machine, &["--purge", "wasmvark"]);
    for file in THEIRS {
        assert!(machine.path(file).exists(), "{file}");
    }
    let gone: Vec<_> = clean.difference(&files(machine)).cloned().collect();
    let left: Vec<_> = files(machine).difference(&clean).cloned().collect();
    assert!(
        gone.is_empty() && left.is_empty(),
        "gone: {gone:#?}\nleft: {left:#?}"
    );
}

/// The page's host has another name for its interface.
fn name_the_interface(machine: &Machine) {
    machine.host.ip_batch(
        &[],
        "link set p0 down\nlink set p0 name eth0\nlink set eth0 up",
    );
    let state = poll::until(
        || machine.host.ip_batch(&["-o"], "link show eth0"),
        |line| line.contains("state UP"),
    );
    assert!(state.contains("state UP"), "{state}");
}

/// Each block of the page after that with dpkg, as it stands.
fn the_page(machine: &Machine) {
    let page = std::fs::read_to_string(places::workspace().join(PAGE)).unwrap();
    let blocks: Vec<_> = page
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect();
    let [package, install, driver, network, all] = blocks[..] else {
        panic!("{blocks:#?}");
    };
    assert_eq!(package, "just package\n");
    assert_eq!(install, "dpkg -i target/package/wasmvark_*.deb\n");
    let told = shell(machine, driver);
    assert!(told.contains("Installed wasm-macvlan"), "{told}");
    assert!(told.contains("ok       podman "), "{told}");
    let before = machine.before();
    let seen = shell(machine, network);
    assert!(seen.contains("inet 192.0.2.2/24"), "{seen}");
    machine.assert_nothing_left(&before);
    shell(machine, all);
    let drivers = shell(machine, "ls /usr/share/wasmvark/drivers/*.wasm | wc -l");
    let listed = shell(machine, "wasmvark list | grep -c ' calls '");
    assert_eq!(listed, drivers);
}

/// The unit runs the program where it is.
fn the_unit(machine: &Machine) {
    let told = shell(machine, &command_of(machine, "wasmvark-reload.service"));
    assert!(told.contains("0 put back, 0 whole"), "{told}");
}

/// The same for the unit that goes on for as long as there is a system bus.
fn the_unit_for_firewalld(machine: &Machine) {
    let command = command_of(machine, "wasmvark-firewalld.service");
    let words: Vec<&str> = command.split(' ').collect();
    let output = machine.run(Account::Root, &words);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.stderr.contains("there is no system bus"),
        "{output:?}"
    );
    if machine.path("/usr/bin/dbus-daemon").exists() {
        let bus = firewalld::start_bus(machine);
        let unit = machine.start(&machine.host, "/tmp/unit.log", &words);
        let log = poll::until(|| unit.log(), |log| log.ends_with('\n'));
        assert_eq!(log, "0 put back, 0 whole, 0 passed over.\n");
        bus.stop();
        unit.assert_ends();
    }
}

/// The command that a unit starts.
fn command_of(machine: &Machine, unit: &str) -> String {
    let text = machine.read(&format!("/usr/lib/systemd/system/{unit}"));
    let command = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let command = command.unwrap_or_else(|| panic!("{unit} starts nothing: {text}"));
    command.to_owned()
}

/// `dpkg -r` warns while containers are there; after another `dpkg -i` all is
/// as it was, also for them.
fn stays_when_removed(machine: &Machine, podman: &Podman) {
    let grants = entries(machine, "/etc/wasmvark/grants");
    let before = machine.before();
    podman.run("network create -d wasm-macvlan -o parent=eth0 --subnet 192.0.2.0/24 lan");
    podman.run("run -d --name there --network lan test sleep 1000");
    let told = dpkg(machine, &["--remove", "wasmvark"]);
    assert!(
        told.contains("containers are still on its networks"),
        "{told}"
    );
    assert!(!machine.path("/usr/bin/wasmvark").exists());
    assert_eq!(entries(machine, "/etc/wasmvark/grants"), grants);
    // Podman itself goes on.
    podman.run("run --rm test true");
    install(machine);
    podman.run("rm -f -t 0 there");
    podman.run("run --rm --network lan test true");
    podman.run("network rm lan");
    podman.end();
    machine.assert_nothing_left(&before);
    let told = dpkg(machine, &["--remove", "wasmvark"]);
    assert!(!told.contains("containers"), "{told}");
}

fn install(machine: &Machine) {
    let package = places::package().expect("the package is there");
    dpkg(machine, &["--install", &package.to_string_lossy()]);
}

/// Runs dpkg on the machine's files: it has none itself. Maintainer scripts
/// run in the machine's root.
fn dpkg(machine: &Machine, arguments: &[&str]) -> String {
    let root = machine.path("/");
    let mut dpkg = Command::new("dpkg");
    dpkg.arg("--root").arg(root).args(arguments);
    let output = process::run(&mut dpkg, b"");
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output.stderr
}

fn shell(machine: &Machine, script: &str) -> String {
    let script = format!("set -e\n{script}");
    let output = machine.run(Account::Root, &["bash", "-c", &script]);
    assert_eq!(output.code, Some(0), "{script}: {output:?}");
    output.stdout
}

/// Files and folders of the system, without dpkg's own and Podman's.
fn files(machine: &Machine) -> BTreeSet<String> {
    let list = shell(
        machine,
        "find / -xdev -not -path '/var/lib/dpkg/*' -not -path '/var/log/dpkg.log' \
         -not -path '/etc/containers/networks*' -not -path '/var/lib/cni*'; find /run -path '*wasmvark*'",
    );
    list.lines().map(str::to_owned).collect()
}

fn entries(machine: &Machine, folder: &str) -> Vec<String> {
    let list = shell(machine, &format!("ls {folder}"));
    list.lines().map(str::to_owned).collect()
}
