//! What a case expects against what was found.

use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::case::Expect;
use super::run::Found;

/// What stands for nothing, in differences.
const NONE: &str = "none";
/// How many lines are shown around each different one.
const AROUND: usize = 2;

/// Something that isn't as expected.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// The key under `[expect]`, or what is left after a failure.
    pub(super) what: String,
    /// What the case expects.
    pub(super) expected: String,
    /// What was found.
    pub(super) found: String,
}

/// Returns what isn't as expected.
pub(super) fn differences(expect: &Expect, found: &Found) -> Vec<Difference> {
    let lines = [
        ("calls", &expect.calls, found.calls.join("\n")),
        ("topology", &expect.topology, found.topology.clone()),
        ("teardown", &expect.teardown, found.teardown.join("\n")),
    ];
    let lines = lines.into_iter().filter_map(|(what, expected, found)| {
        different(what, tidy(expected.as_deref()?), tidy(&found))
    });
    let left = tidy(expect.left.as_deref().unwrap_or_default());
    let left = different("left", left, tidy(&found.left));
    let first = error(expect, found).or_else(|| answer(expect, found));
    first.into_iter().chain(lines).chain(left).collect()
}

/// Compares the error, of which a part is expected.
fn error(expect: &Expect, found: &Found) -> Option<Difference> {
    let is_expected = match (&expect.error, &found.error) {
        (None, None) => true,
        (Some(part), Some(error)) => error.contains(part.trim()),
        _ => false,
    };
    let text = |error: &Option<String>| error.clone().unwrap_or_else(|| NONE.to_owned());
    (!is_expected).then(|| Difference {
        what: "error".to_owned(),
        expected: text(&expect.error),
        found: text(&found.error),
    })
}

/// Compares the answer as JSON: the order of keys and the spaces don't matter.
fn answer(expect: &Expect, found: &Found) -> Option<Difference> {
    let expected: Value = serde_json::from_str(expect.answer.as_deref()?).ok()?;
    let found = found.answer.clone().unwrap_or_default();
    different("answer", json(&expected), json(&found))
}

/// Returns JSON for people.
pub(super) fn json(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn different(what: &str, expected: String, found: String) -> Option<Difference> {
    (expected != found).then(|| Difference {
        what: what.to_owned(),
        expected,
        found,
    })
}

/// Returns what is left although the operation with this number failed, so that all was to
/// be undone. What the case expects to stay after a success may stay here, too.
pub(super) fn left_after(number: u32, expect: &Expect, found: &Found) -> Option<Difference> {
    let expected = tidy(expect.left.as_deref().unwrap_or_default());
    let found = tidy(&found.left);
    let may_stay = |line: &str| expected.lines().any(|expected| expected == line);
    if found.lines().all(may_stay) {
        return None;
    }
    let what = format!("left after operation {number} failed");
    different(&what, expected, found)
}

/// Returns lines without the spaces that only lay them out, and without empty ones.
pub(super) fn tidy(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty()).map(|line| {
        let words = line.trim_start();
        let indent = line.len().saturating_sub(words.len());
        let words: Vec<&str> = words.split_whitespace().collect();
        format!("{}{}", " ".repeat(indent), words.join(" "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Difference {
    /// Shows the lines that differ, and some around them.
    pub(super) fn lines(&self) -> Vec<String> {
        let diff = TextDiff::from_lines(&self.expected, &self.found);
        let mut lines = Vec::new();
        for (number, group) in diff.grouped_ops(AROUND).iter().enumerate() {
            if number > 0 {
                lines.push("  ...".to_owned());
            }
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let sign = match change.tag() {
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                    ChangeTag::Equal => ' ',
                };
                lines.push(format!("{sign} {}", change.value().trim_end()));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            calls: vec!["links.get link host:eth0".to_owned()],
            answer: Some(serde_json::json!({"a": 1, "b": [2]})),
            topology: "host\n    eth0  -   up\n".to_owned(),
            ..Found::default()
        }
    }

    #[test]
    fn spaces_that_lay_lines_out_do_not_count() {
        let expect = Expect {
            calls: Some("\nlinks.get   link host:eth0\n".to_owned()),
            answer: Some("{ \"b\": [2], \"a\": 1 }".to_owned()),
            topology: Some("host\n    eth0 - up".to_owned()),
            ..Expect::default()
        };
        assert_eq!(differences(&expect, &found()), []);
        let indented = Expect {
            topology: Some("host\neth0 - up".to_owned()),
            ..Expect::default()
        };
        assert_eq!(differences(&indented, &found()).len(), 1);
    }

    #[test]
    fn each_part_can_differ() {
        let expect = Expect {
            calls: Some("links.get link host:eth1".to_owned()),
            answer: Some("{\"a\": 2}".to_owned()),
            topology: Some("host".to_owned()),
            teardown: Some("undone link".to_owned()),
            left: Some("host".to_owned()),
            ..Expect::default()
        };
        let differences = differences(&expect, &found());
        let what: Vec<_> = differences.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(what, ["answer", "calls", "topology", "teardown", "left"]);
        let calls = differences.iter().find(|it| it.what == "calls").unwrap();
        let lines = ["- links.get link host:eth1", "+ links.get link host:eth0"];
        assert_eq!(calls.lines(), lines);
    }

    #[test]
    fn a_run_must_succeed_or_fail_as_expected() {
        let failed = Found {
            error: Some("the link eth0 is missing".to_owned()),
            ..Found::default()
        };
        let of = |error: Option<&str>| Expect {
            error: error.map(str::to_owned),
            ..Expect::default()
        };
        assert_eq!(differences(&of(Some("eth0 is missing")), &failed), []);
        assert_eq!(differences(&of(None), &found()), []);
        for (expect, found) in [
            (of(None), &failed),
            (of(Some("eth1")), &failed),
            (of(Some("eth0")), &found()),
        ] {
            let differences = differences(&expect, found);
            assert_eq!(differences.len(), 1, "{differences:?}");
            assert_eq!(differences[0].what, "error");
        }
    }

    #[test]
    fn only_what_stays_after_a_success_may_stay_after_a_failure() {
        let expect = Expect {
            left: Some("host\n  + setting a = 1".to_owned()),
            ..Expect::default()
        };
        let of = |left: &str| Found {
            left: left.to_owned(),
            ..Found::default()
        };
        for left in ["", "host\n  + setting a = 1"] {
            assert_eq!(left_after(3, &expect, &of(left)), None);
        }
        let more = left_after(3, &expect, &of("host\n  + setting a = 1\n  + eth0"));
        assert_eq!(more.unwrap().what, "left after operation 3 failed");
        assert!(left_after(3, &Expect::default(), &of("host\n  + eth0")).is_some());
    }

    #[test]
    fn what_is_left_is_never_expected_by_itself() {
        let left = Found {
            left: "host\n  + eth0".to_owned(),
            ..Found::default()
        };
        let differences = differences(&Expect::default(), &left);
        assert_eq!(differences[0].what, "left");
    }
}
