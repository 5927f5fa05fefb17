//! The operator's consent to a driver's authority: a file, a flag, or an answer on a
//! terminal.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use super::{CliError, output};

/// The flags that grant something.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Use this file as the driver's grant
    #[arg(long, value_name = "FILE", conflicts_with_all = ["grant_requested", "grant_imports"])]
    pub(super) grant: Option<PathBuf>,
    /// Grant what the driver's manifest asks for
    #[arg(long, conflicts_with = "grant_imports")]
    pub(super) grant_requested: bool,
    /// Grant every call that the component imports, for what a request names. An interpreter
    /// imports all that there are
    #[arg(long)]
    pub(super) grant_imports: bool,
}

impl Arguments {
    /// Whether one of the flags is given.
    pub(super) fn is_given(&self) -> bool {
        self.grant.is_some() || self.grant_requested || self.grant_imports
    }
}

/// Asks on the terminal. Without a terminal nobody can answer, so that is a refusal.
pub(super) fn ask(question: &str) -> Result<(), CliError> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err(CliError::NotGranted);
    }
    output::text(&format!("{question} [y/N] "))?;
    std::io::stdout().flush().map_err(CliError::Print)?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(CliError::NotAgreed),
    }
}
