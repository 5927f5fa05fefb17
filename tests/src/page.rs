//! The pages of the documentation, whose commands are run.

use std::fs;

use crate::places;

/// Returns the text of a page, by its path in the project.
pub fn read(path: &str) -> String {
    let file = places::workspace().join(path);
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns a section of a page, without its heading.
pub fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let heading = format!("\n## {title}\n");
    let (_, rest) = page
        .split_once(&heading)
        .unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or_default()
}

/// Returns the blocks of a page that are in a language.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

/// Checks that all lines of a text are among others, in the same order.
#[track_caller]
pub fn has_in_order(all: &str, some: &str) {
    let mut lines = all.lines();
    for line in some.lines() {
        assert!(lines.any(|own| own == line), "{line:?} isn't there:\n{all}");
    }
}
