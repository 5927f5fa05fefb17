//! `wasmvark try`: a driver on a machine that is real and goes away.

mod report;
mod run;

use std::path::PathBuf;

use super::{CliError, Command, Context, Example, example, output};

/// The command `try`.
#[derive(Debug, clap::Args)]
pub(super) struct Try {
    /// The case's file
    #[arg(value_name = "FILE")]
    case: PathBuf,
    /// The component to try instead of the one that the case names
    driver: Option<PathBuf>,
}

impl Command for Try {
    const NAME: &str = "try";
    const ABOUT: &str = "Run a case on a real kernel, in namespaces that go away, without root";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Run a case on a real kernel, in namespaces that go away, without root.

The machine of the case is made in namespaces of its own, and a card becomes one end of a veth pair. There the driver is \
installed with its grant, connects the container and disconnects it, confined as on any machine. What it did is shown; \
what the case expects isn't compared, as a real kernel chooses MAC addresses anew. The exit code is 1 if the driver \
fails, or if something is left.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark try ./cases/connect.toml ./driver.wasm",
        "See what a driver does with a real kernel",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let tried = run::run(context, &self.case, self.driver.as_deref())?;
        output::text(&report::text(&tried))?;
        tried.end()
    }
}
