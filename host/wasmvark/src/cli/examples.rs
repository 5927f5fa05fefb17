//! Examples of each command, in its help and on its page. A test parses them.

use std::fmt::Write;

use clap::Command;
use clap::builder::Styles;

/// A line to paste, and what it does.
pub(super) struct Example {
    /// What it does.
    pub(super) what: &'static str,
    /// The line.
    pub(super) line: &'static str,
}

const fn example(line: &'static str, what: &'static str) -> Example {
    Example { what, line }
}

/// The examples of each command by its name; the first are those of the
/// program itself.
const ALL: &[(&str, &[Example])] = &[
    (
        "wasmvark",
        &[
            example("wasmvark list", "See which drivers there are"),
            example(
                "wasmvark inspect wasm-macvlan",
                "See all that a driver may do",
            ),
            example("wasmvark doctor", "See what keeps drivers from working"),
            example(
                "wasmvark --version --verbose",
                "See what to write into a bug report",
            ),
        ],
    ),
    (
        "adopt",
        &[
            example(
                "wasmvark adopt lan",
                "Let a network have what was changed in Podman's file of it",
            ),
            example(
                "wasmvark adopt --all",
                "Keep all networks that were made before wasmvark kept them",
            ),
        ],
    ),
    (
        "install",
        &[
            example(
                "wasmvark install ./lan.wasm --name lan --grant ./lan.toml",
                "Install a driver with a grant that you wrote",
            ),
            example(
                "wasmvark install ./lan.wasm --name lan --grant-requested",
                "Install it and grant what it asks for",
            ),
            example(
                "wasmvark install ./lan.wasm --plugin-dir /usr/libexec/netavark",
                "Make its link in another plugin directory",
            ),
        ],
    ),
    (
        "upgrade",
        &[
            example(
                "wasmvark upgrade lan ./lan-2.wasm",
                "See what a newer component may do more, and say yes or no",
            ),
            example(
                "wasmvark upgrade lan ./lan-2.wasm --grant-requested",
                "Upgrade where nobody can be asked",
            ),
        ],
    ),
    (
        "rollback",
        &[example(
            "wasmvark rollback lan",
            "Go back to what it was before, with its grant",
        )],
    ),
    (
        "grant",
        &[
            example(
                "wasmvark grant lan links.set-mtu",
                "Let a driver set the MTU of its own links",
            ),
            example(
                "wasmvark grant lan links.get --link eth1 --link eth2",
                "Let it read two links of the host",
            ),
        ],
    ),
    (
        "revoke",
        &[
            example("wasmvark revoke lan links.set-mtu", "Take a call away"),
            example(
                "wasmvark revoke lan links.get --link eth2",
                "Take one link away, and leave the call",
            ),
        ],
    ),
    (
        "diff",
        &[
            example(
                "wasmvark diff lan ./lan-2.wasm",
                "See whether a file may do more than what is installed",
            ),
            example(
                "wasmvark diff ./lan.wasm ./lan-2.wasm --format json",
                "Compare two files for a program",
            ),
        ],
    ),
    (
        "list",
        &[
            example("wasmvark list", "See which drivers there are"),
            example("wasmvark list --format json", "The same for a program"),
        ],
    ),
    (
        "inspect",
        &[
            example(
                "wasmvark inspect wasm-macvlan",
                "See all that an installed driver may do",
            ),
            example(
                "wasmvark inspect ./lan.wasm",
                "See what a file asks for, before it's installed",
            ),
        ],
    ),
    (
        "audit",
        &[
            example(
                "wasmvark audit",
                "See what all drivers may do, and what of it they use",
            ),
            example(
                "wasmvark audit --format html >./audit.html",
                "The same as a page for a browser",
            ),
            example(
                "wasmvark audit --fail-on danger",
                "Exit with 1 only where something is dangerous",
            ),
        ],
    ),
    (
        "plan",
        &[
            example(
                "wasmvark plan wasm-macvlan ./setup.json",
                "See what a driver would do for a request",
            ),
            example(
                "wasmvark plan wasm-macvlan ./setup.json --format svg >./plan.svg",
                "Draw what would be there then",
            ),
        ],
    ),
    (
        "log",
        &[
            example("wasmvark log --since 1h", "See what was decided lately"),
            example("wasmvark log --denied -f", "Watch for what is denied"),
        ],
    ),
    (
        "suggest",
        &[example(
            "wasmvark suggest wasm-macvlan >./least.toml",
            "Write the least grant that its runs needed",
        )],
    ),
    (
        "convert",
        &[
            example(
                "wasmvark convert /etc/cni/net.d",
                "Print what does the same as CNI's networks",
            ),
            example(
                "wasmvark convert --apply /etc/cni/net.d/10-lan.conflist",
                "Make one of them, and write what its driver's grant lacks",
            ),
        ],
    ),
    (
        "doctor",
        &[
            example(
                "wasmvark doctor",
                "See what keeps drivers from working, and what to do",
            ),
            example("wasmvark doctor --format json", "The same for a program"),
        ],
    ),
    (
        "journal",
        &[example(
            "wasmvark journal",
            "See what would be undone for which container",
        )],
    ),
    (
        "forget",
        &[example(
            "wasmvark journal forget 3f2a9c",
            "Give up a link that a container had and that can't be found",
        )],
    ),
    (
        "gc",
        &[example(
            "wasmvark gc",
            "Clear what containers left that were never torn down",
        )],
    ),
    (
        "reload",
        &[
            example(
                "wasmvark reload",
                "Put back what `nft flush ruleset` removed",
            ),
            example(
                "podman unshare --rootless-netns wasmvark reload",
                "The same for rootless Podman",
            ),
        ],
    ),
    (
        "remove",
        &[example(
            "wasmvark remove lan",
            "Remove a driver; its grant stays",
        )],
    ),
    (
        "man",
        &[
            example("wasmvark man | man -l -", "Read the page of the program"),
            example(
                "wasmvark man ./pages",
                "Write the pages of all commands into a folder",
            ),
        ],
    ),
    (
        "completions",
        &[
            example(
                "wasmvark completions bash >/etc/bash_completion.d/wasmvark",
                "Have Bash complete commands and options",
            ),
            example(
                "wasmvark completions fish >~/.config/fish/completions/wasmvark.fish",
                "The same for fish",
            ),
        ],
    ),
];

