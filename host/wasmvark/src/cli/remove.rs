//! `wasmvark remove`.

use super::{CliError, output, program, upgrade};
use crate::store::{DriverName, Store};

/// Removes a driver.
pub(super) fn run(store: &Store, name: &DriverName) -> Result<(), CliError> {
    upgrade::settle(store, name)?;
    let _lock = store.lock()?;
    let registration = store.remove(name, &program()?)?;
    let mut text = format!("Removed {name} and {}.\n", registration.link.display());
    let grant = store.layout().grant(name);
    if grant.exists() {
        text.push_str(&format!("Its grant stays in {}.\n", grant.display()));
    }
    output::text(&text)
}
