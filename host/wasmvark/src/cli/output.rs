//! Printing: aligned columns for people, JSON for programs.

use std::fmt;
use std::io::Write;
use std::path::Path;

use policy::Risk;
use serde::Serialize;
use types::text::plain;
use unicode_width::UnicodeWidthStr;

use super::CliError;
use super::colour::{Tone, paint};

/// Prints a text unchanged.
pub(super) fn text(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(CliError::Print)
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let mut json = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::Print(std::io::Error::other(error)))?;
    json.push('\n');
    text(&json)
}

/// Writes a file whole or not at all.
pub(super) fn file(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let beside = path.with_added_extension("new");
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| CliError::Write {
            path: path.to_owned(),
            error,
        })
}

/// A cell of a table.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// Returns a cell with a word that is coloured if standard output takes colours.
    pub(super) fn painted(tone: Tone, word: &str) -> Self {
        Self {
            text: plain(word),
            tone: Some(tone),
        }
    }

    /// Returns the width in columns.
    pub(super) fn width(&self) -> usize {
        self.text.width()
    }
}

impl From<String> for Cell {
    /// Makes the text safe for a terminal, because it may be a driver's.
    fn from(text: String) -> Self {
        Self {
            text: plain(&text),
            tone: None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tone {
            Some(tone) => f.write_str(&paint(tone, &self.text)),
            None => f.write_str(&self.text),
        }
    }
}

/// Lays rows out in columns. The last column isn't padded.
pub(super) fn table<const N: usize, C: Into<Cell> + Clone>(rows: &[[C; N]]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.clone().map(C::into))
        .collect::<Vec<[Cell; N]>>();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(&cell.to_string());
            let padding = width.saturating_sub(cell.width()) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns a call's risk with the effect that causes it.
pub(super) fn risk(risk: Risk, effect: &str) -> String {
    match risk {
        // The effect of such a call already says that it reads.
        Risk::Reads => effect.to_owned(),
        _ => format!("{risk}: {effect}"),
    }
}

/// Returns a size for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        _ if bytes < 10 << 20 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

/// Escapes a text for XML 1.0. Characters that XML doesn't allow are replaced.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            character if character.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        let escaped = xml("a<b>&\"\u{ffff}\u{1}\n");
        assert_eq!(escaped, "a&lt;b&gt;&amp;&quot;\u{fffd}\u{fffd}\n");
    }
}
