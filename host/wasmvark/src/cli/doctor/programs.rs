//! The check of the versions of Podman and netavark.

use super::finding::Finding;
use crate::podman::{ContainersConf, System, Version, find_podman};

/// The placeholder for the directory of Podman's program (containers.conf(5)).
const BINDIR: &str = "$BINDIR";

/// The oldest Podman that calls plugins in the way this program expects.
const PODMAN_MIN: Version = Version(5, 0);
/// The oldest Podman that the tests run with.
const PODMAN_TESTED: Version = Version(5, 4);
/// The oldest netavark that has plugins.
const NETAVARK_MIN: Version = Version(1, 6);
/// The oldest netavark that the tests run with.
const NETAVARK_TESTED: Version = Version(1, 14);

/// A program with its minimum version and its oldest tested version.
struct Program {
    check: &'static str,
    minimum: Version,
    tested: Version,
    /// The fault of a version below the minimum, in words.
    lacks: &'static str,
}

const PODMAN: Program = Program {
    check: "podman",
    minimum: PODMAN_MIN,
    tested: PODMAN_TESTED,
    lacks: "wasmvark needs Podman 5",
};

const NETAVARK: Program = Program {
    check: "netavark",
    minimum: NETAVARK_MIN,
    tested: NETAVARK_TESTED,
    lacks: "it has no plugins",
};

/// Checks Podman's network backend and version.
pub(super) fn podman(system: &System, conf: Option<&ContainersConf>) -> Finding {
    let Some(program) = find_podman(system) else {
        return Finding::problem(
            "podman",
            "no program podman is in PATH",
            "install the package podman",
        );
    };
    if let Some(backend) = conf.and_then(|conf| conf.backend.as_deref())
        && backend != "netavark"
        && !backend.is_empty()
    {
        return Finding::problem(
            "podman",
            format!("its networks are made by {backend}, which has no netavark plugins"),
            "set network_backend = \"netavark\" under [network] in containers.conf",
        );
    }
    PODMAN.check(system, &program)
}

/// Checks the netavark that Podman runs.
pub(super) fn netavark(system: &System, conf: Option<&ContainersConf>) -> Finding {
    let Some(conf) = conf else {
        return Finding::unknown(
            "netavark",
            "containers.conf says where it is, and can't be read",
            "see the check plugin-dirs",
        );
    };
    let bin = find_podman(system).and_then(|podman| Some(podman.parent()?.to_owned()));
    let folders = conf
        .helper_dirs
        .iter()
        .map(|folder| match (folder.strip_prefix(BINDIR), &bin) {
            (Ok(rest), Some(bin)) => bin.join(rest),
            _ => folder.clone(),
        });
    match system.find_program(folders, "netavark") {
        Some(program) => NETAVARK.check(system, &program),
        None => {
            let folders: Vec<_> = conf
                .helper_dirs
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            Finding::problem(
                "netavark",
                format!("Podman finds none in {}", folders.join(", ")),
                "install the package netavark",
            )
        }
    }
}

impl Program {
    fn check(&self, system: &System, program: &std::path::Path) -> Finding {
        let shown = program.display();
        let text = match system.version(program) {
            Ok(text) => text,
            Err(error) => {
                return Finding::problem(
                    self.check,
                    format!("`{shown} --version` fails: {error}"),
                    format!("install the package {} anew", self.check),
                );
            }
        };
        let Some(version) = Version::find(&text) else {
            return Finding::unknown(
                self.check,
                format!("`{shown} --version` names no version"),
                format!("it must be {} or later", self.minimum),
            );
        };
        let what = format!("version {version}, {shown}");
        if version < self.minimum {
            return Finding::problem(
                self.check,
                format!("{what}: {}", self.lacks),
                format!("upgrade it to {} or later", self.tested),
            );
        }
        if version < self.tested {
            return Finding::warning(
                self.check,
                format!("{what}: nobody has tested wasmvark with it"),
                format!("upgrade it to {} or later", self.tested),
            );
        }
        Finding::ok(self.check, what)
    }
}
