//! `wasmvark wit`: the text of the interface, whole or with a narrower world.

mod package;

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{CliError, Command, Context, Example, example, output};
pub(in crate::cli) use package::{Package, UnknownInterface};

/// The command `wit`.
#[derive(Debug, clap::Args)]
pub(super) struct Wit {
    /// The folder to write to, which must be new or empty
    folder: PathBuf,
    /// Write a world that imports only these interfaces, those that they use, and log
    #[arg(long, value_name = "INTERFACE", value_delimiter = ',')]
    only: Option<Vec<String>>,
}

impl Command for Wit {
    const NAME: &str = "wit";
    const ABOUT: &str = "Write the interface that drivers are built for";
    const LONG_ABOUT: Option<&str> = Some(
        "Write the interface that drivers are built for, as WIT. Components with an interpreter \
         import all of their world, and can ask for all of it: build them for a narrower one.",
    );
    const EXAMPLES: &[Example] = &[
        example("wasmvark wit ./wit", "Get the interface to build a driver"),
        example(
            "wasmvark wit ./wit --only links,addresses,routes",
            "Get a world for a driver in Python that makes links only",
        ),
    ];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let package = Package::new(self.only.as_deref())?;
        write(&self.folder, &package).map_err(|error| CliError::Write {
            path: self.folder.clone(),
            error,
        })?;
        let imports = package.imports().collect::<Vec<_>>().join(", ");
        output::text(&format!(
            "Wrote {} into {}: its world imports {imports}.\n",
            package.name(),
            self.folder.display()
        ))
    }
}

/// Writes a package's files into a folder that has none.
pub(super) fn write(folder: &Path, package: &Package) -> std::io::Result<()> {
    let files = package.files();
    let files = files.map(|(name, text)| (format!("{name}.wit"), text.as_bytes()));
    write_new(folder, files)
}

/// Writes files into a folder that has none. Names may have folders before them.
pub(super) fn write_new<'a>(
    folder: &Path,
    files: impl Iterator<Item = (String, &'a [u8])>,
) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(std::io::Error::other(
            "the folder isn't empty: name a new one, so that no other file joins the package",
        ));
    }
    for (name, content) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        File::create_new(path)?.write_all(content)?;
    }
    Ok(())
}
