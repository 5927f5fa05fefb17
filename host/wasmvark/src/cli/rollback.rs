//! `wasmvark rollback`: returns to a driver's previous component and its grant.

use engine::driver::Description;

use super::{CliError, Command, Context, Example, example, output, switch};
use crate::store::{DriverName, Settled};

/// The command `rollback`.
#[derive(Debug, clap::Args)]
pub(super) struct Rollback {
    /// The driver's name
    name: DriverName,
}

impl Command for Rollback {
    const NAME: &str = "rollback";
    const ABOUT: &str = "Return to a driver's previous component and its grant";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark rollback lan",
        "Return to the previous component and its grant",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let (store, name) = (&context.store()?, &self.name);
        if switch::settle(store, name)? == Some(Settled::Back) {
            // Ending the interrupted switch has returned to the old version already.
            return Ok(());
        }
        let from = store.current(name)?;
        let to = store.previous(name)?;
        let to = to.ok_or_else(|| CliError::NothingBefore(name.clone()))?;
        let description = Description::read(&store.component(name, &to.digest)?)?;
        switch::show(store, name, [&from, &to], &description)?;
        let _lock = store.lock()?;
        store.switch(name, &from, &to)?;
        let hint = format!("`wasmvark rollback {name}` again goes forward");
        output::text(&format!("Rolled {name} back; {hint}.\n"))
    }
}
