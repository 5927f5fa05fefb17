//! Programs that a test writes and then runs.
//!
//! execve(2) refuses a file that any process has open for writing (ETXTBSY). While a test
//! writes one itself, another test's fork can get the open file, and keep it for longer.
//! So another process writes it, whose files nobody inherits.

use std::path::Path;
use std::process::Command;

use crate::process;

/// Writes a shell script. `text` doesn't have the first line.
///
/// # Panics
///
/// If it can't be written.
pub fn script(path: &Path, text: &str) {
    let text = format!("#!/bin/sh\n{text}\n");
    let mut install = Command::new("install");
    install.args(["-D", "-m755", "/dev/stdin"]).arg(path);
    succeed(&mut install, text.as_bytes());
}

/// Copies a program, with its mode, into a folder that is there.
///
/// # Panics
///
/// If it can't be copied.
pub fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").args([from, to]), b"");
}

fn succeed(command: &mut Command, input: &[u8]) {
    let output = process::run(command, input);
    assert_eq!(output.code, Some(0), "{command:?}: {output:?}");
}
