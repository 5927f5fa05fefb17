//! The restoring of firewall rules that somebody else removed, as the journals have
//! them.

use std::time::{Duration, Instant};

use audit::{AuditError, Trail};
use ipnet::IpNet;
use journal::Change;
use kernel::{FirewallEntry, Kernel, KernelError};
use services::Services;
use services::firewalld::FirewalldError;

use crate::guard::Guard;

/// The time that restoring may take for one container.
const RESTORE_TIME: Duration = Duration::from_secs(10);

/// The time that firewalld may take. It answers nothing while it loads its own rules,
/// for three seconds after a start as a rule.
const FIREWALLD_TIME: Duration = Duration::from_secs(30);

/// The reason why rules can't be restored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RestoreError {
    /// The rules can't be read, or somebody else made them.
    #[error(transparent)]
    Read(KernelError),
    /// The kernel refuses the rules.
    #[error("{what}: could not be put back: {error}")]
    Kernel {
        /// The missing rules, in words.
        what: String,
        /// The kernel's error.
        error: KernelError,
    },
    /// firewalld doesn't answer, or refuses.
    #[error("{0}")]
    Firewalld(String),
    /// The restoring can't be recorded in the audit trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// The means to restore firewall rules of a journal. It can change nothing else in the
/// kernel.
pub struct Restorer {
    guard: Guard,
}

impl Restorer {
    /// Makes a restorer that uses a kernel.
    pub fn new(kernel: Box<dyn Kernel + Send>, services: Box<dyn Services + Send>) -> Self {
        Self {
            guard: Guard::new(kernel, services),
        }
    }

    /// Adds a source of firewalld's zone `trusted` again, if it's missing, and records
    /// that in an audit trail. Returns whether it was missing.
    pub fn trust(
        &mut self,
        source: IpNet,
        open_trail: impl FnOnce() -> Result<Trail, AuditError>,
    ) -> Result<bool, RestoreError> {
        self.guard.set_deadline(Instant::now() + FIREWALLD_TIME);
        let services = self.guard.services_for_host();
        let failed = |error: FirewalldError| RestoreError::Firewalld(error.to_string());
        if services.is_trusted(source).map_err(failed)? != Some(false) {
            return Ok(false);
        }
        let mut trail = open_trail()?;
        let trusted = services.trust(source);
        let reason = trusted.as_ref().err().map(ToString::to_string);
        let what = Change::TrustSource { source }.to_string();
        trail.restore(&what, reason.as_deref())?;
        trail.end(reason.as_deref())?;
        trusted.map(|()| true).map_err(failed)
    }

    /// Whether all entries are in the firewall. If the firewall can't be read, the
    /// answer is no.
    pub fn is_whole(&mut self, entries: &[FirewallEntry]) -> bool {
        let kernel = self.guard.for_host();
        kernel.set_deadline(Instant::now() + RESTORE_TIME);
        let missing = kernel.missing_firewall(entries);
        missing.is_ok_and(|missing| missing.is_empty())
    }

    /// Restores the missing ones of some entries and records them in an audit trail.
    /// The trail is opened only if something is missing. Returns the restored rules in
    /// words.
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
