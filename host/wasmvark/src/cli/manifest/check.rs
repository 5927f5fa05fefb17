//! `wasmvark manifest check`: finds what is wrong with a manifest.

use std::path::PathBuf;

use engine::driver::Description;

use super::{check, read, wrong};
use crate::cli::{CliError, Command, Context, Example, example, output, planned_grant};

/// The first bytes of WebAssembly.
const WASM: &[u8] = b"\0asm";

/// The command `manifest check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The manifest's file, or a component's that has one
    file: PathBuf,
}

impl Command for Check {
    const NAME: &str = "check";
    const ABOUT: &str = "Check a manifest, alone or in its component";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Check a manifest, alone or in its component.

Each key must be known, each option must make sense, and no text that an operator decides by may be empty. In a \
component, each call that is asked for must be one that it imports.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark manifest check ./lan.wasm",
        "See whether a driver can be published",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let bytes = planned_grant::read(&self.file)?;
        if bytes.starts_with(WASM) {
            let description = Description::read(&bytes)?;
            let manifest = description.manifest.as_ref();
            let manifest = manifest.ok_or(CliError::NothingRequested {
                imports: description.imports.len(),
            })?;
            check(manifest, Some(&description)).map_err(|fault| wrong(&self.file, &fault))?;
        } else {
            read(&self.file, None)?;
        }
        output::text("The manifest is complete.\n")
    }
}
