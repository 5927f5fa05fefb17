//! The check of the kernel's security modules. They can forbid an action that
//! capabilities allow.

use super::finding::Finding;
use crate::podman::System;

const CHECK: &str = "lsm";
const LIST: &str = "/sys/kernel/security/lsm";
const SELINUX: &str = "/sys/fs/selinux/enforce";
const APPARMOR: &str = "/sys/module/apparmor/parameters/enabled";
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
/// The programs whose profiles apply to plugins, because plugins run below Podman.
const CONCERNED: [&str; 4] = ["podman", "netavark", "conmon", "wasmvark"];

/// Reports the security modules and their effect on drivers.
pub(super) fn check(system: &System) -> Vec<Finding> {
    let mut findings = vec![match system.read(LIST) {
        Some(list) => Finding::ok(CHECK, format!("the kernel has {}", list.trim())),
        None => Finding::unknown(
            CHECK,
            format!("{LIST} can't be read"),
            "mount securityfs on /sys/kernel/security to see which modules hold",
        ),
    }];
    findings.extend(selinux(system));
    findings.extend(apparmor(system));
    findings
}

fn selinux(system: &System) -> Option<Finding> {
    let enforce = system.read(SELINUX)?;
    Some(match enforce.trim() {
        "0" => Finding::ok(CHECK, "SELinux is permissive: it notes and forbids nothing"),
        _ => Finding::warning(
            CHECK,
            "SELinux is enforcing, and nobody has tested wasmvark with it: drivers may only do what \
             the policy lets Podman do",
            "if a driver fails with EACCES, see `ausearch -m avc -ts recent`; `restorecon -R` gives \
             the files of wasmvark their labels",
        ),
    })
}

fn apparmor(system: &System) -> Option<Finding> {
    let enabled = system.read(APPARMOR)?;
    if enabled.trim() != "Y" {
        return None;
    }
    let Some(profiles) = system.read(PROFILES) else {
        return Some(Finding::unknown(
            CHECK,
            "AppArmor is on, and which profiles are loaded can't be read",
            "run it as root, or see `aa-status`",
        ));
    };
    let enforced: Vec<_> = profiles
        .lines()
        .filter_map(|line| line.strip_suffix(" (enforce)"))
        .filter(|name| CONCERNED.iter().any(|program| name.contains(program)))
        .collect();
    Some(match enforced.is_empty() {
        true => Finding::ok(
            CHECK,
            "AppArmor is on, with no enforced profile for Podman or its helpers",
        ),
        false => Finding::warning(
            CHECK,
            format!(
                "AppArmor enforces {}, which holds for drivers too",
                enforced.join(", ")
            ),
            "if a driver fails with EACCES, see `journalctl -k --grep apparmor`, and widen that profile",
        ),
    })
}
