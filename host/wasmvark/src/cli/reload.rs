//! `wasmvark reload`.

use super::{CliError, Command, Context, Example, example, output};
use crate::plugin::{self, Reloaded};

/// The command `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {
    /// Goes on, and restores them after each reload and start of firewalld, too
    #[arg(long)]
    watch_firewalld: bool,
}

impl Command for Reload {
    const NAME: &str = "reload";
    const ABOUT: &str = "Restore missing firewall rules of containers";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark reload",
            "Restore what `nft flush ruleset` removed",
        ),
        example(
            "podman unshare --rootless-netns wasmvark reload",
            "The same for rootless Podman",
        ),
        example(
            "wasmvark reload --watch-firewalld",
            "What the unit wasmvark-firewalld.service does",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        plugin::give_up_but_look_out()?;
        let store = context.store()?;
        if self.watch_firewalld {
            return Ok(plugin::watch_firewalld(&store, |reloaded| {
                let mut text = words(reloaded);
                for (who, why) in &reloaded.failed {
                    text.push_str(&format!("Could not put back for {who}: {why}.\n"));
                }
                // Without a reader, the work goes on.
                let _ = output::text(&text);
            })?);
        }
        let reloaded = plugin::reload(&store)?;
        output::text(&words(&reloaded))?;
        match reloaded.failed.is_empty() {
            true => Ok(()),
            false => Err(CliError::NotPutBack(reloaded.failed)),
        }
    }
}

/// Returns what was done, in words.
fn words(reloaded: &Reloaded) -> String {
    let mut text = String::new();
    for (key, missing) in &reloaded.restored {
        text.push_str(&format!(
            "Put back for container {} on network {}: {}.\n",
            key.container,
            key.network,
            missing.join("; ")
        ));
    }
    for key in &reloaded.passed_over {
        text.push_str(&format!(
            "Passed over container {} on network {}: it isn't in use.\n",
            key.container, key.network
        ));
    }
    text.push_str(&format!(
        "{} put back, {} whole, {} passed over.\n",
        reloaded.restored.len(),
        reloaded.whole,
        reloaded.passed_over.len()
    ));
    text
}
