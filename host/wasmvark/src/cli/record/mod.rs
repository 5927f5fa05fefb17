//! `wasmvark record`: a case of a request and of this machine.

mod document;

use std::path::PathBuf;

use super::test::Machine;
use super::{CliError, Command, Context, Example, example, output, plan};
use crate::plugin::see;
pub(crate) use document::RequestFault;

/// The command `record`.
#[derive(Debug, clap::Args)]
pub(super) struct Record {
    /// The JSON document that netavark sends to `setup` or `create`; `-` reads
    /// standard input
    request: String,
    /// The container's network namespace; without this, a new one is assumed
    #[arg(long, value_name = "PATH")]
    netns: Option<PathBuf>,
    /// The case's file
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Command for Record {
    const NAME: &str = "record";
    const ABOUT: &str = "Write a case of a request and of this machine, to run it elsewhere";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Write a case of a request and of this machine, to run it elsewhere.

The case has the request, and the links, addresses and routes that the machine has now. `wasmvark test --bless` writes \
into it what a driver does then, and `wasmvark test` compares another build with that. Firewalls, rules and settings \
but for forwarding aren't recorded. Look through the case before you pass it on: it has the machine's addresses.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark record ./setup.json -o ./cases/here.toml",
        "Keep a machine on which a driver fails",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let request = plan::request(&self.request)?;
        let request = document::tables(&request).map_err(|error| CliError::Unrecorded {
            path: PathBuf::from(&self.request),
            error,
        })?;
        let machine = Machine::of(&see(self.netns.as_deref())?);
        let text = document::text(&request, &machine)
            .map_err(|error| CliError::Print(std::io::Error::other(error)))?;
        output::file(&self.output, text.as_bytes())?;
        output::text(&format!("Wrote {}.\n", self.output.display()))
    }
}
