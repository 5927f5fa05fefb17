//! Where things lie.

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
            // Cargo reads a relative one from where it was called, too.
            Some(folder) if !folder.is_empty() => std::path::absolute(folder)?,
            _ => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The WIT package.
    pub(crate) fn wit(&self) -> PathBuf {
        self.root.join("wit")
    }

    /// Where the finished drivers go.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }
}
