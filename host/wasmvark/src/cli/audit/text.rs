//! The report for people.

use std::fmt::Write as _;

use types::text;

use super::report::{CallReport, DriverReport, GrantState, Report};
use crate::cli::output;

/// Returns the report as text that is safe for a terminal.
pub(super) fn of(report: &Report) -> String {
    let mut page = String::new();
    for driver in &report.drivers {
        // Writing to a string can't fail.
        let _ = writeln!(page, "{}\n{}", heading(driver), table(&driver.calls));
    }
    if report.drivers.is_empty() {
        page.push_str("No drivers are installed.\n\n");
    }
    page.push_str(&findings(report));
    page
}

fn heading(driver: &DriverReport) -> String {
    let grant = match driver.grant.state {
        GrantState::Valid => "granted",
        GrantState::None => "no grant",
        GrantState::OtherDigest => "granted for another component",
        GrantState::Unusable => "its grant can't be used",
    };
    let runs = match &driver.first_run {
        None => "no run on record".to_owned(),
        Some(first) => {
            let runs = text::counted(driver.runs, "run");
            format!("{runs} since {}", text::plain(first))
        }
    };
    let digest: String = driver.digest.chars().take(19).collect();
    format!("{} ({digest}): {grant}, {runs}", driver.name)
}

fn table(calls: &[CallReport]) -> String {
    let head = [
        "CALL", "CAN", "ASKS", "GRANTED", "BEYOND", "USED", "LAST", "DENIED",
    ];
    let mark = |on| if on { "yes" } else { "-" }.to_owned();
    let count = |count: u64| match count {
        0 => "-".to_owned(),
        count => count.to_string(),
    };
    let rows = calls.iter().map(|call| {
        let beyond = match call.reach.is_empty() {
            true => "-".to_owned(),
            false => text::plain(&call.reach.to_string()),
        };
        let used = match (call.granted, call.used) {
            (true, 0) => "never".to_owned(),
            (_, used) => count(used),
        };
        let last = call.last_used.as_deref().unwrap_or("-");
        [
            call.call.name().to_owned(),
            mark(call.importable),
            mark(call.requested),
            mark(call.granted),
            beyond,
            used,
            // The date without the time.
            text::plain(last.split('T').next().unwrap_or_default()),
            count(call.denied),
        ]
    });
    let head = std::iter::once(head.map(str::to_owned));
    output::table(&head.chain(rows).collect::<Vec<_>>())
}

fn findings(report: &Report) -> String {
    if report.findings.is_empty() {
        return "Nothing found.\n".to_owned();
    }
    let rows: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            [
                finding.level.name().to_owned(),
                finding.driver.clone().unwrap_or_else(|| "-".to_owned()),
                text::plain_error(&finding.text),
            ]
        })
        .collect();
    let head = std::iter::once(["LEVEL", "DRIVER", "FINDING"].map(str::to_owned));
    output::table(&head.chain(rows).collect::<Vec<_>>())
}
