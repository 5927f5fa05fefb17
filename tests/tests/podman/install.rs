//! `just install` on a clean system, followed by the README's steps.

use std::path::Path;

use wasmvark_tests::manifest::installed;
use wasmvark_tests::places;
use wasmvark_tests::poll;
use wasmvark_tests::process::Output;

use crate::case::Cases;
use crate::machine::{Account, Machine};
use crate::podman::Podman;

/// Where a newcomer has the project.
const PROJECT: &str = "/root/wasmvark";

/// What `just install` uses of it, besides the drivers.
const FILES: [&str; 3] = ["justfile", "scripts/install.sh", "README.md"];

const DROP_IN: &str = "/etc/containers/containers.conf.d/50-wasmvark.conf";
const GRANT: &str = "/etc/wasmvark/grants/wasm-macvlan.toml";

pub(crate) fn register(cases: &mut Cases) {
    cases.add_clean("install/the README's example", the_readmes_example);
    cases.add_clean("install/again keeps a changed grant", again);
    cases.add_clean(
        "install/leaves Podman's configuration",
        leaves_configuration,
    );
    cases.add_clean("install/below DESTDIR", below_destdir);
}

/// Every line of the README, as it is there.
fn the_readmes_example(machine: &Machine) {
    unpack(machine);
    // The README's host has another name for its interface.
    machine.host.ip_batch(
        &[],
        "link set p0 down\nlink set p0 name eth0\nlink set eth0 up",
    );
    // The kernel deals with carriers a little later.
    let state = poll::until(
        || machine.host.ip_batch(&["-o"], "link show eth0"),
        |line| line.contains("state UP"),
    );
    assert!(state.contains("state UP"), "{state}");
    let podman = Podman::new(machine, Account::Root);
    podman.run("tag test:latest docker.io/library/busybox:latest");
    let readme = std::fs::read_to_string(places::workspace().join("README.md")).unwrap();
    let (_, block) = readme
        .split_once("```sh\njust install\n")
        .expect("the README has the example");
    let (block, _) = block.split_once("```").expect("the block ends");
    succeeds(machine, "just install");
    let drivers = podman.json("info --format json")["plugins"]["network"].take();
    for driver in installed().iter().map(|name| format!("wasm-{name}")) {
        let times = drivers
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| **one == driver);
        assert_eq!(times.count(), 1, "{driver}: {drivers}");
    }
    let before = machine.before();
    let seen = succeeds(machine, block).stdout;
    assert!(seen.contains("inet 192.0.2.2/24"), "{seen}");
    assert!(seen.contains("eth0@"), "{seen}");
    machine.assert_nothing_left(&before);
}

/// What the administrator granted stays, for the component that comes.
fn again(machine: &Machine) {
    unpack(machine);
    succeeds(machine, "just install");
    let configuration = machine.read(DROP_IN);
    let grant = machine.read(GRANT).replace("calls = 1000", "calls = 77");
    machine.write(GRANT, &grant);
    machine.copy(
        &places::guest("macvlan-c"),
        &format!("{PROJECT}/target/guests/macvlan.wasm"),
    );
    succeeds(machine, "just install");
    let other = wasmvark_tests::grant::digest(&places::guest("macvlan-c"));
    let now = machine.read(GRANT);
    assert!(now.contains(&other), "{now}");
    assert_eq!(without_digest(&now), without_digest(&grant));
    assert_eq!(machine.read(DROP_IN), configuration);
    let podman = Podman::new(machine, Account::Root);
    podman.run("network create -d wasm-macvlan -o parent=p0 --subnet 10.88.0.0/16 lan");
    podman.run("run --rm --network lan test true");
}

/// Who names plugin directories has decided; what is missing is said.
fn leaves_configuration(machine: &Machine) {
    unpack(machine);
    let file = "/etc/containers/containers.conf";
    machine.write(
        file,
        "[network]\nnetavark_plugin_dirs = [\"/opt/plugins\"]\n",
    );
    let told = succeeds(machine, "just install").stdout;
    let advice = format!("add \"/usr/local/libexec/netavark\" to netavark_plugin_dirs in {file}");
    assert!(told.contains(&advice), "{told}");
    assert_eq!(machine.read(DROP_IN), "");
}

/// For a package: nothing goes elsewhere, and nothing runs.
fn below_destdir(machine: &Machine) {
    unpack(machine);
    succeeds(machine, "DESTDIR=/tmp/package PREFIX=/usr just install");
    for file in [
        "/usr/bin/wasmvark",
        "/usr/share/wasmvark/drivers/macvlan.wasm",
        "/usr/share/wasmvark/drivers/host-device.grant.toml",
        DROP_IN,
    ] {
        assert!(
            machine.path(&format!("/tmp/package{file}")).is_file(),
            "{file}"
        );
    }
    for file in [
        "/usr/bin/wasmvark",
        "/etc/wasmvark",
        "/var/lib/wasmvark",
        DROP_IN,
    ] {
        assert!(!machine.path(file).exists(), "{file}");
    }
}

/// Puts the project as it is after `just build` on the machine, and `just`.
fn unpack(machine: &Machine) {
    let take = |from: &Path, to: &str| machine.copy(from, to);
    for file in FILES {
        take(
            &places::workspace().join(file),
            &format!("{PROJECT}/{file}"),
        );
    }
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    take(
        &places::wasmvark(),
        &format!("{PROJECT}/target/{target}/release/wasmvark"),
    );
    for driver in installed() {
        let grant = format!("guest-examples/{driver}/grant.toml");
        take(
            &places::workspace().join(&grant),
            &format!("{PROJECT}/{grant}"),
        );
        take(
            &places::guest(&driver),
            &format!("{PROJECT}/target/guests/{driver}.wasm"),
        );
    }
    take(&places::just(), "/usr/local/bin/just");
}

#[track_caller]
fn succeeds(machine: &Machine, commands: &str) -> Output {
    let script = format!("set -e; cd {PROJECT}\n{commands}");
    let output = machine.run(Account::Root, &["bash", "-c", &script]);
    assert_eq!(output.code, Some(0), "{commands}: {output:?}");
    output
}

fn without_digest(grant: &str) -> Vec<&str> {
    grant
        .lines()
        .filter(|line| !line.starts_with("digest"))
        .collect()
}
