//! A driver in a world, and its plans.

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
    /// The world.
    pub world: &'a World,
    /// The program there.
    pub wasmvark: Wasmvark<'a>,
    /// The driver's name.
    pub name: String,
}

impl<'a> Trial<'a> {
    /// One of this project's drivers, with the grant that `just install` gives
    /// it.
    pub fn of(world: &'a World, driver: &str) -> Self {
        Self::with(world, driver, &Grant::example(driver))
    }

    /// The same with another grant.
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

    /// Plans a document, with these arguments besides.
    pub fn run(&self, document: &str, arguments: &[&str]) -> Output {
        self.run_of(&self.name, document, arguments)
    }

    /// The same for another driver, or a file.
    pub fn run_of(&self, driver: &str, document: &str, arguments: &[&str]) -> Output {
        let mut plan = self.wasmvark.command("plan");
        process::run(
            plan.args([driver, "-"]).args(arguments),
            document.as_bytes(),
        )
    }

    /// The plan of a connection that succeeds, in JSON. Nothing may change
    /// meanwhile, and the same question has the same answer.
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

    /// All files below the root, with what is in them.
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
        // Links lead to the program.
        let content = match path.is_symlink() {
            true => Vec::new(),
            false => fs::read(&path).expect("it can be read"),
        };
        files.insert(path, content);
    }
}
