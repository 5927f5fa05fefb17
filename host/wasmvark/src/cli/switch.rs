//! The common part of `upgrade` and `rollback`: a driver's switch to another version.

use engine::driver::Description;
use policy::Grant;

use super::changes::{Changes, List};
use super::option_changes::OptionChanges;
use super::planned_grant::reason;
use super::{CliError, output};
use crate::store::{DriverName, Settled, Store, Version};

/// Ends a switch during which another command was killed.
pub(super) fn settle(store: &Store, name: &DriverName) -> Result<Option<Settled>, CliError> {
    // Only an installed driver can have an interrupted switch.
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

/// Shows how a driver's authority changes, and its options.
pub(super) fn show(
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
    if let Some(before) = &before {
        text.push_str(&OptionChanges::between(before, description).text());
    }
    output::text(&format!("{text}\n"))
}

/// Returns the grant of a version, if it's valid.
fn granted(store: &Store, name: &DriverName, version: &Version) -> Option<Grant> {
    let path = store.layout().grant(name);
    let grant = Grant::parse(name.as_str(), &path, version.grant.as_deref()?).ok()?;
    grant.check_digest(&version.digest).ok()?;
    Some(grant)
}
