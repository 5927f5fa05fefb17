//! A folder that `wasmvark new` makes, and its Makefile.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use wasmvark_tests::page::{self, blocks};
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::tools::{self, LIMIT};

/// A new driver's folder.
pub(crate) struct Folder<'a> {
    pub(crate) wasmvark: Wasmvark<'a>,
    /// The driver's name for Podman.
    pub(crate) driver: String,
    path: PathBuf,
}

impl<'a> Folder<'a> {
    /// Makes the folder as the page for authors says, in the language's section.
    pub(crate) fn new(world: &'a World, language: &str, title: &str) -> Self {
        let name = format!("in-{language}");
        let folder = Self {
            wasmvark: Wasmvark::new(world),
            driver: format!("wasm-{name}"),
            path: world.file(&name),
        };
        let page = page::read("docs/authors/first-driver.md");
        let commands = blocks(page::section(&page, title), "sh").concat();
        let mut shell = Command::new("sh");
        let shell = shell.args(["-e", "-c", &commands]);
        let output = folder.run(shell.current_dir(world.directory()));
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("2 passed, 0 failed"), "{output:?}");
        folder
    }

    /// Runs `make` for a target.
    pub(crate) fn make(&self, target: &str) {
        let output = self.run_make(target);
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// Runs `make` for a target, which must fail, and returns what it printed.
    pub(crate) fn make_fails(&self, target: &str) -> String {
        let output = self.run_make(target);
        assert_eq!(output.code, Some(2), "{output:?}");
        output.stdout + &output.stderr
    }

    /// Replaces a text of a file.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let file = self.path.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
    }

    fn run_make(&self, target: &str) -> Output {
        let mut make = Command::new("make");
        self.run(make.arg(target).current_dir(&self.path))
    }

    /// Runs a program with the compilers.
    fn run(&self, command: &mut Command) -> Output {
        let command = tools::with(self.wasmvark.world(), command);
        let command = command.env("WASMVARK_ROOT", self.wasmvark.root());
        process::run_within(LIMIT, command, b"")
    }
}
