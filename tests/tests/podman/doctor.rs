//! `wasmvark doctor` on systems with real Podman and netavark.

use crate::case::{Cases, HOST_DEVICE, MACVLAN};
use crate::machine::Account;
use crate::podman::Podman;

const USER_CONFIGURATION: &str = "/home/user/.config/containers/containers.conf.d/50-wasmvark.conf";

pub(crate) fn register(cases: &mut Cases) {
    cases.add("doctor/finds nothing", finds_nothing);
    cases.add("doctor/looks where Podman looks", looks_where_podman_looks);
    cases.add_rootless("doctor/rootless", rootless);
}

fn finds_nothing(podman: &Podman) {
    let told = podman.wasmvark(&["doctor"]);
    let edition = podman.machine.edition;
    for (program, (major, minor)) in [("podman", edition.podman), ("netavark", edition.netavark)] {
        let line = line_of(&told, program);
        assert!(line.starts_with("ok"), "{line}");
        assert!(line.contains(&format!("version {major}.{minor}")), "{line}");
    }
    for driver in [MACVLAN, HOST_DEVICE] {
        assert!(
            told.contains(&format!("{driver}: /usr/local/libexec/netavark/{driver}")),
            "{told}"
        );
    }
}

/// What Podman doesn't list isn't well, and the remedy makes it list it.
fn looks_where_podman_looks(podman: &Podman) {
    let listed = || {
        podman
            .run("info --format {{.Plugins.Network}}")
            .contains(MACVLAN)
    };
    let file = "/etc/containers/containers.conf.d/zz.conf";
    for (text, finds) in [
        ("[\"/opt\"]", false),
        ("[\"/opt\", {append = true}]", true),
        ("[\"/usr/local/libexec/netavark\"]", true),
        ("[]", false),
    ] {
        podman
            .machine
            .write(file, &format!("[network]\nnetavark_plugin_dirs = {text}\n"));
        assert_eq!(listed(), finds, "{text}");
        let output = podman.machine.run(podman.account, &["wasmvark", "doctor"]);
        assert_eq!(output.code, Some(i32::from(!finds)), "{text}: {output:?}");
        assert_eq!(
            output.stdout.contains(&format!("in {file}")),
            !finds,
            "{output:?}"
        );
    }
}

fn rootless(podman: &Podman) {
    let told = podman.wasmvark(&["doctor"]);
    assert!(line_of(&told, "rootless").starts_with("ok"), "{told}");
    assert!(
        told.contains("/home/user/.local/share/wasmvark/plugins"),
        "{told}"
    );
    // A user can't see whether a container is alive; in Podman's namespace it can be seen.
    podman.run(&format!(
        "network create -d {MACVLAN} --subnet 10.66.0.0/24 lan"
    ));
    podman.start("there", "--network lan");
    let told = podman.wasmvark(&["doctor"]);
    assert!(!told.contains("namespace is gone"), "{told}");
    let told = podman.run("unshare wasmvark doctor");
    assert!(line_of(&told, "journals").starts_with("ok"), "{told}");
    podman.remove("there");
    podman.machine.write_for_user(USER_CONFIGURATION, "");
    let output = podman.machine.run(Account::User, &["wasmvark", "doctor"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        line_of(&output.stdout, "plugin-dirs").starts_with("problem"),
        "{output:?}"
    );
}

fn line_of<'a>(told: &'a str, check: &str) -> &'a str {
    let mut lines = told.lines();
    let found = lines.find(|line| line.split_whitespace().nth(1) == Some(check));
    found.unwrap_or_else(|| panic!("no line of {check}: {told}"))
}
