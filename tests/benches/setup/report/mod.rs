//! The results: on the terminal, and as files in `target/bench`.

mod document;
mod plot;
mod table;

use std::fs;

use wasmvark_tests::places;

use crate::options::Options;
use crate::rows::Line;

/// The lines so far, each with its row's name.
#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<(&'static str, Line)>,
    machine: document::Machine,
}

impl Report {
    /// Begins a report: prints the head of the table.
    pub(crate) fn new(options: &Options) -> Self {
        println!("{}", table::head());
        Self {
            lines: Vec::new(),
            machine: document::Machine::now(options),
        }
    }

    /// Adds a line, and prints it.
    pub(crate) fn add(&mut self, row: &'static str, line: Line) {
        println!("{}", table::line(&line));
        self.lines.push((row, line));
    }

    /// Writes the files, and says where they are.
    pub(crate) fn write(self) {
        let folder = places::workspace().join("target/bench");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let document = document::of(&self.machine, &self.lines);
        let plot = plot::of(self.lines.iter().map(|(_, line)| line));
        for (name, text) in [("bench.json", document), ("bench.svg", plot)] {
            let file = folder.join(name);
            fs::write(&file, text).expect("it can be written");
            println!("{}", file.display());
        }
    }
}
