//! Cases on a kernel whose operations fail. Whatever fails, nothing may be left.

use std::str::FromStr;

use super::case::{Case, CaseError};
use super::compare::{Difference, left_after};
use super::driver::Drivers;
use super::run;

/// The word for all operations.
const ALL: &str = "all";

/// The operations that fail.
#[derive(Debug, Clone, Copy)]
pub(super) enum FailAt {
    /// Each in a run of its own.
    Each,
    /// The one with this number, from 1.
    One(u32),
}

impl FromStr for FailAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number @ 1..) => Ok(Self::One(number)),
            _ if text == ALL => Ok(Self::Each),
            _ => Err(format!("give a number from 1, or {ALL}")),
        }
    }
}

/// Runs a case with operations that fail, and returns what is left.
///
/// # Errors
///
/// The case can't be run, or has no such operation.
pub(super) fn judge(
    case: &Case,
    drivers: &mut Drivers,
    fail_at: FailAt,
) -> Result<Vec<Difference>, CaseError> {
    let first = match fail_at {
        FailAt::Each => 1,
        FailAt::One(number) => number,
    };
    let mut differences = Vec::new();
    for number in first.. {
        let found = run::run(case, &drivers.of(case)?, Some(number))?;
        if !found.has_failed {
            // There are no more.
            break;
        }
        differences.extend(left_after(number, &case.expect, &found));
        if let FailAt::One(_) = fail_at {
            return Ok(differences);
        }
    }
    match fail_at {
        FailAt::Each => Ok(differences),
        FailAt::One(number) => Err(CaseError::NoOperation(number)),
    }
}
