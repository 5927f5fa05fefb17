//! `wasmvark journal` and `wasmvark gc`.

use serde::Serialize;

use super::{CliError, Format, output};
use crate::journal::{self, Change, Here, Journal};
use crate::kernel::{Netns, living_netns};
use crate::plugin;
use crate::request::Key;
use crate::store::Store;
use crate::text::plain;

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
            _ if journal.has_missing() => "link missing",
            (false, _) => "namespace gone",
            (true, true) => "setup not finished",
            (true, false) if journal.is_leaving() => "teardown not finished",
            (true, false) => "in use",
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
    text.push_str(&format!(
        "{} cleared, {} in use.\n",
        collected.cleared.len(),
        collected.alive.len()
    ));
    output::text(&text)?;
    match collected.failed.first() {
        None => Ok(()),
        Some((key, reason)) => Err(CliError::Left {
            container: key.container.to_string(),
            reason: reason.clone(),
        }),
    }
}
