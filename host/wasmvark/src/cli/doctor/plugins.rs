//! The check of the directories from which netavark runs plugins as root. A user who
//! can write there can become root.

use std::path::Path;

use super::files::trust;
use super::finding::Finding;
use crate::convert::quoted;
use crate::podman::System;
use crate::podman::{ConfError, ContainersConf};
use crate::store::{LinkState, Store, link_state};

const CHECK: &str = "plugin-dirs";

/// Checks each plugin directory, and that wasmvark's own is among them.
pub(super) fn check(
    system: &System,
    store: &Store,
    conf: &Result<ContainersConf, ConfError>,
) -> Vec<Finding> {
    let conf = match conf {
        Ok(conf) => conf,
        Err(error) => {
            return vec![Finding::problem(
                CHECK,
                error.to_string(),
                format!("mend {}: Podman doesn't start either", error.path.display()),
            )];
        }
    };
    let mut findings = vec![own(store, conf)];
    for folder in &conf.plugin_dirs {
        if !system.has(folder) {
            continue;
        }
        findings.push(trust(
            CHECK,
            &system.path(folder),
            "Podman looks for plugins in",
        ));
        findings.extend(strays(system, store, folder));
    }
    findings
}

/// Checks that Podman looks in the directory where `install` puts links.
fn own(store: &Store, conf: &ContainersConf) -> Finding {
    let own = &store.layout().plugins;
    let shown = own.display();
    if conf.plugin_dirs.contains(own) {
        return Finding::ok(
            CHECK,
            format!("Podman finds what `install` puts into {shown}"),
        );
    }
    let what = format!("Podman doesn't look for plugins in {shown}, where `install` puts links");
    let mut passed_over = conf.passed_over.iter();
    if let Some(file) = passed_over.find(|file| file.plugin_dirs.contains(own)) {
        let path = file.path.display();
        return Finding::problem(
            CHECK,
            format!("{what}: {path} names it, and Podman 6 reads only one main file, another one"),
            format!("move the lines from {path} to a file in {path}.d"),
        );
    }
    let file = match &conf.names_plugin_dirs {
        Some(file) => file.display().to_string(),
        None => "containers.conf".to_owned(),
    };
    Finding::problem(
        CHECK,
        what,
        format!("add \"{shown}\" to netavark_plugin_dirs under [network] in {file}"),
    )
}

/// Finds links to this program without an installed driver. Podman lists them, but
/// running them fails.
fn strays(system: &System, store: &Store, folder: &Path) -> Vec<Finding> {
    let Ok(program) = std::env::current_exe() else {
        return Vec::new();
    };
    let names = store.names().unwrap_or_default();
    let folder = system.list(folder).into_iter();
    let links = folder.filter(|link| link_state(&system.path(link), &program) == LinkState::Ours);
    let strays = links.filter(|link| {
        let name = link
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        !names.iter().any(|known| known.as_str() == name)
    });
    strays
        .map(|link| {
            Finding::warning(
                CHECK,
                format!(
                    "{} is a link to this program, and no driver is installed under that name",
                    link.display()
                ),
                format!("rm {}", quoted(&link.to_string_lossy())),
            )
        })
        .collect()
}
