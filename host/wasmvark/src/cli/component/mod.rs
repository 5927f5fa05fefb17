//! `wasmvark component`: makes a driver of a core module, as compilers write it.

mod encode;

use std::path::PathBuf;

use engine::driver::{Description, with_manifest};

use super::{CliError, Command, Context, Example, example, manifest, output, planned_grant};
pub(in crate::cli) use encode::EncodeError;

/// The command `component`.
#[derive(Debug, clap::Args)]
pub(super) struct Component {
    /// The core module's file
    module: PathBuf,
    /// Put this manifest into the component
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The component's file, which is written whole or not at all
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Command for Component {
    const NAME: &str = "component";
    const ABOUT: &str = "Make a component of a core module, as compilers write it";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Make a component of a core module, as compilers for C, Go, Zig and Rust write it.

The module exports the functions of the interface `handler`, as bindings for WIT do. It needs no description of its \
world, and then it's for the interface of this program's version. Imports of WASI preview 1 are converted.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark component lan.wasm --manifest manifest.toml -o driver.wasm",
        "Finish a driver that clang compiled",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let module = planned_grant::read(&self.module)?;
        let mut component = encode::encode(&module).map_err(|error| CliError::Encode {
            path: self.module.clone(),
            error,
        })?;
        let description = Description::read(&component)?;
        if let Some(path) = &self.manifest {
            let text = manifest::read(path, Some(&description))?;
            component = with_manifest(&component, &text)?;
        }
        output::file(&self.output, &component)?;
        output::text(&format!(
            "Made {}, which can make {} calls.\n",
            self.output.display(),
            description.imports.len()
        ))
    }
}
