//! The position of an error in a text.

use std::fmt;
use std::ops::Range;

use types::text::plain;

/// The number of characters of a line that are shown.
const WIDTH: usize = 120;
/// The number of shown characters before the place, in a longer line.
const BEFORE: usize = 40;

/// A place in a text: a line, a column, and the text there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    /// The line's text, or the part of it around the place.
    text: String,
    /// The number of characters of `text` before the place.
    before: usize,
    /// The number of characters of the place, at least 1.
    length: usize,
}

impl Place {
    /// Returns the place of some bytes. If they are on several lines, the place is on the
    /// first one.
    pub(super) fn of(text: &str, span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let head = text.get(..start).unwrap_or_default();
        let line_start = head.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let whole: Vec<char> = rest.lines().next().unwrap_or_default().chars().collect();
        let in_front = head.get(line_start..).unwrap_or_default().chars().count();
        let meant = text.get(start..floor(text, span.end)).unwrap_or_default();
        let meant = meant.lines().next().unwrap_or_default().chars().count();
        let cut = match whole.len() > WIDTH {
            true => in_front.saturating_sub(BEFORE),
            false => 0,
        };
        let shown: String = whole.iter().skip(cut).take(WIDTH).collect();
        let before = in_front - cut;
        Self {
            line: head.matches('\n').count() + 1,
            column: in_front + 1,
            text: plain(&shown).replace('\t', " "),
            before,
            length: meant.clamp(1, WIDTH.saturating_sub(before).max(1)),
        }
    }
}

/// Returns the start of the character that a byte is in.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// An error in a text, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    what: String,
}

impl Problem {
    pub(super) fn new(text: &str, span: Range<usize>, what: &impl fmt::Display) -> Self {
        Self {
            place: Place::of(text, span),
            what: what.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    /// Writes `LINE:COLUMN: WHAT`, then the line, then a mark below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, .. } = self.place;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.place.before);
        let mark = "^".repeat(self.place.length);
        writeln!(f, "{line}:{column}: {}", self.what)?;
        writeln!(f, " {number} | {}", self.place.text)?;
        write!(f, " {margin} | {indent}{mark}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(text: &str, part: &str, expected: &str) {
        let start = text.find(part).unwrap();
        let problem = Problem::new(text, start..start + part.len(), &"wrong");
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn the_line_and_the_column_are_those_of_an_editor() {
        shows(
            "a = 1\nbc = é, 22\n",
            "22",
            "2:9: wrong\n 2 | bc = é, 22\n   |         ^^",
        );
        shows("a\n", "a", "1:1: wrong\n 1 | a\n   | ^");
        shows(
            "x = [\n 1,\n]\n",
            "[\n 1,\n]",
            "1:5: wrong\n 1 | x = [\n   |     ^",
        );
        shows(
            "\tb\u{1b}[2J\n",
            "b",
            "1:2: wrong\n 1 |  b\u{fffd}[2J\n   |  ^",
        );
    }

    #[test]
    fn the_end_of_a_text_and_what_is_beyond_are_places() {
        for at in [3, 4, 99] {
            let problem = Problem::new("a =\n", at..at, &"wrong").to_string();
            assert!(problem.contains("wrong\n"), "{problem}");
        }
        assert!(
            Problem::new("", 0..0, &"x")
                .to_string()
                .starts_with("1:1: x")
        );
        // In the middle of a character.
        assert!(
            Problem::new("é", 1..1, &"x")
                .to_string()
                .starts_with("1:1: x")
        );
    }

    #[test]
    fn of_a_long_line_only_what_is_around_it_is_shown() {
        let long = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let start = 500;
        let shown = Problem::new(&long, start..start + 1, &"wrong").to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "1:501: wrong");
        assert_eq!(lines[1].len(), " 1 | ".len() + WIDTH);
        assert_eq!(lines[1].find('X'), lines[2].find('^'));
    }
}
