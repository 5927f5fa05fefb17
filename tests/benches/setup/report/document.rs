//! The JSON document.

use std::fs;

use serde::Serialize;
use serde_json::{Value, json};
use wasmvark_tests::places;

use crate::options::Options;
use crate::rows::{Line, Target};

/// Where and how the measurements were made.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    kernel: String,
    processors: usize,
    /// The load averages before the first row: other programs' load.
    load_before: String,
    program_bytes: u64,
    commit: Option<String>,
    options: String,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn now(options: &Options) -> Self {
        let read = |file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.trim().to_owned()
        };
        let program = fs::metadata(places::wasmvark());
        Self {
            kernel: read("/proc/sys/kernel/osrelease"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            load_before: read("/proc/loadavg"),
            program_bytes: program.map_or(0, |program| program.len()),
            commit: std::env::var("WASMVARK_COMMIT").ok(),
            options: format!("{options:?}"),
        }
    }
}

/// Returns the document of all lines, each with its row's name.
pub(crate) fn of(machine: &Machine, lines: &[(&'static str, Line)]) -> String {
    let lines: Vec<Value> = lines.iter().map(|(row, line)| of_line(row, line)).collect();
    let document = json!({ "machine": machine, "lines": lines });
    format!("{document:#}\n")
}

fn of_line(row: &str, line: &Line) -> Value {
    if let Some(reason) = &line.skipped {
        return json!({ "row": row, "what": line.what, "skipped": reason });
    }
    let target = line.target.map(|target| match target {
        Target::Ratio(most) => json!({ "ratio": most }),
        Target::Ours(most) => json!({ "ours": most }),
    });
    json!({
        "row": row,
        "what": line.what,
        "unit": line.unit,
        "ours": line.ours,
        "theirs": line.theirs,
        "ratio": line.ratio,
        "processor_ratio": line.processor,
        "target": target,
        "reached": line.is_reached(),
    })
}
