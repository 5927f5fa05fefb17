//! Plans of a driver that is installed in a world.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::connection::Connection;
use crate::grant::Grant;
use crate::process::{self, Output};
use crate::wasmvark::Wasmvark;
use crate::world::World;

/// A driver that is installed in a world.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The world of the installation.
    pub world: &'a World,
    /// The installation.
    pub wasmvark: Wasmvark<'a>,
    /// The driver's name.
    pub name: String,
}

impl<'a> Trial<'a> {
    /// Installs one of this project's drivers with the grant of `just install`.
    pub fn of(world: &'a World, driver: &str) -> Self {
        Self::with(world, driver, &Grant::example(driver))
    }

    /// Installs one of this project's drivers with another grant.
    pub fn with(world: &'a World, driver: &str, grant: &Grant) -> Self {
        let wasmvark = Wasmvark::new(world);
        let name = format!("wasm-{driver}");
        wasmvark.install(driver, &name, grant);
        Self {
            world,
            wasmvark,
            name,
        }
    }

    /// Runs `plan` on a document, with further arguments.
    pub fn run(&self, document: &str, arguments: &[&str]) -> Output {
        self.run_of(&self.name, document, arguments)
    }

    /// Runs `plan` for another driver or a file.
    pub fn run_of(&self, driver: &str, document: &str, arguments: &[&str]) -> Output {
        let mut plan = self.wasmvark.command("plan");
        process::run(
            plan.args([driver, "-"]).args(arguments),
            document.as_bytes(),
        )
    }

    /// Returns the plan of a connection in JSON. Checks that it succeeds, that a second
    /// one is the same, and that nothing has changed.
    #[track_caller]
    pub fn plan(&self, connection: &Connection, arguments: &[&str]) -> Value {
        let (before, files) = (self.world.dump(), self.files());
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let output = self.run(&connection.for_plugin(), &all);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(output.stderr, "", "{output:?}");
        let again = self.run(&connection.for_plugin(), &all);
        assert_eq!(output.stdout, again.stdout, "it differs from time to time");
        self.world.assert_unchanged(&before);
        assert_eq!(self.files(), files, "files changed");
        serde_json::from_str(&output.stdout).expect("a plan is JSON")
    }

    /// Returns all files in the root directory with their contents.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        add_files(self.wasmvark.root(), &mut files);
        files
    }
}

fn add_files(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("it can be listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.insert(path.clone(), Vec::new());
            add_files(&path, files);
            continue;
        }
        // Symbolic links lead to the program.
        let content = match path.is_symlink() {
            true => Vec::new(),
            false => fs::read(&path).expect("it can be read"),
        };
        files.insert(path, content);
    }
}
