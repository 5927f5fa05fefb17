//! `wasmvark completions`: scripts that have shells complete commands and
//! options.

use clap::ValueEnum;
use clap_complete::shells;

use super::{CliError, Command, Context, Example, example, output, program_for_clap};

/// The command `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Command for Completions {
    const NAME: &str = "completions";
    const ABOUT: &str = "Print a shell's completion script";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark completions bash >/etc/bash_completion.d/wasmvark",
            "Set up completion in Bash",
        ),
        example(
            "wasmvark completions fish >~/.config/fish/completions/wasmvark.fish",
            "Set up completion in fish",
        ),
    ];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let mut command = program_for_clap();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        match self.shell {
            Shell::Bash => clap_complete::generate(shells::Bash, &mut command, name, &mut script),
            Shell::Zsh => clap_complete::generate(shells::Zsh, &mut command, name, &mut script),
            Shell::Fish => clap_complete::generate(shells::Fish, &mut command, name, &mut script),
        }
        output::text(&String::from_utf8_lossy(&script))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}
