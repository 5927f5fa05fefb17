//! The findings of the checks.

use std::fmt;

use serde::Serialize;
use types::text::plain;

use crate::cli::colour::Tone;
use crate::cli::output::Cell;

/// The finding of one check.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The name of the check.
    check: &'static str,
    #[serde(flatten)]
    verdict: Verdict,
    /// The checked fact, as a sentence without a full stop.
    what: String,
}

/// The result of a check. All but `Ok` have a remedy.
#[derive(Debug, Serialize)]
#[serde(tag = "state", content = "remedy", rename_all = "lowercase")]
enum Verdict {
    /// The check found no fault.
    Ok,
    /// Something that not everybody needs doesn't work, or something deserves a look.
    Warning(String),
    /// A driver can't work as it should, or somebody could misuse it.
    Problem(String),
    /// This process can't determine the result.
    Unknown(String),
}

/// The numbers of findings by their results.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Counts {
    pub(super) ok: usize,
    pub(super) warning: usize,
    pub(super) problem: usize,
    pub(super) unknown: usize,
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, what, Verdict::Ok)
    }

    pub(super) fn warning(
        check: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, what, Verdict::Warning(remedy.into()))
    }

    pub(super) fn problem(
        check: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, what, Verdict::Problem(remedy.into()))
    }

    pub(super) fn unknown(
        check: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, what, Verdict::Unknown(remedy.into()))
    }

    fn new(check: &'static str, what: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            check,
            verdict,
            what: what.into(),
        }
    }

    /// Returns the cells of the finding's line: the state, the check and the fact.
    pub(super) fn cells(&self) -> [Cell; 3] {
        let (tone, word) = match self.verdict {
            Verdict::Ok => (Tone::Good, "ok"),
            Verdict::Warning(_) => (Tone::Warning, "warning"),
            Verdict::Problem(_) => (Tone::Bad, "problem"),
            Verdict::Unknown(_) => (Tone::Unknown, "unknown"),
        };
        let (check, what) = (self.check.to_owned(), line(&self.what));
        [Cell::painted(tone, word), check.into(), what.into()]
    }

    /// Returns the remedy, if there is one.
    pub(super) fn remedy(&self) -> Option<String> {
        match &self.verdict {
            Verdict::Ok => None,
            Verdict::Warning(remedy) | Verdict::Problem(remedy) | Verdict::Unknown(remedy) => {
                Some(line(remedy))
            }
        }
    }
}

/// Returns a text in one line that is safe for a terminal. It may contain names of
/// files and errors of parsers.
fn line(what: &str) -> String {
    let lines: Vec<_> = what.split_whitespace().collect();
    plain(&lines.join(" "))
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(
            f,
            "{} ok, {} warning{}, {} problem{}, {} unknown",
            self.ok,
            self.warning,
            plural(self.warning),
            self.problem,
            plural(self.problem),
            self.unknown
        )
    }
}

impl Counts {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            let count = match finding.verdict {
                Verdict::Ok => &mut counts.ok,
                Verdict::Warning(_) => &mut counts.warning,
                Verdict::Problem(_) => &mut counts.problem,
                Verdict::Unknown(_) => &mut counts.unknown,
            };
            *count += 1;
        }
        counts
    }
}
