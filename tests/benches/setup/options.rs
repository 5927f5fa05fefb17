//! The command line: `[--rounds NUMBER] [ROW]...`.

use std::ffi::OsString;

/// What is measured, and how often.
#[derive(Debug, Default)]
pub(crate) struct Options {
    rows: Vec<String>,
    rounds: Option<usize>,
}

impl Options {
    /// Reads the arguments. Each ROW is a part of a row's name.
    pub(crate) fn of(arguments: &[OsString]) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments
            .iter()
            .map(|argument| argument.to_str().expect("arguments are text"));
        while let Some(argument) = arguments.next() {
            match argument {
                // Cargo adds it.
                "--bench" => {}
                "--rounds" => {
                    let number = arguments.next().and_then(|number| number.parse().ok());
                    let number = number.filter(|number| *number > 0);
                    options.rounds = Some(number.expect("--rounds has a number"));
                }
                row => options.rows.push(row.to_owned()),
            }
        }
        options
    }

    /// Whether a row is wanted.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|part| row.contains(part))
    }

    /// Returns the number of rounds of a row that has `usual` ones.
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual)
    }
}