/// The examples of a command.
pub(super) fn of(command: &str) -> &'static [Example] {
    let mut all = ALL.iter();
    let found = all.find(|(name, _)| *name == command);
    found.map_or(&[], |(_, examples)| examples)
}

/// Adds the examples to the help of a command and of those below it.
pub(super) fn add(command: Command) -> Command {
    let text = help(of(command.get_name()));
    let command = match text.is_empty() {
        true => command,
        false => command.after_help(text),
    };
    command.mut_subcommands(add)
}

fn help(examples: &[Example]) -> String {
    let styles = Styles::styled();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut text = String::new();
    for example in examples {
        let start = match text.is_empty() {
            true => format!("{header}Examples:{header:#}\n"),
            false => "\n".to_owned(),
        };
        // Writing to a text can't fail.
        let _ = write!(
            text,
            "{start}  {}:\n    {literal}{}{literal:#}",
            example.what, example.line
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Arguments, command};

    /// Each command with its own name, but for those that clap makes.
    fn all(command: &Command) -> Vec<Command> {
        let below = command
            .get_subcommands()
            .filter(|below| below.get_name() != "help");
        let mut commands: Vec<_> = below.flat_map(all).collect();
        commands.push(command.clone());
        commands
    }

    #[test]
    fn each_command_has_examples_that_are_right() {
        let commands = all(&command());
        for command in &commands {
            let name = command.get_name();
            let examples = of(name);
            assert!(
                !examples.is_empty() || command.has_subcommands(),
                "{name} has no examples"
            );
            for example in examples {
                assert!(example.line.len() < 80, "{}", example.line);
                let start = example.line.find("wasmvark").expect("it runs this program");
                let words = example.line[start..].split_whitespace();
                let words: Vec<_> = words
                    .take_while(|word| !word.starts_with(['|', '>']))
                    .collect();
                let parsed = Arguments::try_parse_from(&words);
                assert!(parsed.is_ok(), "{}: {parsed:?}", example.line);
                let is_its = name == "wasmvark" || words[1] == name || words.get(2) == Some(&name);
                assert!(is_its, "{}", example.line);
            }
        }
        for (name, _) in ALL {
            assert!(
                commands.iter().any(|command| command.get_name() == *name),
                "{name}"
            );
        }
    }
}
