//! The report of a try, for people.

use types::text::{plain, plain_error};

use super::run::Tried;

/// Returns the report.
pub(super) fn text(tried: &Tried) -> String {
    let mut report = String::new();
    section(&mut report, "CALLS", &lines(&tried.calls));
    match &tried.answer {
        Ok(answer) if answer.is_null() => {}
        Ok(answer) => section(&mut report, "ANSWER", &format!("{answer:#}\n")),
        Err(error) => section(&mut report, "ERROR", &format!("{}\n", plain_error(error))),
    }
    section(&mut report, "TOPOLOGY", &tried.topology);
    if let Some(teardown) = &tried.teardown {
        section(&mut report, "TEARDOWN", &lines(teardown));
        let failure = tried.failure.iter();
        report.extend(failure.map(|error| format!("{}\n", plain_error(error))));
        match tried.left.is_empty() {
            true => report.push_str("Then all is as it was.\n"),
            false => section(&mut report, "LEFT", &tried.left),
        }
    }
    report
}

fn section(report: &mut String, title: &str, content: &str) {
    if !report.is_empty() {
        report.push('\n');
    }
    report.push_str(&format!("{title}\n{content}"));
}

fn lines(lines: &[String]) -> String {
    match lines {
        [] => "none\n".to_owned(),
        lines => lines
            .iter()
            .map(|line| format!("{}\n", plain(line)))
            .collect(),
    }
}
