//! `wasmvark journal` and `wasmvark gc`.

use std::collections::BTreeSet;

use journal::{self, Change, Here, Journal};
use kernel::{Life, Netns, living_netns};
use serde::Serialize;
use types::Key;
use types::text::{counted, plain};

use super::{CliError, Format, output, podman_networks};
use crate::plugin;
use crate::store::{KeptNetworks, Store};

/// The arguments of `journal`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Give up links that were moved into a container and can't be found
    #[command(long_about = FORGET)]
    Forget {
        /// The container's id, or how it begins
        container: String,
        /// Only on this network: its id, or how that begins
        #[arg(long)]
        network: Option<String>,
    },
}

/// What the help of `journal forget` says.
const FORGET: &str = "\
Give up links that were moved into a container and can't be found.

A link that was in a container comes back only if it's provably the same one. Where it's missing, teardown says so, \
and its entry stays in the journal. This looks for it once more on the host; what isn't there is taken out of the \
journal, and the trail has that. Only missing links are given up, and nothing of the kernel's is touched: if the link \
turns up later, what it had on the host (name, addresses, routes) doesn't come back by itself.";

/// Runs `journal`.
pub(super) fn run(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.action {
        None => show(store, arguments.format),
        Some(Action::Forget { container, network }) => forget(store, container, network.as_deref()),
    }
}

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
    /// Why the link can't be found, where it's missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    #[serde(flatten)]
    change: Change,
}

/// Shows what is held for which container.
fn show(store: &Store, format: Format) -> Result<(), CliError> {
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
            _ if journal.has_missing() => "link missing",
            (Life::Gone, _) => "namespace gone",
            (Life::Unknown, _) => "namespace unknown",
            (Life::Alive, true) => "setup not finished",
            (Life::Alive, false) if journal.is_leaving() => "teardown not finished",
            (Life::Alive, false) => "in use",
        },
        changes: entries
            .map(|entry| HeldChange {
                shared: entry.shared,
                missing: entry.missing.clone(),
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
    let missing = if held.missing.is_some() {
        ", missing"
    } else {
        ""
    };
    format!("{}{shared}{missing}", held.change)
}

/// Gives up what is missing of a container.
fn forget(store: &Store, container: &str, network: Option<&str>) -> Result<(), CliError> {
    let mut keys = journal::all(&store.layout().journals());
    keys.retain(|key| {
        let network = network.unwrap_or_default();
        key.container.as_str().starts_with(container) && key.network.as_str().starts_with(network)
    });
    if keys.windows(2).any(|pair| match pair {
        [one, other] => one.container != other.container,
        _ => false,
    }) {
        return Err(CliError::SeveralContainers(container.to_owned()));
    }
    let forgotten = plugin::forget(store, keys)?;
    if forgotten.is_empty() {
        return Err(CliError::NothingMissing(container.to_owned()));
    }
    let mut text = String::new();
    for one in &forgotten {
        let (container, network) = (&one.key.container, &one.key.network);
        for what in &one.given_back {
            text.push_str(&format!(
                "Found and put back, of container {container} on network {network}: {what}.\n"
            ));
        }
        for what in &one.given_up {
            text.push_str(&format!(
                "Gave up, of container {container} on network {network}: {what}.\n"
            ));
        }
    }
    output::text(&plain_lines(&text))
}

/// Names of links are plain, but the text is for terminals.
fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
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
    for key in &collected.found {
        text.push_str(&format!(
            "Found the missing links of container {} on network {}.\n",
            key.container, key.network
        ));
    }
    text.push_str(&format!(
        "{} cleared, {} in use.\n",
        collected.cleared.len(),
        collected.alive.len().saturating_add(collected.found.len())
    ));
    let forgotten = forget_networks(store)?;
    if forgotten > 0 {
        let networks = counted(forgotten, "network");
        text.push_str(&format!("Forgot {networks} that Podman has no more.\n"));
    }
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

/// Forgets the networks that Podman doesn't have any more; returns how many.
/// Where its networks can't all be read, any of them may be there. A network that
/// a container is on is there whatever Podman's folder has.
fn forget_networks(store: &Store) -> Result<u64, CliError> {
    let has = podman_networks::folder(None).map(|folder| podman_networks::all(&folder));
    let Some(Ok(has)) = has else {
        return Ok(0);
    };
    let ids: BTreeSet<String> = has.into_iter().map(|it| it.network.id).collect();
    let networks = KeptNetworks::new(store.layout());
    let in_use = journal::networks(&store.layout().journals());
    let pruned = networks.prune(|id| ids.contains(id.as_str()) || in_use.contains(id))?;
    Ok(u64::try_from(pruned.len()).unwrap_or(u64::MAX))
}
