//! The context of a command: the folders that `--root`, the environment or the user
//! determines.

use std::path::PathBuf;

use super::CliError;
use crate::store::{Layout, LayoutError, Store};

/// The context of a command.
pub(super) struct Context {
    root: Option<PathBuf>,
}

impl Context {
    /// Returns the context of a program that was called with this `--root`.
    pub(super) fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    /// Returns the folders.
    ///
    /// # Errors
    ///
    /// The user has no home folder, or the root is a relative path.
    pub(super) fn layout(&self) -> Result<Layout, LayoutError> {
        Layout::choose(self.root.as_deref())
    }

    /// Returns the store in these folders.
    ///
    /// # Errors
    ///
    /// Those of [`Self::layout`].
    pub(super) fn store(&self) -> Result<Store, CliError> {
        Ok(Store::new(self.layout()?))
    }
}
