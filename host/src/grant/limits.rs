//! What a driver may use up in one run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds on one run of a driver. A grant that names none gets these
/// defaults, and so does each single one that it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Core instances, memories and tables: as many of each.
    pub instances: u32,
    /// Bytes of log messages.
    pub log_bytes: u64,
    /// Calls, allowed or denied.
    pub calls: u32,
    /// Milliseconds of the whole run, host calls included.
    pub deadline_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            table_elements: 100_000,
            instances: 64,
            log_bytes: 64 << 10,
            calls: 10_000,
            deadline_ms: 10_000,
        }
    }
}

/// The longest deadline in milliseconds: Podman waits for a run with all of
/// its networking.
const DEADLINE_MAX_MS: u64 = 600_000;

impl Limits {
    /// Says what is wrong with them, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        if (1..=DEADLINE_MAX_MS).contains(&self.deadline_ms) {
            return Ok(());
        }
        Err(format!(
            "deadline-ms must be from 1 to {DEADLINE_MAX_MS}, and is {}",
            self.deadline_ms
        ))
    }

    /// The deadline from the start of a run.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}
