//! The results of cases for CI systems, as JUnit's XML.

use super::report::Judged;
use crate::cli::output;

/// Returns the report.
pub(super) fn of(judged: &[Judged]) -> String {
    let errors = judged.iter().filter(|case| case.result.is_err()).count();
    let failed = judged.iter().filter(|case| !case.has_passed()).count();
    let failures = failed.saturating_sub(errors);
    let all = judged.len();
    let cases: String = judged.iter().map(case).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"wasmvark\" \
         tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\">\n{cases}</testsuite>\n\
         </testsuites>\n"
    )
}

fn case(judged: &Judged) -> String {
    let name = output::xml(&judged.file.display().to_string());
    let head = format!("<testcase classname=\"wasmvark\" name=\"{name}\"");
    if judged.has_passed() {
        return format!("{head}/>\n");
    }
    let element = if judged.result.is_err() {
        "error"
    } else {
        "failure"
    };
    let text = judged.failure();
    let message = output::xml(text.lines().next().unwrap_or_default());
    let text = output::xml(&text);
    format!("{head}>\n<{element} message=\"{message}\">{text}</{element}>\n</testcase>\n")
}

#[cfg(test)]
mod tests {
    use super::super::case::CaseError;
    use super::super::compare::Difference;
    use super::*;

    #[test]
    fn text_of_drivers_is_no_markup() {
        let judged = [
            Judged::new("a.toml".into(), Ok(Vec::new())),
            Judged::new(
                "b&c.toml".into(),
                Ok(vec![Difference {
                    what: "calls".to_owned(),
                    expected: "<x>".to_owned(),
                    found: "\"y\"".to_owned(),
                }]),
            ),
            Judged::new("d.toml".into(), Err(CaseError::Nothing)),
        ];
        let xml = of(&judged);
        assert!(
            xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
            "{xml}"
        );
        assert!(xml.contains("name=\"a.toml\"/>"), "{xml}");
        assert!(xml.contains("name=\"b&amp;c.toml\""), "{xml}");
        assert!(xml.contains("- &lt;x&gt;\n"), "{xml}");
        assert!(
            xml.contains("<error message=\"the case expects nothing"),
            "{xml}"
        );
    }
}
