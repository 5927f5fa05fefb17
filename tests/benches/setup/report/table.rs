//! The table on the terminal.

use crate::figures::Spread;
use crate::rows::{Line, Target};

/// Returns the head of the table.
pub(crate) fn head() -> String {
    columns(
        "what : against what",
        "ours",
        "theirs",
        "ratio (q1-q3)",
        "of CPU time",
        "target",
        "reached",
    )
}

/// Returns a line of the table.
pub(crate) fn line(line: &Line) -> String {
    if let Some(reason) = &line.skipped {
        return format!("{:<76} skipped: {reason}", line.what);
    }
    let figure = |spread: Option<Spread>| {
        spread.map_or_else(String::new, |spread| {
            format!("{} {}", short(spread.median), line.unit)
        })
    };
    let ratio = |spread: Option<Spread>| {
        spread.map_or_else(String::new, |ratio| {
            format!("{:.2} ({:.2}-{:.2})", ratio.median, ratio.q1, ratio.q3)
        })
    };
    columns(
        &line.what,
        &figure(line.ours),
        &figure(line.theirs),
        &ratio(line.ratio),
        &ratio(line.processor),
        &line
            .target
            .map_or_else(String::new, |at| target(at, line.unit)),
        match line.is_reached() {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        },
    )
}

/// Returns a target's text.
pub(crate) fn target(target: Target, unit: &str) -> String {
    match target {
        Target::Ratio(most) => format!("<= {most}"),
        Target::Ours(most) => format!("<= {most} {unit}"),
    }
}

/// Returns a number with three digits.
pub(crate) fn short(number: f64) -> String {
    match number {
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

fn columns(
    what: &str,
    ours: &str,
    theirs: &str,
    ratio: &str,
    processor: &str,
    target: &str,
    reached: &str,
) -> String {
    let line = format!(
        "{what:<76} {ours:>9} {theirs:>9}  {ratio:<17} {processor:<17} {target:<9} {reached}"
    );
    line.trim_end().to_owned()
}
