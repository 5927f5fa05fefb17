//! Running the commands, and writing into the grants what they lack.

use std::process::{Command, Stdio};

use policy::{Grant, GrantError, Widening};

use super::conversion::Conversion;
use super::print;
use crate::cli::CliError;
use crate::store::Store;

/// Makes one network. Its grant is looked at before and written after, so that
/// nothing is allowed for a network that isn't there.
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
        // The network's name, or its id.
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

/// The text of the driver's grant with what it lacks, if it lacks anything.
fn widened(store: &Store, conversion: &Conversion) -> Result<Option<String>, CliError> {
    let Conversion { driver, grant, .. } = conversion;
    // What came before may have widened it.
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
    // It must be a grant still.
    Grant::parse(driver.as_str(), grant, &text)?;
    Ok(Some(text))
}
