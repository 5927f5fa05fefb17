//! The trait of all commands, and the entries in their list. A command is a type with
//! its arguments, its help and its `run`.

use clap::ArgMatches;

use super::CliError;
use super::context::Context;
use super::example::{self, Example};

/// A command for the administrator. The type's fields are the command's arguments.
pub(super) trait Command: clap::Args + 'static {
    /// The command's name on the command line.
    const NAME: &'static str;
    /// The command's help in one line, without a full stop.
    const ABOUT: &'static str;
    /// The command's text for `--help`, if one line isn't enough.
    const LONG_ABOUT: Option<&'static str> = None;
    /// The command's examples.
    const EXAMPLES: &'static [Example];
    /// The command's subcommands. One that is named runs in the command's place.
    const COMMANDS: &'static [Entry] = &[];

    /// Runs the command. One that needs no folders must not ask the context for them,
    /// so that it works without a home folder.
    fn run(&self, context: &Context) -> Result<(), CliError>;
}

/// A command with its arguments, ready to run.
pub(super) type Ready = Box<dyn FnOnce(&Context) -> Result<(), CliError>>;

/// A command in a list, whatever its type.
pub(super) struct Entry {
    /// The command's name.
    pub(super) name: &'static str,
    /// The command's examples.
    pub(super) examples: &'static [Example],
    /// The command's subcommands.
    pub(super) commands: &'static [Self],
    for_clap: fn() -> clap::Command,
    parse: fn(&ArgMatches) -> Result<Ready, clap::Error>,
}

impl Entry {
    /// Returns the entry of a command.
    pub(super) const fn of<T: Command>() -> Self {
        Self {
            name: T::NAME,
            examples: T::EXAMPLES,
            commands: T::COMMANDS,
            for_clap: for_clap::<T>,
            parse: parse::<T>,
        }
    }

    /// Returns the command as clap parses and shows it.
    pub(super) fn for_clap(&self) -> clap::Command {
        (self.for_clap)()
    }
}

/// Returns the command that the command line names, with its arguments. Returns `None`
/// if it names none.
///
/// # Errors
///
/// The arguments aren't those of the command.
pub(super) fn named(
    commands: &[Entry],
    matches: &ArgMatches,
) -> Result<Option<Ready>, clap::Error> {
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(None);
    };
    let entry = commands.iter().find(|entry| entry.name == name);
    entry.map(|entry| (entry.parse)(matches)).transpose()
}

/// Returns the commands of a list, each with its clap definition in `parent`.
pub(super) fn with_clap<'a>(
    commands: &'static [Entry],
    parent: &'a clap::Command,
) -> impl Iterator<Item = (&'static Entry, &'a clap::Command)> {
    commands
        .iter()
        .filter_map(|entry| Some((entry, parent.find_subcommand(entry.name)?)))
}

fn parse<T: Command>(matches: &ArgMatches) -> Result<Ready, clap::Error> {
    if let Some(ready) = named(T::COMMANDS, matches)? {
        return Ok(ready);
    }
    let command = T::from_arg_matches(matches)?;
    Ok(Box::new(move |context| command.run(context)))
}

fn for_clap<T: Command>() -> clap::Command {
    // Flattened arguments set an about text of their own, so the command's comes after
    // them.
    T::augment_args(clap::Command::new(T::NAME))
        .about(T::ABOUT)
        .long_about(T::LONG_ABOUT)
        .after_help(example::help(T::EXAMPLES))
        .subcommands(T::COMMANDS.iter().map(Entry::for_clap))
}
