//! The check of this process's rights. A plugin in its place would have the same ones.

use types::user::rootless_user;

use super::finding::Finding;
use crate::podman::System;

const CHECK: &str = "capabilities";
const USERNS: &str = "rootless";

/// The capabilities that runs need, by their bits (`capability.h`).
const NEEDED: [(&str, u32, &str); 3] = [
    ("CAP_NET_ADMIN", 12, "changes of the network"),
    ("CAP_NET_RAW", 13, "announcing addresses"),
    ("CAP_SYS_ADMIN", 21, "entering the container's namespace"),
];

/// Checks the capabilities. For an ordinary user, it checks the settings that rootless
/// Podman needs instead.
pub(super) fn check(system: &System) -> Vec<Finding> {
    match rootless_user() {
        Some(uid) if !nix::unistd::geteuid().is_root() => rootless(system, uid),
        _ => vec![capabilities(system)],
    }
}

fn capabilities(system: &System) -> Finding {
    let status = system.read("/proc/self/status");
    let effective = status.as_deref().and_then(effective);
    let Some(effective) = effective else {
        return Finding::unknown(
            CHECK,
            "/proc/self/status doesn't tell them",
            "have /proc mounted",
        );
    };
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(_, bit, _)| effective >> bit & 1 == 0)
        .map(|(name, _, purpose)| format!("{name} ({purpose})"))
        .collect();
    match missing.is_empty() {
        true => Finding::ok(CHECK, "all that drivers' runs need"),
        false => Finding::problem(
            CHECK,
            format!("this process lacks {}", missing.join(", ")),
            "run Podman as root of the machine, or in a container that has them (--cap-add)",
        ),
    }
}

/// Returns the effective capabilities in the text of `/proc/PID/status`.
fn effective(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// Checks that users can make user namespaces. Rootless Podman gives plugins all
/// capabilities in its own user namespace.
fn rootless(system: &System, uid: u32) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(
        USERNS,
        format!("drivers of user {uid} run as root of Podman's own user namespace"),
    )];
    for (file, needed) in [
        ("/proc/sys/user/max_user_namespaces", "a number above 0"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "1"),
    ] {
        if system.read(file).is_some_and(|value| value.trim() == "0") {
            let key = file.trim_start_matches("/proc/sys/").replace('/', ".");
            findings.push(Finding::problem(
                USERNS,
                format!("{key} is 0, so users can't make user namespaces"),
                format!("set it to {needed}: `sysctl {key}`, and a file in /etc/sysctl.d"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read() {
        let status = "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n";
        assert_eq!(effective(status), Some(0x1ff_ffff_ffff));
        assert_eq!(effective("Name:\tx\n"), None);
    }
}
