//! Printing: aligned columns for people, JSON for programs.

use std::io::Write;

use serde::Serialize;

use super::{CliError, colour};
use crate::grant::Risk;
use crate::text::plain;

/// Prints text as it is.
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

/// Lays rows out in columns; the last one isn't padded. Cells may hold what a
/// driver says of itself, which must not steer the terminal.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| plain(cell)))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(colour::width(cell));
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            let padding = width.saturating_sub(colour::width(cell)) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How much there is to lose, and by what.
pub(super) fn risk(risk: Risk, effect: &str) -> String {
    match risk {
        // The words say it.
        Risk::Reads => effect.to_owned(),
        _ => format!("{risk}: {effect}"),
    }
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        _ if bytes < 10 << 20 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}
