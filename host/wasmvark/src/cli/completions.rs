//! `wasmvark completions`: scripts that have shells complete commands and
//! options.

use clap::ValueEnum;
use clap_complete::shells;

use super::{CliError, command, output};

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script for a shell.
pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let mut command = command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match arguments.shell {
        Shell::Bash => clap_complete::generate(shells::Bash, &mut command, name, &mut script),
        Shell::Zsh => clap_complete::generate(shells::Zsh, &mut command, name, &mut script),
        Shell::Fish => clap_complete::generate(shells::Fish, &mut command, name, &mut script),
    }
    output::text(&String::from_utf8_lossy(&script))
}
