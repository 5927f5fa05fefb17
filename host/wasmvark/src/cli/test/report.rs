//! The results of cases, for people and for programs.

use std::path::PathBuf;

use serde::Serialize;
use types::text;

use super::case::CaseError;
use super::compare::Difference;

/// A case with its result.
pub(super) struct Judged {
    pub(super) file: PathBuf,
    pub(super) result: Result<Vec<Difference>, CaseError>,
}

impl Judged {
    pub(super) fn new(file: PathBuf, result: Result<Vec<Difference>, CaseError>) -> Self {
        Self { file, result }
    }

    /// Whether all is as expected.
    pub(super) fn has_passed(&self) -> bool {
        matches!(&self.result, Ok(differences) if differences.is_empty())
    }

    /// Describes what isn't as expected. Returns nothing if all is.
    pub(super) fn failure(&self) -> String {
        match &self.result {
            Err(error) => {
                let error = error.to_string();
                let lines = error.lines().filter(|line| !line.trim().is_empty());
                lines
                    .map(|line| format!("{}\n", text::plain(line)))
                    .collect()
            }
            Ok(differences) => differences.iter().map(described).collect(),
        }
    }
}

fn described(difference: &Difference) -> String {
    let mut described = format!("{}: expected (-), found (+)\n", difference.what);
    for line in difference.lines() {
        described.push_str(&format!("  {}\n", text::plain(&line)));
    }
    described
}

/// Returns the report for people.
pub(super) fn text(judged: &[Judged]) -> String {
    let mut report = String::new();
    for case in judged {
        let file = case.file.display().to_string();
        let word = if case.has_passed() {
            "ok    "
        } else {
            "FAILED"
        };
        report.push_str(&format!("{word}  {}\n", text::plain(&file)));
        for line in case.failure().lines() {
            report.push_str(&format!("        {line}\n"));
        }
    }
    let passed = judged.iter().filter(|case| case.has_passed()).count();
    let failed = judged.len().saturating_sub(passed);
    report.push_str(&format!("\n{passed} passed, {failed} failed\n"));
    report
}

/// A report for programs.
#[derive(Serialize)]
struct Report<'a> {
    passed: usize,
    failed: usize,
    cases: Vec<CaseReport<'a>>,
}

#[derive(Serialize)]
struct CaseReport<'a> {
    file: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    differences: &'a [Difference],
}

/// Returns the report for programs.
///
/// # Errors
///
/// It can't be made, which is a bug.
pub(super) fn json(judged: &[Judged]) -> std::io::Result<String> {
    let cases: Vec<CaseReport> = judged.iter().map(case_report).collect();
    let passed = cases.iter().filter(|case| case.passed).count();
    let report = Report {
        passed,
        failed: cases.len().saturating_sub(passed),
        cases,
    };
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    Ok(text)
}

fn case_report(judged: &Judged) -> CaseReport<'_> {
    CaseReport {
        file: judged.file.display().to_string(),
        passed: judged.has_passed(),
        error: judged.result.as_ref().err().map(ToString::to_string),
        differences: judged.result.as_deref().unwrap_or_default(),
    }
}
