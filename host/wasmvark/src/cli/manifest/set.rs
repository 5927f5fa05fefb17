//! `wasmvark manifest set`: puts a manifest into a component.

use std::path::PathBuf;

use engine::driver::{Description, with_manifest};

use super::read;
use crate::cli::{CliError, Command, Context, Example, example, output, planned_grant};

/// The command `manifest set`.
#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// The component's file
    file: PathBuf,
    /// The manifest's file
    manifest: PathBuf,
    /// Write to this file instead of the component's own
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Command for Set {
    const NAME: &str = "set";
    const ABOUT: &str = "Put a manifest into a component, in the place of the one that it has";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark manifest set ./lan.wasm ./manifest.toml",
        "Finish a driver in any language",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let component = planned_grant::read(&self.file)?;
        let description = Description::of_imports(&component)?;
        let text = read(&self.manifest, Some(&description))?;
        let bytes = with_manifest(&component, &text)?;
        let to = self.output.as_deref().unwrap_or(&self.file);
        output::file(to, &bytes)?;
        output::text(&format!("Put the manifest into {}.\n", to.display()))
    }
}
