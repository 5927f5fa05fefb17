//! `wasmvark upgrade`: replaces a driver's component.

use std::collections::BTreeMap;
use std::path::PathBuf;

use policy::{Call, Edit, Grant, Limits, Reach};

use super::planned_grant::{Candidate, importable, requested};
use super::{CliError, Command, Context, Example, confirm, example, output, switch};
use crate::store::{DriverName, Store, Version};

/// The command `upgrade`.
#[derive(Debug, clap::Args)]
pub(super) struct Upgrade {
    /// The driver's name
    name: DriverName,
    /// The new component's file
    file: PathBuf,
    #[command(flatten)]
    consent: confirm::Arguments,
}

impl Command for Upgrade {
    const NAME: &str = "upgrade";
    const ABOUT: &str = "Replace a driver's component";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Replace a driver's component.

The command lists how the driver's authority changes, additions first. --grant FILE, --grant-requested or \
--grant-imports accepts the change. Without any of them, the command asks on the terminal; without a terminal the old component stays, and the exit \
code is 3.

--grant-requested carries the old grant over with its comments, reaches and limits. It adds the calls that the new \
component's manifest asks for, or with --grant-imports those that it imports, and removes those that it can't make. \
The old component and its grant are kept for `wasmvark \
rollback`.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark upgrade lan ./lan-2.wasm",
            "See what a newer component may do in addition, and confirm it",
        ),
        example(
            "wasmvark upgrade lan ./lan-2.wasm --grant-requested",
            "Upgrade without being asked",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let name = &self.name;
        switch::settle(store, name)?;
        let from = store.current(name)?;
        let candidate = Candidate::read(&self.file)?;
        if candidate.digest == from.digest {
            return match self.consent.is_given() {
                true => Err(CliError::SameComponent(name.clone())),
                false => output::text(&format!("{name} is this component already.\n")),
            };
        }
        let grant = match &self.consent.grant {
            Some(path) => candidate.grant_from(name, path)?,
            None => {
                let asked = match self.consent.grant_imports {
                    true => importable(&candidate.description),
                    false => requested(&candidate.description).unwrap_or_default(),
                };
                carried_over(store, name, &from, &candidate, &asked)?
            }
        };
        let to = Version {
            digest: candidate.digest.clone(),
            grant: Some(grant),
        };
        let code = candidate.compile(store)?;
        switch::show(store, name, [&from, &to], &candidate.description)?;
        if !self.consent.is_given() {
            confirm::ask(&format!("Upgrade {name} so?"))?;
        }
        let _lock = store.lock()?;
        store.put(candidate.bytes(), code.as_deref())?;
        if let Err(error) = store.switch(name, &from, &to) {
            store.forget_unused(&to.digest)?;
            return Err(error.into());
        }
        let hint = format!("`wasmvark rollback {name}` goes back");
        output::text(&format!("Upgraded {name}; {hint}.\n"))
    }
}

/// Returns the old grant, adapted to the new component. Calls that the component asks
/// for are added, and calls that it can't make are removed.
fn carried_over(
    store: &Store,
    name: &DriverName,
    from: &Version,
    candidate: &Candidate,
    asked: &BTreeMap<Call, Reach>,
) -> Result<String, CliError> {
    let path = store.layout().grant(name);
    let Some(text) = &from.grant else {
        let limits = Limits::default();
        return Ok(Grant::text(
            name.as_str(),
            &candidate.digest,
            &limits,
            asked,
        ));
    };
    let old = Grant::parse(name.as_str(), &path, text)?;
    old.check_digest(&from.digest)?;
    let mut edit = Edit::new(&path, text)?;
    edit.set_digest(&candidate.digest);
    for call in old.calls().keys() {
        if !candidate.description.can_make(*call) {
            edit.remove_call(*call)?;
        }
    }
    for (call, reach) in asked {
        let had = old.calls().get(call);
        if had.is_none_or(|had| !had.covers(reach)) {
            let had = had.cloned().unwrap_or_default();
            edit.set_call(*call, &had.joined(reach))?;
        }
    }
    // The edited text must still be a valid grant.
    let text = edit.text();
    Grant::parse(name.as_str(), &path, &text)?.check_digest(&candidate.digest)?;
    Ok(text)
}
