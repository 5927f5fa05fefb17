//! Where a command works: the folders that `--root`, the environment or the user
//! chooses.

use std::path::PathBuf;

use super::CliError;
use crate::store::{Layout, LayoutError, Store};

/// Where a command works.
pub(super) struct Context {
    root: Option<PathBuf>,
}

impl Context {
    /// The context of a program that was called with this `--root`.
    pub(super) fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    /// The folders.
    ///
    /// # Errors
    /// The user has no home folder, or the root is a relative path.
    pub(super) fn layout(&self) -> Result<Layout, LayoutError> {
        Layout::choose(self.root.as_deref())
    }

    /// The store in these folders.
    ///
    /// # Errors
    /// Those of [`Self::layout`].
    pub(super) fn store(&self) -> Result<Store, CliError> {
        Ok(Store::new(self.layout()?))
    }
}
