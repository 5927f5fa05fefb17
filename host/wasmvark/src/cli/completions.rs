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
    const ABOUT: &str = "Print a script that has a shell complete commands and options";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark completions bash >/etc/bash_completion.d/wasmvark",
            "Have Bash complete commands and options",
        ),
        example(
            "wasmvark completions fish >~/.config/fish/completions/wasmvark.fish",
            "The same for fish",
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
