//! The folders of a build.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders of a build.
pub(crate) struct Places {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Places {
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask isn't in a workspace")?
            .to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            // Cargo also resolves a relative path in the current folder.
            Some(folder) if !folder.is_empty() => std::path::absolute(folder)?,
            _ => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Returns the folder of the WIT package.
    pub(crate) fn wit(&self) -> PathBuf {
        self.root.join("wit")
    }

    /// Returns the folder of the finished drivers.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }
}
