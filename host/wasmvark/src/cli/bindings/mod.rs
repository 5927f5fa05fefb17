//! `wasmvark bindings`: the interface in a language whose tools don't read WIT.

mod go;
mod typescript;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use wit_bindgen_core::Files;

use super::wit::{Package, write_new};
use super::{CliError, Command, Context, Example, example, output};

/// The command `bindings`.
#[derive(Debug, clap::Args)]
pub(super) struct Bindings {
    /// The folder to write to, which must be new or empty
    folder: PathBuf,
    /// The language
    #[arg(long)]
    lang: Language,
    /// Write bindings for these interfaces only, those that they use, and log
    #[arg(long, value_name = "INTERFACE", value_delimiter = ',')]
    only: Option<Vec<String>>,
    /// For Go: write packages of a library's module with this name
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
}

/// A language whose bindings the program generates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// C, also for Zig and C++
    C,
    /// Go, 1.25 or newer
    Go,
    /// TypeScript, as declarations
    Ts,
}

impl Command for Bindings {
    const NAME: &str = "bindings";
    const ABOUT: &str = "Write the interface in a language whose tools don't read WIT";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Write the interface in a language whose tools don't read WIT.

A module of C or Go that is compiled with them becomes a driver by `wasmvark component`. The tools for Rust, Python \
and JavaScript read what `wasmvark wit` writes; declarations for TypeScript are for its checks only.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark bindings ./wasmvark --lang c",
        "Get the interface for a driver in C",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let package = Package::new(self.only.as_deref())?;
        let files =
            generate(self.lang, &package, self.module.as_deref()).map_err(CliError::Bindings)?;
        let files = files.iter();
        let files = files.map(|(name, content)| (name.clone(), content.as_slice()));
        write_new(&self.folder, files).map_err(|error| CliError::Write {
            path: self.folder.clone(),
            error,
        })?;
        output::text(&format!(
            "Wrote bindings for {} into {}.\n",
            package.name(),
            self.folder.display()
        ))
    }
}

/// Generates the bindings for a package: files by their paths.
pub(super) fn generate(
    language: Language,
    package: &Package,
    module: Option<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, anyhow::Error> {
    if let Some(module) = module {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        anyhow::ensure!(language == Language::Go, "--module is for Go only");
        anyhow::ensure!(
            !module.is_empty() && module.chars().all(is_name),
            "{module:?} is no name of a Go module: give one as example.org/lan"
        );
    }
    let (mut resolve, world) = package.resolve()?;
    let mut files = Files::default();
    match language {
        Language::C => wit_bindgen_c::Opts::default().build(),
        Language::Go => wit_bindgen_go::Opts {
            pkg_name: module.map(str::to_owned),
            ..wit_bindgen_go::Opts::default()
        }
        .build(),
        Language::Ts => {
            let declarations = typescript::declarations(&resolve, world);
            files.push("wasmvark.d.ts", declarations.as_bytes());
            return Ok(contents(&files));
        }
    }
    .generate(&mut resolve, world, &mut files)?;
    if language == Language::Go {
        let module = module.unwrap_or(go::MODULE);
        go::packages(&resolve, world, module, &mut files);
    }
    Ok(contents(&files))
}

fn contents(files: &Files) -> BTreeMap<String, Vec<u8>> {
    let files = files.iter();
    files
        .map(|(name, content)| (name.to_owned(), content.to_owned()))
        .collect()
}
