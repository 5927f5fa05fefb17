//! A trail that is in no file, and what was done by it.

use std::sync::{Arc, Mutex, PoisonError};

use policy::Reach;
use serde::{Deserialize, Serialize};

use super::{Event, Verdict};

/// The lines of a trail that is in memory. Copies of it are the same one.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

/// A line about something that was asked for, or undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// A call, or what undid one.
    pub event: Event,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What it's about.
    #[serde(default)]
    pub object: String,
    /// The answer to the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The reach beyond own objects and the request that the call needed, or
    /// lacked.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub reach: Reach,
    /// The kernel's error number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<i32>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Memory {
    /// Adds a line.
    pub(super) fn append(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(line);
    }

    /// What was asked for and undone since the last time that this was asked.
    pub fn take(&self) -> Vec<Operation> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::mem::take(&mut *lines);
        let lines = text.split(|byte| *byte == b'\n');
        let operations = lines.filter_map(|line| serde_json::from_slice(line).ok());
        operations
            .filter(|operation: &Operation| {
                matches!(operation.event, Event::Call | Event::Change | Event::Undo)
            })
            .collect()
    }
}
