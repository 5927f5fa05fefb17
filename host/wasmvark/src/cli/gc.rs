//! `wasmvark gc`: the undo of the changes of containers that are gone.

use std::collections::BTreeSet;

use types::text::counted;

use super::{CliError, Command, Context, Example, example, output};
use crate::plugin;
use crate::podman::networks;
use crate::store::{KeptNetworks, Store};

/// The command `gc`.
#[derive(Debug, clap::Args)]
pub(super) struct Gc {}

impl Command for Gc {
    const NAME: &str = "gc";
    const ABOUT: &str = "Undo what containers left whose network namespace is gone";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark gc",
        "Clean up after containers that were never torn down",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        plugin::give_up_but_look_out()?;
        let store = &context.store()?;
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
}

/// Forgets the kept networks that Podman doesn't have any more, and returns their
/// number. If a file of Podman's can't be read, none is forgotten, because any of them
/// may be in it. A network with a journal is kept, whatever Podman's folder has.
fn forget_networks(store: &Store) -> Result<u64, CliError> {
    let has = networks::folder(None).map(|folder| networks::all(&folder));
    let Some(Ok(has)) = has else {
        return Ok(0);
    };
    let ids: BTreeSet<String> = has.into_iter().map(|it| it.network.id).collect();
    let networks = KeptNetworks::new(store.layout());
    let in_use = journal::networks(&store.layout().journals());
    let pruned = networks.prune(|id| ids.contains(id.as_str()) || in_use.contains(id))?;
    Ok(u64::try_from(pruned.len()).unwrap_or(u64::MAX))
}
