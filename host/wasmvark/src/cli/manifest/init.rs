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

# The options of `podman network create --opt`. The host refuses others, and wrong values.
# Take the line out if the driver itself is to judge all options, or write tables instead:
options = []
# [[options]]
# name = \"vlan\"
# description = \"The VLAN of the container's frames.\"
# type = \"integer\"   # string, bool, integer-range, rate, size, mac, ip-address, ipv4-address,
#                      # ipv6-address, subnet, socket-address, link, pci-address, device-path, secret
# min = 1
# max = 4094
# default = \"1\"
# scope = \"network\"  # container, both, driver
#
# [[options]]
# name = \"mode\"
# description = \"How the containers reach each other.\"
# values = [\"bridge\", \"private\"]

# The calls that it asks for, each with the reason. Take out those that it can do without.
[calls]
"
    );
    for call in planned_grant::importable(description).keys() {
        text.push_str(&format!("\"{call}\" = {{ reason = \"\" }}\n"));
    }
    text
}
