//! `wasmvark journal` and `wasmvark gc`.

use serde::Serialize;

use super::{CliError, Format, output};
use crate::journal::{self, Change, Here, Journal};
use crate::kernel::{Life, Netns, living_netns};
use crate::plugin;
use crate::request::Key;
use crate::store::Store;

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
    store.check_runtime()?;
    let folder = store.layout().journals();
    let living = living_netns().map_err(CliError::Living)?;
    let here = Here {
        host: Netns::current()?.id(),
        container: None,
    };
    let mut all = Vec::new();
    for key in journal::all(&folder) {
        let journal = Journal::open(&folder, &key, here)?;
        all.push(held(&key, &journal, plugin::life(&journal, &living)));
    }
    match format {
        Format::Json => output::json(&all),
        Format::Text if all.is_empty() => output::text("Nothing is held for any container.\n"),
        Format::Text => output::text(&table(&all)),
    }
}

fn held(key: &Key, journal: &Journal, life: Life) -> Held {
    let entries = journal.entries().iter();
    Held {
        network: key.network.to_string(),
        container: key.container.to_string(),
        state: match (life, journal.is_abandoned()) {
            (Life::Gone, _) => "namespace gone",
            (Life::Unknown, _) => "namespace unknown",
            (Life::Alive, true) => "setup not finished",
            (Life::Alive, false) if journal.is_leaving() => "teardown not finished",
            (Life::Alive, false) => "in use",
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
    output::text(&text)?;
    match collected.failed.first() {
        None if !collected.unknown.is_empty() => Err(CliError::Unseen(
            collected
                .unknown
                .iter()
                .map(|key| format!("container {} on network {}", key.container, key.network))
                .collect(),
        )),
        None => Ok(()),
        Some((key, reason)) => Err(CliError::Left {
            container: key.container.to_string(),
            reason: reason.clone(),
        }),
    }
}
