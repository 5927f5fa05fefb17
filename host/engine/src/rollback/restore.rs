//! Putting back what others have removed from the firewall, as the journals say.

use std::time::{Duration, Instant};

use audit::{AuditError, Trail};
use kernel::{FirewallEntry, Kernel, KernelError};

use crate::guard::Guard;

/// How long it may take for one container.
const RESTORE_TIME: Duration = Duration::from_secs(10);

/// Why rules aren't put back.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RestoreError {
    /// What is there can't be read, or is somebody else's.
    #[error(transparent)]
    Read(KernelError),
    /// The kernel refuses.
    #[error("{what}: could not be put back: {error}")]
    Kernel {
        /// What was missing.
        what: String,
        /// Why.
        error: KernelError,
    },
    /// It can't be recorded.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// A way to the kernel for rules that a journal has, and for nothing else.
pub struct Restorer {
    guard: Guard,
}

impl Restorer {
    /// Stands before a kernel.
    pub fn new(kernel: Box<dyn Kernel + Send>) -> Self {
        Self {
            guard: Guard::new(kernel),
        }
    }

    /// Whether nothing of entries is missing. Where that can't be told, something
    /// may be.
    pub fn is_whole(&mut self, entries: &[FirewallEntry]) -> bool {
        let kernel = self.guard.for_host();
        kernel.set_deadline(Instant::now() + RESTORE_TIME);
        let missing = kernel.missing_firewall(entries);
        missing.is_ok_and(|missing| missing.is_empty())
    }

    /// Puts back what of entries is missing, and says in a trail which is opened
    /// only for that what it was. Returns it in words.
    pub fn restore(
        &mut self,
        entries: &[FirewallEntry],
        open_trail: impl FnOnce() -> Result<Trail, AuditError>,
    ) -> Result<Vec<String>, RestoreError> {
        let kernel = self.guard.for_host();
        kernel.set_deadline(Instant::now() + RESTORE_TIME);
        let missing = kernel.missing_firewall(entries);
        let missing = missing.map_err(RestoreError::Read)?;
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        if missing.is_empty() {
            return Ok(missing);
        }
        let mut trail = open_trail()?;
        let restored = kernel.restore_firewall(entries);
        let reason = restored.as_ref().err().map(ToString::to_string);
        for what in &missing {
            trail.restore(what, reason.as_deref())?;
        }
        trail.end(reason.as_deref())?;
        restored.map_err(|error| RestoreError::Kernel {
            what: missing.join("; "),
            error,
        })?;
        Ok(missing)
    }
}
