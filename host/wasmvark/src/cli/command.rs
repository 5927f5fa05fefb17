//! What a command is: a type that has its arguments, its help and its `run`. The
//! list of commands has an entry for each.

use clap::ArgMatches;

use super::CliError;
use super::context::Context;
use super::example::{self, Example};

/// A command of the administrator's; the type itself is its arguments.
pub(super) trait Command: clap::Args + 'static {
    /// The word that it's called by.
    const NAME: &'static str;
    /// Its help in one line, without a full stop.
    const ABOUT: &'static str;
    /// Its help for `--help`, where one line isn't enough.
    const LONG_ABOUT: Option<&'static str> = None;
    /// Its examples.
    const EXAMPLES: &'static [Example];
    /// Commands of its own: one that is named runs in its place.
    const COMMANDS: &'static [Entry] = &[];

    /// Runs it. A command that works without a home folder doesn't ask the
    /// context for one.
    fn run(&self, context: &Context) -> Result<(), CliError>;
}

/// A command with its arguments, ready to run.
pub(super) type Ready = Box<dyn FnOnce(&Context) -> Result<(), CliError>>;

/// A command in a list, whatever its type.
pub(super) struct Entry {
    /// Its name.
    pub(super) name: &'static str,
    /// Its examples.
    pub(super) examples: &'static [Example],
    /// Commands of its own.
    pub(super) commands: &'static [Self],
    for_clap: fn() -> clap::Command,
    parse: fn(&ArgMatches) -> Result<Ready, clap::Error>,
}

impl Entry {
    /// The entry of a command.
    pub(super) const fn of<T: Command>() -> Self {
        Self {
            name: T::NAME,
            examples: T::EXAMPLES,
            commands: T::COMMANDS,
            for_clap: for_clap::<T>,
            parse: parse::<T>,
        }
    }

    /// The command as clap parses and shows it.
    pub(super) fn for_clap(&self) -> clap::Command {
        (self.for_clap)()
    }
}

/// The command of a list that was named, with its arguments; `None` where none was.
///
/// # Errors
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

/// Each command of a list, with what clap knows of it in `parent`.
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
    // Arguments that several commands have bring a text of their own.
    T::augment_args(clap::Command::new(T::NAME))
        .about(T::ABOUT)
        .long_about(T::LONG_ABOUT)
        .after_help(example::help(T::EXAMPLES))
        .subcommands(T::COMMANDS.iter().map(Entry::for_clap))
}
