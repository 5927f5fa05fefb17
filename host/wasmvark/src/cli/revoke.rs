//! `wasmvark revoke`: removes a call from a driver's grant, or narrows its reach.

use super::granted_call::{Arguments, Granted};
use super::{CliError, Command, Context, Example, example};

/// The command `revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    arguments: Arguments,
}

impl Command for Revoke {
    const NAME: &str = "revoke";
    const ABOUT: &str = "Remove a call from a driver's grant, or narrow its reach";
    const EXAMPLES: &[Example] = &[
        example("wasmvark revoke lan links.set-mtu", "Remove a call"),
        example(
            "wasmvark revoke lan links.get --link eth2",
            "Remove one link, and keep the call",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let arguments = &self.arguments;
        let Arguments { name, call, .. } = arguments;
        arguments.check_keys()?;
        let _lock = store.lock()?;
        let granted = Granted::find(store, name)?;
        let had = granted.grant.calls().get(call);
        let had = had.ok_or_else(|| CliError::NotListed {
            call: *call,
            path: granted.grant.path().to_owned(),
        })?;
        let patterns = arguments.patterns();
        if patterns.is_empty() {
            return granted.change(store, name, *call, None);
        }
        let less = patterns
            .into_iter()
            .try_fold(had.clone(), |reach, (key, text)| reach.without(key, text))?;
        granted.change(store, name, *call, Some(&less))
    }
}
