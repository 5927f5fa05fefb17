//! Running a case.

use std::time::{Duration, Instant};

use engine::driver::Usage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::text::plain_error;

use super::case::{Case, CaseError};
use super::driver::Ready;
use super::request;
use crate::cli::plan::text;
use crate::plugin::{Machine, Planned, PluginError, apart};

/// The time for a case. A driver of an interpreted language takes some of it to be compiled,
/// once.
const TIME: Duration = Duration::from_secs(300);

/// What a driver did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::cli) struct Found {
    /// The calls.
    pub(super) calls: Vec<String>,
    /// The document for the caller.
    pub(super) answer: Option<Value>,
    /// The error in its place.
    pub(in crate::cli) error: Option<String>,
    /// The namespaces afterwards.
    pub(super) topology: String,
    /// What the teardown did.
    pub(super) teardown: Vec<String>,
    /// What the teardown left, and what failed in it.
    pub(super) left: String,
    /// Whether an operation failed because it was to.
    pub(super) has_failed: bool,
    /// What the run used of its limits.
    pub(in crate::cli) usage: Usage,
}

/// Runs a case in a process of its own. The operation with the given number, from 1, fails.
///
/// # Errors
///
/// The case can't be run, or the run has no result.
pub(in crate::cli) fn run(
    case: &Case,
    driver: &Ready,
    fails_at: Option<u32>,
) -> Result<Found, CaseError> {
    let document = request::document(case, &driver.name)?;
    let machine = Machine::Imagined(Box::new(case.machine.imagined()?), fails_at);
    let found = apart(Instant::now() + TIME, || {
        match driver.candidate.plan(&document, machine) {
            Ok(planned) => Found::of(planned),
            Err(error) => Found::refused(&error),
        }
    });
    Ok(found?)
}

impl Found {
    fn of(planned: Planned) -> Self {
        let mut found = Self {
            calls: text::lines(&planned.operations),
            topology: text::topology(&planned.topology),
            teardown: text::lines(&planned.undo),
            has_failed: planned.has_failed,
            usage: planned.usage,
            left: planned.left.as_ref().map(text::changes).unwrap_or_default(),
            ..Self::default()
        };
        let failures = planned.failures.iter();
        let failures = failures.map(|error| format!("failed: {}\n", plain_error(error)));
        found.left.extend(failures);
        match planned.outcome {
            // Netavark's document is JSON, whatever the driver is.
            Ok(answer) => found.answer = serde_json::from_str(&answer).ok(),
            Err(error) => found.error = Some(error.to_string()),
        }
        found
    }

    /// A request that was refused before the driver ran.
    fn refused(error: &PluginError) -> Self {
        Self {
            error: Some(error.to_string()),
            ..Self::default()
        }
    }
}
