//! `wasmvark journal` and `wasmvark gc`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{CliError, Format, output, podman_networks};
use crate::journal::{self, Change, Here, Journal};
use crate::kernel::{Netns, living_netns};
use crate::plugin;
use crate::request::Key;
use crate::store::{KeptNetworks, Store};
use crate::text::counted;

/// What is held for one container.
#[derive(Serialize)]
struct Held {
    network: String,
    container: String,
    state: &'static str,
    changes: Vec<HeldChange>,
}

/// A change that isn't undone.
#[derive(Serialize)]
struct HeldChange {
    /// Whether other containers of the network may have it too.
    shared: bool,
    #[serde(flatten)]
    change: Change,
}

/// Shows what is held for which container.
pub(super) fn show(store: &Store, format: Format) -> Result<(), CliError> {
    let folder = store.layout().journals();
    let living = living_netns().map_err(CliError::Living)?;
    let here = Here {
        host: Netns::current()?.id(),
        container: None,
    };
    let mut all = Vec::new();
    for key in journal::all(&folder) {
        let journal = Journal::open(&folder, &key, here)?;
        let alive = plugin::is_alive(&journal, |netns| living.contains(&netns));
        all.push(held(&key, &journal, alive));
    }
    match format {
        Format::Json => output::json(&all),
        Format::Text if all.is_empty() => output::text("Nothing is held for any container.\n"),
        Format::Text => output::text(&table(&all)),
    }
}

fn held(key: &Key, journal: &Journal, alive: bool) -> Held {
    let entries = journal.entries().iter();
    Held {
        network: key.network.to_string(),
        container: key.container.to_string(),
        state: match (alive, journal.is_abandoned()) {
            (false, _) => "namespace gone",
            (true, true) => "setup not finished",
            (true, false) if journal.is_leaving() => "teardown not finished",
            (true, false) => "in use",
        },
        changes: entries
            .map(|entry| HeldChange {
                shared: entry.shared,
                change: entry.change.clone(),
            })
            .collect(),
    }
}

fn table(all: &[Held]) -> String {
    let head = ["NETWORK", "CONTAINER", "STATE", "HELD"].map(str::to_owned);
    let rows = all.iter().flat_map(|held| {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        held.changes.iter().map(move |held_change| {
            [
                short(&held.network),
                short(&held.container),
                held.state.to_owned(),
                describe(held_change),
            ]
        })
    });
    output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn describe(held: &HeldChange) -> String {
    let shared = if held.shared { ", shared" } else { "" };
    format!("{}{shared}", held.change)
}

/// Clears what belongs to containers whose namespace is gone.
pub(super) fn collect(store: &Store) -> Result<(), CliError> {
    let collected = plugin::collect(store)?;
    let mut text = String::new();
    for key in &collected.cleared {
        text.push_str(&format!(
            "Cleared what was held for container {} on network {}.\n",
            key.container, key.network
        ));
    }
    text.push_str(&format!(
        "{} cleared, {} in use.\n",
        collected.cleared.len(),
        collected.alive.len()
    ));
    let forgotten = forget_networks(store)?;
    if forgotten > 0 {
        let networks = counted(forgotten, "network");
        text.push_str(&format!("Forgot {networks} that Podman has no more.\n"));
    }
    output::text(&text)?;
    match collected.failed.first() {
        None => Ok(()),
        Some((key, reason)) => Err(CliError::Left {
            container: key.container.to_string(),
            reason: reason.clone(),
        }),
    }
}

/// Forgets the networks that Podman doesn't have any more; returns how many.
/// Where its networks can't all be read, any of them may be there.
fn forget_networks(store: &Store) -> Result<u64, CliError> {
    let has = podman_networks::folder(None).map(|folder| podman_networks::all(&folder));
    let Some(Ok(has)) = has else {
        return Ok(0);
    };
    let ids: BTreeSet<String> = has.into_iter().map(|it| it.network.id).collect();
    let networks = KeptNetworks::new(store.layout());
    let pruned = networks.prune(|id| ids.contains(id.as_str()))?;
    Ok(u64::try_from(pruned.len()).unwrap_or(u64::MAX))
}
