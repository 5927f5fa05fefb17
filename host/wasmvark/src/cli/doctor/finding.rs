//! What a check found.

use std::fmt;

use serde::Serialize;
use types::text::plain;

use crate::cli::colour::Tone;
use crate::cli::output::Cell;

/// What one check found.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The name of the check.
    check: &'static str,
    #[serde(flatten)]
    verdict: Verdict,
    /// What is so, in a sentence without its end.
    what: String,
}

/// Whether it is well; where it isn't, what to do about it.
#[derive(Debug, Serialize)]
#[serde(tag = "state", content = "remedy", rename_all = "lowercase")]
enum Verdict {
    /// It is.
    Ok,
    /// Something doesn't work that not everybody needs, or deserves a look.
    Warning(String),
    /// A driver can't work as it should, or somebody could misuse it.
    Problem(String),
    /// It can't be known from here.
    Unknown(String),
}

/// How many findings there are of each kind.
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

    /// The cells of its line: state, check and what is so.
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

    /// What to do about it, where there is anything to do.
    pub(super) fn remedy(&self) -> Option<String> {
        match &self.verdict {
            Verdict::Ok => None,
            Verdict::Warning(remedy) | Verdict::Problem(remedy) | Verdict::Unknown(remedy) => {
                Some(line(remedy))
            }
        }
    }
}

/// A text in one line, with nothing that could steer a terminal: names of
/// files and the errors of parsers are in it.
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
