//! Renames of own links that a killed run began.

use kernel::{Kernel, KernelError, LinkId};
use types::LinkName;

use super::Rollback;
use super::UndoError;
use super::search::found;

impl Rollback {
    /// Looks up the name of each link whose rename was cut off, and writes it to the
    /// journal.
    pub(crate) fn settle_names(&mut self) -> Result<(), UndoError> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        let renaming = journal.renaming().filter_map(|entry| {
            let (link, old) = entry.own_link()?;
            Some((entry.number, link, old.clone(), entry.renaming.clone()?))
        });
        for (number, link, old, new) in renaming.collect::<Vec<_>>() {
            let failed = |reason: String| UndoError {
                what: format!("the renaming of {}:{old} to {new}", link.namespace),
                reason,
            };
            let kernel = self.guard.for_host();
            let is_new = has_name(kernel, link, &new).map_err(|error| failed(error.to_string()))?;
            let name = if is_new { &new } else { &old };
            let named = journal.named(number, name);
            named.map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    }
}

/// Whether a link has a name. If the link isn't found, it's looked for once more,
/// because the answer decides which link the journal means from then on.
fn has_name(kernel: &mut dyn Kernel, link: LinkId, name: &LinkName) -> Result<bool, KernelError> {
    let state = match found(kernel.link_by_id(link))? {
        None => found(kernel.link_by_id(link))?,
        state => state,
    };
    Ok(state.is_some_and(|state| state.name == *name))
}
