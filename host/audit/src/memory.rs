//! A trail in memory.

use std::sync::{Arc, Mutex, PoisonError};

use policy::Reach;
use serde::{Deserialize, Serialize};

use super::{Event, Verdict};

/// The lines of a trail in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

/// A line about a call, a change of the document, or its undoing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The event.
    pub event: Event,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The objects that were touched.
    #[serde(default)]
    pub object: String,
    /// The verdict on the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The reach that the call needed or lacked, without own objects and the request.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub reach: Reach,
    /// The kernel's error number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<i32>,
    /// The cause of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Operation {
    /// Reads a line of a trail. Returns `None` unless it's about a call, a change of the
    /// document, or undoing.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let operation: Self = serde_json::from_slice(line).ok()?;
        let events = [Event::Call, Event::Change, Event::Undo];
        events.contains(&operation.event).then_some(operation)
    }
}

impl Memory {
    /// Adds a line.
    pub(super) fn append(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(line);
    }

    /// Removes and returns the lines about calls, changes of the document and undoing.
    pub fn take(&self) -> Vec<Operation> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::mem::take(&mut *lines);
        text.split(|byte| *byte == b'\n')
            .filter_map(Operation::parse)
            .collect()
    }
}
