//! `wasmvark upgrade`: another component in a driver's place, and `wasmvark
//! rollback`, the way back.

use std::path::PathBuf;

use engine::driver::Description;
use policy::{Edit, Grant, Limits};

use super::changes::{Changes, List};
use super::planned_grant::{Candidate, reason, requested};
use super::{CliError, confirm, output};
use crate::store::{DriverName, Settled, Store, Version};

/// The arguments of `upgrade`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The driver's name
    name: DriverName,
    /// The new component
    file: PathBuf,
    #[command(flatten)]
    consent: confirm::Arguments,
}

/// What `--help` says.
pub(super) const ABOUT: &str = "\
Put another component in a driver's place.

What it may do other than the one before is shown, more first. --grant FILE or --grant-requested agree to that; \
without them the question is put on a terminal, and elsewhere the old one stays and the exit code is 3.

With --grant-requested the new grant is the old one with its comments, reaches and limits, the calls that the new \
component asks for besides, and without those that it can't make. The old component and its grant are kept for \
`wasmvark rollback`.";

/// Upgrades a driver.
pub(super) fn run(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    let name = &arguments.name;
    settle(store, name)?;
    let from = store.current(name)?;
    let candidate = Candidate::read(&arguments.file)?;
    if candidate.digest == from.digest {
        return match arguments.consent.is_given() {
            true => Err(CliError::SameComponent(name.clone())),
            false => output::text(&format!("{name} is this component already.\n")),
        };
    }
    let grant = match &arguments.consent.grant {
        Some(path) => candidate.grant_from(name, path)?,
        None => carried_over(store, name, &from, &candidate)?,
    };
    let to = Version {
        digest: candidate.digest.clone(),
        grant: Some(grant),
    };
    let code = candidate.compile(store)?;
    show(store, name, [&from, &to], &candidate.description)?;
    if !arguments.consent.is_given() {
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

/// Goes back to the component before, with its grant.
pub(super) fn back(store: &Store, name: &DriverName) -> Result<(), CliError> {
    if settle(store, name)? == Some(Settled::Back) {
        // That was the way back.
        return Ok(());
    }
    let from = store.current(name)?;
    let to = store.previous(name)?;
    let to = to.ok_or_else(|| CliError::NothingBefore(name.clone()))?;
    let description = Description::read(&store.component(name, &to.digest)?)?;
    show(store, name, [&from, &to], &description)?;
    let _lock = store.lock()?;
    store.switch(name, &from, &to)?;
    let hint = format!("`wasmvark rollback {name}` again goes forward");
    output::text(&format!("Rolled {name} back; {hint}.\n"))
}

/// Ends what another command was killed in.
pub(super) fn settle(store: &Store, name: &DriverName) -> Result<Option<Settled>, CliError> {
    // It's there, or there is nothing to do.
    store.find(name)?;
    let _lock = store.lock()?;
    let settled = store.settle(name)?;
    let how = match settled {
        None => return Ok(None),
        Some(Settled::Back) => "it is what it was before",
        Some(Settled::Forward) => "it is done now",
    };
    eprintln!("wasmvark: a change of {name} had been interrupted: {how}");
    Ok(settled)
}

/// The old grant with what the new component asks for besides, and without what
/// it can't do.
fn carried_over(
    store: &Store,
    name: &DriverName,
    from: &Version,
    candidate: &Candidate,
) -> Result<String, CliError> {
    let asked = requested(&candidate.description);
    let path = store.layout().grant(name);
    let Some(text) = &from.grant else {
        let limits = Limits::default();
        return Ok(Grant::text(
            name.as_str(),
            &candidate.digest,
            &limits,
            &asked,
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
    for (call, reach) in &asked {
        let had = old.calls().get(call);
        if had.is_none_or(|had| !had.covers(reach)) {
            let had = had.cloned().unwrap_or_default();
            edit.set_call(*call, &had.joined(reach))?;
        }
    }
    // It must be a grant still.
    let text = edit.text();
    Grant::parse(name.as_str(), &path, &text)?.check_digest(&candidate.digest)?;
    Ok(text)
}

/// Shows how what a driver may do changes.
fn show(
    store: &Store,
    name: &DriverName,
    [from, to]: [&Version; 2],
    description: &Description,
) -> Result<(), CliError> {
    let before = store.component(name, &from.digest).ok();
    let before = before.and_then(|bytes| Description::read(&bytes).ok());
    let (old, new) = (granted(store, name, from), granted(store, name, to));
    let nothing = Grant::nothing();
    let calls = [&old, &new].map(|grant| grant.as_ref().unwrap_or(&nothing).calls());
    let mut changes = Changes::default();
    changes.calls(List::Granted, calls, |call| {
        reason(description, call).or_else(|| reason(before.as_ref()?, call))
    });
    if let (Some(old), Some(new)) = (&old, &new) {
        changes.terms(old, new);
    }
    let mut text = format!("{name}: {} to {}\n\n", from.digest, to.digest);
    match changes.is_empty() {
        true => text.push_str("It may do the same as before.\n"),
        false => text.push_str(&changes.text()),
    }
    output::text(&format!("{text}\n"))
}

/// What a driver is granted, if its grant holds.
fn granted(store: &Store, name: &DriverName, version: &Version) -> Option<Grant> {
    let path = store.layout().grant(name);
    let grant = Grant::parse(name.as_str(), &path, version.grant.as_deref()?).ok()?;
    grant.check_digest(&version.digest).ok()?;
    Some(grant)
}
