//! The findings of an audit.

use std::path::Path;

use audit::Summary;
use policy::{Grant, Risk};
use types::text;

use super::report::{CallReport, DriverReport, Finding, GrantReport, GrantState, Kind, Level};
use crate::store::DriverName;

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub(super) fn add(&mut self, level: Level, kind: Kind, driver: Option<&str>, text: String) {
        self.0.push(Finding {
            level,
            kind,
            driver: driver.map(str::to_owned),
            call: None,
            text,
        });
    }

    fn add_call(
        &mut self,
        level: Level,
        kind: Kind,
        driver: &DriverReport,
        call: &CallReport,
        text: String,
    ) {
        self.0.push(Finding {
            level,
            kind,
            driver: Some(driver.name.clone()),
            call: Some(call.call.name()),
            text,
        });
    }

    /// Returns the findings, the worst first. Those of one level keep the order of
    /// drivers and calls.
    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.0
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
        self.0
    }
}

/// Adds the finding that other users can write to a file which the host trusts.
pub(super) fn exposed(driver: Option<&DriverName>, error: &str, found: &mut Findings) {
    let driver = driver.map(DriverName::as_str);
    found.add(Level::Danger, Kind::Exposed, driver, error.to_owned());
}

/// Adds the finding that a component is missing or isn't the installed one.
pub(super) fn component(name: &DriverName, error: &str, found: &mut Findings) {
    let driver = Some(name.as_str());
    found.add(Level::Danger, Kind::Component, driver, error.to_owned());
}

/// Adds the findings about a driver's grant as a whole.
pub(super) fn of_grant(
    name: &DriverName,
    report: &GrantReport,
    grant: Option<&Grant>,
    found: &mut Findings,
) {
    let driver = Some(name.as_str());
    let error = report.error.clone().unwrap_or_default();
    match report.state {
        GrantState::Valid => {}
        GrantState::None => {
            let text = format!("{} isn't there, so it may do nothing", report.path);
            found.add(Level::Info, Kind::NoGrant, driver, text);
        }
        GrantState::OtherDigest => {
            found.add(Level::Warning, Kind::OtherDigest, driver, error);
        }
        GrantState::Unusable => {
            found.add(Level::Warning, Kind::GrantUnusable, driver, error);
        }
    }
    if grant.is_some_and(|grant| !grant.requires_trail()) {
        let text = format!(
            "{} lets it run where the trail can't be written",
            report.path
        );
        found.add(Level::Warning, Kind::TrailOptional, driver, text);
    }
}

/// Adds the findings about each of a driver's calls. `imports` says whether the
/// component's imports are known. They aren't if the component is missing or corrupt.
pub(super) fn of_calls(
    driver: &DriverReport,
    imports: bool,
    unused_after: u64,
    found: &mut Findings,
) {
    for call in &driver.calls {
        let name = call.call;
        if call.granted && imports && !call.importable {
            let text = format!("{name} is granted, and the component can't ask for it");
            found.add_call(Level::Warning, Kind::NotImportable, driver, call, text);
        }
        if !call.stars.is_empty() {
            // Reading does no harm by itself.
            let level = match name.risk() {
                Risk::Reads => Level::Info,
                _ => Level::Warning,
            };
            let text = format!(
                "{name} reaches {}, whatever that comes to be",
                call.stars.join(", ")
            );
            found.add_call(level, Kind::Wildcard, driver, call, text);
        }
        if call.granted && call.importable && call.used == 0 && driver.runs >= unused_after {
            let runs = text::counted(driver.runs, "run");
            let text = format!("{name} is granted, and was never used in {runs}");
            found.add_call(Level::Info, Kind::NeverUsed, driver, call, text);
        }
        if call.denied > 0 {
            let text = format!("{name} was denied {}", text::counted(call.denied, "time"));
            found.add_call(Level::Warning, Kind::Denied, driver, call, text);
        }
    }
}

/// Adds the findings about the audit trail.
pub(super) fn of_trail(summary: &Summary, file: &Path, found: &mut Findings) {
    if summary.unreadable > 0 {
        let text = format!(
            "{} of {} and its old files can't be read",
            text::counted(summary.unreadable, "line"),
            file.display()
        );
        found.add(Level::Info, Kind::TrailUnreadable, None, text);
    }
}
