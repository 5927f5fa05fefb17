//! `wasmvark reload`.

use super::{CliError, output};
use crate::plugin;
use crate::store::Store;

/// Puts back what is missing of the firewall.
pub(super) fn run(store: &Store) -> Result<(), CliError> {
    let reloaded = plugin::reload(store)?;
    let mut text = String::new();
    for (key, missing) in &reloaded.restored {
        text.push_str(&format!(
            "Put back for container {} on network {}: {}.\n",
            key.container,
            key.network,
            missing.join("; ")
        ));
    }
    for key in &reloaded.passed_over {
        text.push_str(&format!(
            "Passed over container {} on network {}: it isn't in use.\n",
            key.container, key.network
        ));
    }
    text.push_str(&format!(
        "{} put back, {} whole, {} passed over.\n",
        reloaded.restored.len(),
        reloaded.whole,
        reloaded.passed_over.len()
    ));
    output::text(&text)?;
    match reloaded.failed.is_empty() {
        true => Ok(()),
        false => Err(CliError::NotPutBack(reloaded.failed)),
    }
}
