//! `wasmvark grant`: adds a call to a driver's grant, or widens its reach.

use engine::driver::Description;
use policy::Reach;

use super::granted_call::{Arguments, Granted};
use super::{CliError, Command, Context, Example, example};

/// The command `grant`.
#[derive(Debug, clap::Args)]
pub(super) struct Grant {
    #[command(flatten)]
    arguments: Arguments,
}

impl Command for Grant {
    const NAME: &str = "grant";
    const ABOUT: &str = "Add a call to a driver's grant, or widen its reach";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark grant lan links.set-mtu",
            "Let a driver set the MTU of its own links",
        ),
        example(
            "wasmvark grant lan links.get --link eth1 --link eth2",
            "Let it read two links of the host",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let arguments = &self.arguments;
        let Arguments { name, call, .. } = arguments;
        arguments.check_keys()?;
        let mut reach = Reach::default();
        for (key, text) in arguments.patterns() {
            reach.add(key, text)?;
        }
        let _lock = store.lock()?;
        let digest = store.find(name)?.digest;
        let granted = Granted::find(store, name)?;
        granted.grant.check_digest(&digest)?;
        let description = Description::read(&store.component(name, &digest)?)?;
        if !description.can_make(*call) {
            return Err(CliError::NotImported {
                name: name.clone(),
                call: *call,
            });
        }
        let had = granted.grant.calls().get(call);
        let wanted = had.cloned().unwrap_or_default().joined(&reach);
        granted.change(store, name, *call, Some(&wanted))
    }
}
