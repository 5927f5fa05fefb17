//! The checks of wasmvark's folders: whether other users could have written there, and
//! whether a run can write there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use journal::{self, Here, Journal};
use kernel::{Life, Netns, living_netns};
use nix::unistd::{AccessFlags, access};
use trust::{SecretError, Secrets};
use types::user::{OVERFLOW_UID, rootless_user};

use super::finding::Finding;
use crate::cli::{CliError, program};
use crate::convert::quoted;
use crate::plugin;
use crate::store::{Layout, Store, StoreError};

const CHECK: &str = "files";
const SECRETS: &str = "secrets";
const JOURNALS: &str = "journals";

/// Checks this program, all folders, the secrets and the journals.
pub(super) fn check(store: &Store) -> Result<Vec<Finding>, CliError> {
    let layout = store.layout();
    let mut findings = vec![trust("program", &program()?, "this program is")];
    findings.extend(folders(layout));
    findings.extend(secrets(layout));
    findings.extend(journals(layout)?);
    Ok(findings)
}

/// Checks that nobody else could have written to a file or folder.
pub(super) fn trust(check: &'static str, path: &Path, whose: &str) -> Finding {
    let what = format!("{whose} {}", path.display());
    match trust::check(path).map_err(StoreError::from) {
        Ok(()) => Finding::ok(check, format!("{what}, which nobody else can write")),
        Err(StoreError::Untrusted { path, .. }) if is_unmapped(&path) => Finding::unknown(
            check,
            format!(
                "{what}; whose {} is can't be seen in this user namespace",
                path.display()
            ),
            "run it outside of it, without `podman unshare`",
        ),
        Err(StoreError::Untrusted { path, fault }) => Finding::problem(
            check,
            format!("{what}; {} {fault}", path.display()),
            give_back(&path, &fault),
        ),
        Err(error) => Finding::unknown(
            check,
            format!("{what}; {error}"),
            "run it as root, or as the user whose files they are",
        ),
    }
}

/// Whether a file's owner isn't mapped in this user namespace. The owner is then the
/// machine's root or anybody else.
fn is_unmapped(path: &Path) -> bool {
    let owner = std::fs::symlink_metadata(path).map(|metadata| metadata.uid());
    owner.is_ok_and(|owner| owner == OVERFLOW_UID) && rootless_user().is_some()
}

/// Returns the remedy for an error. A file that others could have written must first be
/// given back to its user.
pub(super) fn remedy(error: &StoreError, otherwise: impl Into<String>) -> String {
    match error {
        StoreError::Untrusted { path, fault } => give_back(path, fault),
        _ => otherwise.into(),
    }
}

/// Returns the command that gives a file back to its user alone.
fn give_back(path: &Path, fault: &str) -> String {
    let path = quoted(&path.to_string_lossy());
    let user = owner();
    match fault.contains("belongs") {
        true => format!("look at what it holds, then: chown {user} {path}"),
        false => format!("look at what it holds, then: chmod go-w {path}"),
    }
}

/// Returns the user who must own the files.
fn owner() -> String {
    match nix::unistd::geteuid() {
        uid if uid.is_root() => "root".to_owned(),
        uid => uid.to_string(),
    }
}

fn folders(layout: &Layout) -> Vec<Finding> {
    let trail = &layout.trail;
    let folders = [
        (&layout.lib, "components and code lie in"),
        (&layout.grants, "grants lie in"),
        (&layout.run, "journals lie in"),
        (trail, "the audit trail is"),
    ];
    let mut findings = Vec::new();
    for (path, whose) in folders {
        if path.exists() {
            findings.push(trust(CHECK, path, whose));
        }
    }
    // Without these no driver runs at all.
    for (path, what) in [(&layout.run, "journals"), (trail, "the audit trail")] {
        findings.extend(unwritable(path, what));
    }
    findings
}

/// Returns a finding if a run can't write a file or make it.
fn unwritable(path: &Path, what: &str) -> Option<Finding> {
    let there = path.ancestors().find(|part| part.exists())?;
    let why = match access(there, AccessFlags::W_OK) {
        Err(errno) => errno.desc(),
        Ok(()) if there != path && !there.is_dir() => "it is no folder",
        Ok(()) => return None,
    };
    Some(Finding::problem(
        CHECK,
        format!("{what} can't be written to {}: {why}", there.display()),
        "no driver runs without it: make that a folder that the user who runs Podman can write",
    ))
}

