//! The lines of the audit trail.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One line of the trail.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// The time. Plans don't have it.
    pub time: Option<String>,
    /// `run`, `call`, `change`, `undo`, `restore`, `forget`, `unrecorded` or `end`.
    pub event: String,
    /// `create`, `setup` or `teardown`.
    pub command: Option<String>,
    /// The driver.
    pub driver: Option<String>,
    /// The digest of the component.
    pub digest: Option<String>,
    /// The network.
    pub network: Option<String>,
    /// The container's ID.
    pub container: Option<String>,
    /// The call, such as `links.get`.
    pub call: Option<String>,
    /// The objects of the call.
    pub object: Option<String>,
    /// `allow` or `deny`.
    pub verdict: Option<String>,
    /// The kernel's error number.
    pub errno: Option<i64>,
}

/// Returns the files of the trail with this newest one, the oldest first.
pub fn files(newest: &Path) -> Vec<PathBuf> {
    let old = (1..).map(|number| newest.with_added_extension(number.to_string()));
    let mut files: Vec<PathBuf> = old.take_while(|file| file.exists()).collect();
    files.reverse();
    files.push(newest.to_owned());
    files
}

/// Returns the calls, changes and undone changes in a form that is the same in every
/// run.
pub fn operations(lines: &[Line]) -> Vec<String> {
    let lines = lines
        .iter()
        .filter(|line| matches!(&*line.event, "call" | "change" | "undo"));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    lines
        .map(|line| {
            let (call, object, verdict) =
                (text(&line.call), text(&line.object), text(&line.verdict));
            let errno = line.errno.unwrap_or_default();
            format!("{} {verdict} {call} {object} {errno}", line.event)
        })
        .collect()
}

/// Reads a trail. A missing one has no lines.
pub fn read(file: &Path) -> Vec<Line> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let parse = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("audit line {line}: {error}"))
    };
    text.lines().map(parse).collect()
}
