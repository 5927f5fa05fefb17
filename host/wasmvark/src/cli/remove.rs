//! `wasmvark remove`.

use super::{CliError, Command, Context, Example, example, output, program, switch};
use crate::store::DriverName;

/// The command `remove`.
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// The driver's name
    name: DriverName,
}

impl Command for Remove {
    const NAME: &str = "remove";
    const ABOUT: &str = "Remove a driver and its link, but keep its grant";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark remove lan",
        "Remove a driver, but keep its grant",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let (store, name) = (&context.store()?, &self.name);
        switch::settle(store, name)?;
        let _lock = store.lock()?;
        let registration = store.remove(name, &program()?)?;
        let mut text = format!("Removed {name} and {}.\n", registration.link.display());
        let grant = store.layout().grant(name);
        if grant.exists() {
            text.push_str(&format!("Its grant stays in {}.\n", grant.display()));
        }
        output::text(&text)
    }
}
