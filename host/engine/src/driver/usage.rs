//! What a run uses of its limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a run has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The time to map the code.
    pub mapping: Duration,
    /// The time to link and instantiate the component.
    pub start: Duration,
    /// The time of the driver's function with its calls.
    pub function: Duration,
    /// The size of all linear memories together, in bytes.
    pub memory: u64,
    /// The number of elements of all tables together.
    pub table_elements: u64,
    /// The size of all log messages and of what was printed, in bytes.
    pub log_bytes: u64,
    /// The number of calls, allowed or denied.
    pub calls: u32,
}
