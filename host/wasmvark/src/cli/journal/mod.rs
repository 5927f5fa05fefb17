//! `wasmvark journal`: the changes in the containers' journals.

mod forget;

use journal::{Change, Here};
use kernel::{Life, Netns, living_netns};
use serde::Serialize;
use types::Key;

use super::{CliError, Command, Context, Entry, Example, Format, example, output};
use crate::plugin;

/// The command `journal`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Journal {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Journal {
    const NAME: &str = "journal";
    const ABOUT: &str = "Show the changes that each container's teardown would undo";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark journal",
        "See what would be undone for each container",
    )];
    const COMMANDS: &[Entry] = &[Entry::of::<forget::Forget>()];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        plugin::give_up_but_look_out()?;
        let store = context.store()?;
        store.check_runtime()?;
        let folder = store.layout().journals();
        let living = living_netns().map_err(CliError::Living)?;
        let here = Here {
            host: Netns::current()?.id(),
            container: None,
        };
        let mut all = Vec::new();
        for key in journal::all(&folder) {
            let journal = journal::Journal::open(&folder, &key, here)?;
            all.push(held(&key, &journal, plugin::life(&journal, &living)));
        }
        match self.format {
            Format::Json => output::json(&all),
            Format::Text if all.is_empty() => output::text("Nothing is held for any container.\n"),
            Format::Text => output::text(&table(&all)),
        }
    }
}

/// The journal of one container.
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
    /// Whether other containers of the network may share the change.
    shared: bool,
    /// The reason why the link can't be found, if it's missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    #[serde(flatten)]
    change: Change,
}

fn held(key: &Key, journal: &journal::Journal, life: Life) -> Held {
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
