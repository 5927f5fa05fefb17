//! Restoring what reloads and restarts of firewalld remove.

use std::time::{Duration, Instant};

use services::firewalld::{Reload as Event, Reloads};

use super::reload::{Reloaded, reload};
use super::{PluginError, tell};
use crate::store::Store;

/// How long the system bus may take to answer.
const BUS_TIME: Duration = Duration::from_secs(30);

/// Restores everything now, and after each reload and start of firewalld, until the bus
/// goes. Calls `show` with what came of each.
pub(crate) fn watch_firewalld(
    store: &Store,
    mut show: impl FnMut(&Reloaded),
) -> Result<(), PluginError> {
    // The watch comes first, so that no reload is missed.
    let reloads = Reloads::connect(Instant::now() + BUS_TIME)?;
    let mut reloads = reloads.ok_or(PluginError::NoBus)?;
    loop {
        match reload(store) {
            Ok(reloaded) => show(&reloaded),
            Err(error) => tell(&error.to_string()),
        }
        // Nothing can be added to a firewalld that has stopped.
        while reloads.wait(None)? == Some(Event::Stopped) {}
    }
}
