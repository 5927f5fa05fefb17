//! Runs of other programs.

use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs a program and shows its output. `remedy` is the advice in the error if the
/// program is missing or fails.
pub(crate) fn run(command: &mut Command, remedy: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{name} failed ({status}); {remedy}"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{name} isn't installed; {remedy}")
        }
        Err(error) => Err(error).with_context(|| format!("can't run {name}")),
    }
}
