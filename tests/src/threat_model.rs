//! The tests that `docs/threat-model.md` names.
//!
//! Each row of its tables ends with tests, as `` `SUITE NAME` ``. SUITE is a suite of
//! this package, or `host` for a test function beside the code. A name that ends with
//! `*` means all tests whose names begin with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::places;

/// The suites that rows can name.
const SUITES: [&str; 8] = [
    "confined", "fault", "gate", "host", "hostile", "netavark", "podman", "protocol",
];

/// A test that a row names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    suite: String,
    name: String,
}

/// Checks that a suite has all of its tests that the rows name.
pub fn check_suite(suite: &str, names: &BTreeSet<String>) {
    let rows = rows();
    let of_suite = rows.iter().flatten().filter(|it| it.suite == suite);
    for Reference { name, .. } in of_suite {
        let there = match name.strip_suffix('*') {
            Some(start) => names.iter().any(|name| name.starts_with(start)),
            None => names.contains(name),
        };
        assert!(
            there,
            "docs/threat-model.md names {suite} {name}, which isn't there"
        );
    }
}

/// Checks that each row names a test, and that the named tests beside the code exist.
pub fn check_rows() {
    let rows = rows();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    let mut functions = String::new();
    collect(&places::workspace().join("host"), &mut functions);
    for row in &rows {
        assert!(!row.is_empty(), "a row without a test");
        for Reference { suite, name } in row {
            assert!(
                SUITES.contains(&suite.as_str()),
                "there is no suite {suite}"
            );
            let function = format!("fn {name}()");
            let there = suite != "host" || functions.contains(&function);
            assert!(there, "host has no test {name}");
        }
    }
}

/// Returns the tests of each row.
fn rows() -> Vec<Vec<Reference>> {
    let page = places::workspace().join("docs/threat-model.md");
    let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page:?}: {error}"));
    let lines = text.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| {
        let row = line.trim_end_matches([' ', '|']);
        row.rsplit('|').next().unwrap_or_default().to_owned()
    });
    let heads = |cell: &String| cell.trim() == "shown by";
    cells
        .filter(|cell| !heads(cell))
        .map(|cell| references(&cell))
        .collect()
}

fn references(cell: &str) -> Vec<Reference> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|text| text.split_once(' '));
    pairs
        .map(|(suite, name)| Reference {
            suite: suite.to_owned(),
            name: name.to_owned(),
        })
        .collect()
}

/// Adds the text of all source files in a folder.
fn collect(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}
