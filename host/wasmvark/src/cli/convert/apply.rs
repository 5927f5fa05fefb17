//! Running the commands, and adding the missing lines to the grants.

use std::process::{Command, Stdio};

use policy::{Grant, GrantError, Widening};

use super::conversion::Conversion;
use super::print;
use crate::cli::CliError;
use crate::store::Store;

/// Makes one network. The grant is checked before that and written after it, so that no
/// call is allowed for a network that doesn't exist.
pub(super) fn apply(store: &Store, conversion: &Conversion) -> Result<(), CliError> {
    let grant = widened(store, conversion)?;
    create(conversion)?;
    match grant {
        Some(text) => Ok(store.change_grant(&conversion.driver, &text)?),
        None => Ok(()),
    }
}

fn create(conversion: &Conversion) -> Result<(), CliError> {
    let words = conversion.plan.command();
    let mut words = words.iter();
    let Some(program) = words.next() else {
        return Ok(());
    };
    let status = Command::new(program)
        .args(words)
        // Podman prints only the network's name or id.
        .stdout(Stdio::null())
        .status()
        .map_err(CliError::Podman)?;
    match status.success() {
        true => Ok(()),
        false => Err(CliError::PodmanFailed {
            command: print::command(&conversion.plan),
            status,
        }),
    }
}

/// Returns the text of the driver's grant with the missing lines, if any are missing.
fn widened(store: &Store, conversion: &Conversion) -> Result<Option<String>, CliError> {
    let Conversion { driver, grant, .. } = conversion;
    // The grant is read again, because an earlier network may have widened it.
    let Some(text) = store.grant_text(driver)? else {
        return match conversion.widening.is_empty() {
            true => Ok(None),
            false => Err(CliError::Grant(GrantError::Missing {
                driver: driver.to_string(),
                path: grant.clone(),
            })),
        };
    };
    let now = Grant::parse(driver.as_str(), grant, &text)?;
    let lacking = Widening::needed(Some(&now), &conversion.plan.grants);
    if lacking.is_empty() {
        return Ok(None);
    }
    let text = lacking.write_into(grant, &text)?;
    // The edited text must still be a valid grant.
    Grant::parse(driver.as_str(), grant, &text)?;
    Ok(Some(text))
}
