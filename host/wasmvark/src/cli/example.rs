//! An example of a command, in its help, its manual and on its page.

use std::fmt::Write;

use clap::builder::Styles;

/// A command line to paste, with its purpose.
pub(super) struct Example {
    /// The purpose.
    pub(super) what: &'static str,
    /// The command line.
    pub(super) line: &'static str,
}

/// Returns an example, made of a command line and its purpose.
pub(super) const fn example(line: &'static str, what: &'static str) -> Example {
    Example { what, line }
}

/// Returns the examples as the help shows them.
pub(super) fn help(examples: &[Example]) -> String {
    let styles = Styles::styled();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut text = String::new();
    for example in examples {
        let start = match text.is_empty() {
            true => format!("{header}Examples:{header:#}\n"),
            false => "\n".to_owned(),
        };
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "{start}  {}:\n    {literal}{}{literal:#}",
            example.what, example.line
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{COMMANDS, EXAMPLES, Entry, parse, program_for_clap};

    /// Checks that each example is a valid command line of the given command.
    fn check(command: &[&str], examples: &[Example]) {
        assert!(!examples.is_empty(), "{command:?} has no examples");
        for example in examples {
            assert!(example.line.len() < 80, "{}", example.line);
            let start = example.line.find("wasmvark").expect("it runs this program");
            let words = example.line[start..].split_whitespace();
            let words: Vec<_> = words
                .take_while(|word| !word.starts_with(['|', '>']))
                .collect();
            let matches = program_for_clap().try_get_matches_from(&words);
            let parsed = matches.and_then(|matches| parse(&matches));
            let error = parsed.err().map(|error| error.to_string());
            assert_eq!(error, None, "{}", example.line);
            assert!(words.starts_with(command), "{}", example.line);
        }
    }

    fn check_all(commands: &[Entry], before: &[&str]) {
        for entry in commands {
            let words = [before, &[entry.name]].concat();
            check(&words, entry.examples);
            check_all(entry.commands, &words);
        }
    }

    #[test]
    fn each_command_has_examples_that_are_right() {
        check(&["wasmvark"], EXAMPLES);
        check_all(COMMANDS, &["wasmvark"]);
    }
}
