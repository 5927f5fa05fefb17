//! What is known of a driver's crash, for the author: where it was, what it wrote, and what
//! it asked for last.

use types::text::{plain, shortened};
use wasmtime::{Trap, WasmBacktrace};

/// The most functions that are named.
const FUNCTIONS_MAX: usize = 10;
/// The longest name of a function, in bytes.
const NAME_MAX: usize = 120;
/// The most lines of the driver's output.
const LINES_MAX: usize = 20;
/// The longest part of the output, in bytes.
const OUTPUT_MAX: usize = 1500;
/// The longest text of the last call, in bytes. One call may have thousands of objects.
const ASKED_MAX: usize = 500;

/// Describes a crash in one line. `output` is what the driver wrote before it, and `asked`
/// its last call.
pub(super) fn describe(error: &wasmtime::Error, output: &str, asked: Option<&str>) -> String {
    let mut text = cause(error);
    let functions = error.downcast_ref().map(functions).unwrap_or_default();
    if !functions.is_empty() {
        text.push_str(&format!("; it was in {}", functions.join(", called by ")));
    }
    let last = last_lines(output);
    if !last.is_empty() {
        text.push_str(&format!("; it wrote last: {}", last.join(" | ")));
    }
    if let Some(asked) = asked {
        let asked = plain(&shortened(asked, ASKED_MAX));
        text.push_str(&format!("; its last call was {asked}"));
    }
    text
}

fn cause(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        // wasmtime has no public type for this error. Its root is the reason.
        None => error.root_cause().to_string(),
    }
}

/// Returns the driver's functions, the innermost first. The component's name section has
/// their names.
fn functions(backtrace: &WasmBacktrace) -> Vec<String> {
    let frames = backtrace.frames().iter().take(FUNCTIONS_MAX);
    frames
        .map(|frame| match frame.func_name() {
            // Without the hash that makes it unique.
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("function {}", frame.func_index()),
        })
        .map(|name| plain(&shortened(&name, NAME_MAX)))
        .collect()
}

/// Returns the last lines of an output, in order.
fn last_lines(output: &str) -> Vec<String> {
    let mut room = OUTPUT_MAX;
    let lines = output.lines().rev().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty());
    let mut last: Vec<String> = lines
        .take(LINES_MAX)
        .map_while(|line| {
            let line = plain(&shortened(line, room));
            room = room.checked_sub(line.len())?;
            Some(line)
        })
        .collect();
    last.reverse();
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_output_is_told() {
        let error = wasmtime::Error::msg("out of luck");
        let output = "one\n\ntwo \u{1b}[31m\n";
        let text = describe(&error, output, Some("links.get host p0, which failed"));
        assert_eq!(
            text,
            "out of luck; it wrote last: one | two \u{fffd}[31m; its last call was links.get host \
             p0, which failed"
        );
        let long = format!("{}\nlast", "x".repeat(2 * OUTPUT_MAX));
        assert_eq!(last_lines(&long).last().map(String::as_str), Some("last"));
        assert!(last_lines(&long).concat().len() < OUTPUT_MAX + 16);
        let many = "line\n".repeat(100);
        assert_eq!(last_lines(&many).len(), LINES_MAX);
    }

    #[test]
    fn a_call_with_many_objects_is_cut() {
        let error = wasmtime::Error::msg("out of luck");
        let asked = format!("firewall.publish \u{1b}{}", "8080/tcp ".repeat(10_000));
        let text = describe(&error, "", Some(&asked));
        assert!(
            text.len() < ASKED_MAX + 100 && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}