fn secrets(layout: &Layout) -> Vec<Finding> {
    let secrets = Secrets::new(layout.secrets.clone());
    let entries = std::fs::read_dir(&layout.secrets).into_iter().flatten();
    let mut names: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let count = names.len();
    let wrong: Vec<_> = names
        .iter()
        .filter_map(|name| secrets.read(name).err())
        .map(|error| exposed(&error))
        .collect();
    match (count, wrong.is_empty()) {
        (0, _) => Vec::new(),
        (_, false) => wrong,
        (_, true) => vec![Finding::ok(
            SECRETS,
            format!(
                "{count} in {}, which nobody else can read",
                layout.secrets.display()
            ),
        )],
    }
}

fn exposed(error: &SecretError) -> Finding {
    let SecretError::Exposed { path, fault } = error else {
        let remedy = "put a file of at most 4096 bytes of text there, or take it away";
        return Finding::problem(SECRETS, error.to_string(), remedy);
    };
    let what = format!("{} {fault}", path.display());
    let remedy = match fault.contains("read") {
        true => format!(
            "if others may have read it, make a new one; then: chmod 600 {}",
            quoted(&path.to_string_lossy())
        ),
        false => format!("it and the folders above must be {}'s alone", owner()),
    };
    Finding::problem(SECRETS, what, remedy)
}

/// Returns the finding about a link that was moved into a container and can't be found.
fn missing_link(journal: &Journal, containers: usize) -> Finding {
    let entries = journal.entries().iter();
    let missing = entries.filter_map(|entry| Some((&entry.change, entry.missing.as_ref()?)));
    let missing = missing.map(|(change, why)| format!("{change} is missing: {why}"));
    let key = journal.key();
    let more = match containers {
        1 => String::new(),
        _ => format!("; so are links of {} more containers", containers - 1),
    };
    Finding::problem(
        JOURNALS,
        format!(
            "of container {}: {}{more}",
            key.container,
            missing.collect::<Vec<_>>().join("; ")
        ),
        format!(
            "bring it back, then: wasmvark gc; or give it up: wasmvark journal forget {} \
             --network {}",
            key.container, key.network
        ),
    )
}

/// Checks whether the journals have changes of containers that are gone.
fn journals(layout: &Layout) -> Result<Option<Finding>, CliError> {
    let folder = layout.journals();
    let keys = journal::all(&folder);
    if keys.is_empty() {
        return Ok(None);
    }
    let living = living_netns().map_err(CliError::Living)?;
    let here = Here {
        host: Netns::current()?.id(),
        container: None,
    };
    let (mut gone, mut unknown) = (0, 0);
    let mut missing = Vec::new();
    for key in &keys {
        match Journal::open(&folder, key, here) {
            Err(error) => {
                return Ok(Some(Finding::problem(
                    JOURNALS,
                    error.to_string(),
                    "its container's network can't be cleared: remove the container, then that file",
                )));
            }
            Ok(journal) if journal.has_missing() => missing.push(journal),
            Ok(journal) => match plugin::life(&journal, &living) {
                Life::Gone => gone += 1,
                Life::Unknown => unknown += 1,
                Life::Alive => {}
            },
        }
    }
    if let Some(journal) = missing.first() {
        return Ok(Some(missing_link(journal, missing.len())));
    }
    Ok(Some(match gone {
        0 if unknown > 0 => Finding::unknown(
            JOURNALS,
            format!(
                "whether {unknown} containers that something is held for are alive can't be seen"
            ),
            "run it as root, with CAP_SYS_PTRACE",
        ),
        0 => Finding::ok(
            JOURNALS,
            format!("something is held for {} containers", keys.len()),
        ),
        // An ordinary user sees only the namespaces of the user's own processes.
        _ if !nix::unistd::geteuid().is_root() => Finding::unknown(
            JOURNALS,
            format!("whether {gone} containers that something is held for are alive can't be seen"),
            "podman unshare wasmvark doctor",
        ),
        _ => Finding::warning(
            JOURNALS,
            format!("something is held for {gone} containers whose namespace is gone"),
            "wasmvark gc",
        ),
    }))
}
