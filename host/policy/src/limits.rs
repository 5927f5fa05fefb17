//! The limits of one run of a driver.

use std::time::Duration;

use serde::Serialize;

/// The limits of one run of a driver. Each one that the grant leaves out has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// The size of all linear memories together, in bytes.
    pub memory: u64,
    /// The number of elements of all tables together.
    pub table_elements: u64,
    /// The number of core instances, of memories, and of tables.
    pub instances: u32,
    /// The size of all log messages together, in bytes.
    pub log_bytes: u64,
    /// The number of calls, allowed or denied.
    pub calls: u32,
    /// The duration of the whole run with its host calls, in milliseconds.
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

/// The longest deadline, in milliseconds. Podman holds up all other networking during a
/// run.
const DEADLINE_MAX_MS: u64 = 600_000;

/// A value that a limit can't have.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{name} must be from {min} to {max}, and is {value}")]
pub struct LimitError {
    name: String,
    min: u64,
    max: u64,
    value: u64,
}

impl Limits {
    /// The names of the limits in the grant file.
    pub(crate) const NAMES: [&'static str; 6] = [
        "memory",
        "table-elements",
        "instances",
        "log-bytes",
        "calls",
        "deadline-ms",
    ];

    /// Returns the names and values of the limits.
    pub fn entries(&self) -> [(&'static str, u64); 6] {
        let [
            memory,
            table_elements,
            instances,
            log_bytes,
            calls,
            deadline_ms,
        ] = Self::NAMES;
        [
            (memory, self.memory),
            (table_elements, self.table_elements),
            (instances, self.instances.into()),
            (log_bytes, self.log_bytes),
            (calls, self.calls.into()),
            (deadline_ms, self.deadline_ms),
        ]
    }

    /// Sets a limit by its name. A name that isn't in [`Limits::NAMES`] changes nothing.
    pub(super) fn set(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
        let outside = |min, max| LimitError {
            name: name.to_owned(),
            min,
            max,
            value,
        };
        let small = || u32::try_from(value).map_err(|_| outside(0, u32::MAX.into()));
        match name {
            "memory" => self.memory = value,
            "table-elements" => self.table_elements = value,
            "instances" => self.instances = small()?,
            "log-bytes" => self.log_bytes = value,
            "calls" => self.calls = small()?,
            "deadline-ms" if !(1..=DEADLINE_MAX_MS).contains(&value) => {
                return Err(outside(1, DEADLINE_MAX_MS));
            }
            "deadline-ms" => self.deadline_ms = value,
            _ => {}
        }
        Ok(())
    }

    /// Returns the deadline, from the start of a run.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}
