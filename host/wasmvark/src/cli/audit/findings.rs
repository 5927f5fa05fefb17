//! What somebody should look at, and why.

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
    /// Adds one.
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

    /// All of them, the worst first; else in the order of drivers and calls.
    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.0
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
        self.0
    }
}

/// Others can write a file that decides something.
pub(super) fn exposed(driver: Option<&DriverName>, error: &str, found: &mut Findings) {
    let driver = driver.map(DriverName::as_str);
    found.add(Level::Danger, Kind::Exposed, driver, error.to_owned());
}

/// A component that isn't what was installed.
pub(super) fn component(name: &DriverName, error: &str, found: &mut Findings) {
    let driver = Some(name.as_str());
    found.add(Level::Danger, Kind::Component, driver, error.to_owned());
}

/// What a driver's grant is like as a whole.
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

/// What a driver's calls are like, each by itself. Where its component is gone
/// or something else, nobody knows what it `imports`.
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
            // What is only read does no harm by itself.
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

/// What the trail is like.
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
