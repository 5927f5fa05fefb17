//! `wasmvark manifest init`: a manifest to fill in.

use std::path::PathBuf;

use engine::driver::Description;

use crate::cli::{CliError, Command, Context, Example, example, output, planned_grant};

/// The command `manifest init`.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The component's file
    file: PathBuf,
}

impl Command for Init {
    const NAME: &str = "init";
    const ABOUT: &str = "Print a manifest for a component, with the calls that it imports";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark manifest init ./lan.wasm >./manifest.toml",
        "Begin a driver's manifest",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let description = Description::read(&planned_grant::read(&self.file)?)?;
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        output::text(&template(&stem, &description))
    }
}

/// Returns a manifest whose texts are left to write.
fn template(name: &str, description: &Description) -> String {
    let name = serde_json::Value::from(name);
    let mut text = format!(
        "# What the driver is. People decide by it.
name = {name}
version = \"0.1.0\"
# What it does, in one sentence.
description = \"\"
# An SPDX expression, such as Apache-2.0.
licence = \"\"

# An option of `podman network create --opt`, each with a table of its own:
# [[options]]
# name = \"mtu\"
# description = \"The MTU of the container's link in bytes.\"

# The calls that it asks for, each with the reason. Take out those that it can do without.
[calls]
"
    );
    for call in planned_grant::importable(description).keys() {
        text.push_str(&format!("\"{call}\" = {{ reason = \"\" }}\n"));
    }
    text
}
