//! `wasmvark diff`: the differences in authority between two drivers.

use std::path::Path;

use engine::driver::Description;
use policy::Grant;
use serde::Serialize;

use super::changes::{Changes, List};
use super::option_changes::OptionChanges;
use super::planned_grant::{Candidate, importable, reason, requested};
use super::{CliError, Command, Context, Example, Format, example, output};
use crate::store::{DriverName, Store};

/// The command `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Diff {
    /// The name of an installed driver, or a component's file
    #[arg(value_name = "OLD")]
    old: String,
    /// The driver or file to compare with it
    #[arg(value_name = "NEW")]
    new: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Diff {
    const NAME: &str = "diff";
    const ABOUT: &str = "Compare what two drivers may do";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Compare what two drivers may do, additions first: the calls that each can make, the calls that it asks for and, if \
both are installed, their grants. The differences in options follow: they give no authority, but a network can't be \
set up with an option that is gone.

The exit code is 1 if the new one may do more: a new call, a wider reach, a higher limit. It is 0 if it may not, and \
2 after an error.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark diff lan ./lan-2.wasm",
            "Check whether a file may do more than the installed driver",
        ),
        example(
            "wasmvark diff ./lan.wasm ./lan-2.wasm --format json",
            "Compare two files, as JSON",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let changes = compare(store, self).map_err(CliError::undecided)?;
        match changes.grow() {
            true => Err(CliError::Grows),
            false => Ok(()),
        }
    }
}

/// One of the two drivers.
struct Side {
    digest: String,
    description: Description,
    /// The grant of an installed driver, if it has one. The outer option is `None` if
    /// the driver isn't installed.
    installed: Option<Option<Grant>>,
}

#[derive(Serialize)]
struct Report<'a> {
    old: &'a str,
    new: &'a str,
    grows: bool,
    changes: &'a Changes,
    options: &'a OptionChanges,
}

fn compare(store: &Store, arguments: &Diff) -> Result<Changes, CliError> {
    let old = Side::find(store, &arguments.old)?;
    let new = Side::find(store, &arguments.new)?;
    let changes = changes(&old, &new);
    let options = OptionChanges::between(&old.description, &new.description);
    match arguments.format {
        Format::Json => output::json(&Report {
            old: &old.digest,
            new: &new.digest,
            grows: changes.grow(),
            changes: &changes,
            options: &options,
        })?,
        Format::Text => {
            let head = format!(
                "{}\n{}\n\n",
                old.line(&arguments.old),
                new.line(&arguments.new)
            );
            let text = match changes.is_empty() {
                true => "They may do the same.\n".to_owned(),
                false => changes.text(),
            };
            output::text(&format!("{head}{text}{}", options.text()))?;
        }
    }
    Ok(changes)
}

fn changes(old: &Side, new: &Side) -> Changes {
    let sides = [&old.description, &new.description];
    let why = |call| reason(&new.description, call).or_else(|| reason(&old.description, call));
    let mut changes = Changes::default();
    let [was, now] = sides.map(importable);
    changes.calls(List::Can, [&was, &now], why);
    let [was, now] = sides.map(|side| requested(side).unwrap_or_default());
    changes.calls(List::Asks, [&was, &now], why);
    if let (Some(was), Some(now)) = (&old.installed, &new.installed) {
        let [was, now] = [was, now].map(|grant| grant.clone().unwrap_or_else(Grant::nothing));
        changes.calls(List::Granted, [was.calls(), now.calls()], why);
        changes.terms(&was, &now);
    }
    changes
}

impl Side {
    fn find(store: &Store, driver: &str) -> Result<Self, CliError> {
        let name = driver.parse::<DriverName>().ok();
        let installed = store.names()?;
        if let Some(name) = name.filter(|name| installed.contains(name)) {
            return Self::installed(store, &name);
        }
        let path = Path::new(driver);
        if !path.exists() {
            return Err(CliError::NoDriver(driver.to_owned()));
        }
        let candidate = Candidate::read(path)?;
        Ok(Self {
            digest: candidate.digest.to_string(),
            description: candidate.description,
            installed: None,
        })
    }

    fn installed(store: &Store, name: &DriverName) -> Result<Self, CliError> {
        let version = store.current(name)?;
        let path = store.layout().grant(name);
        let grant = match &version.grant {
            None => None,
            Some(text) => {
                let grant = Grant::parse(name.as_str(), &path, text)?;
                grant.check_digest(&version.digest)?;
                Some(grant)
            }
        };
        Ok(Self {
            digest: version.digest.to_string(),
            description: Description::read(&store.component(name, &version.digest)?)?,
            installed: Some(grant),
        })
    }

    fn line(&self, driver: &str) -> String {
        format!("{driver}: {}", self.digest)
    }
}
