//! `wasmvark reload`.

use super::{CliError, Command, Context, Example, example, output};
use crate::plugin;

/// The command `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {}

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
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let reloaded = plugin::reload(&context.store()?)?;
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
        output::text(&text)?;
        match reloaded.failed.is_empty() {
            true => Ok(()),
            false => Err(CliError::NotPutBack(reloaded.failed)),
        }
    }
}
