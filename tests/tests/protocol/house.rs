//! Checks of the project's structure: the dependencies between crates, and the variables
//! of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;

/// The crates of the host, each with those that it depends on.
const WALLS: [(&str, &[&str]); 13] = [
    ("audit", &["policy", "trust", "types"]),
    (
        "engine",
        &[
            "audit",
            "failpoint",
            "journal",
            "kernel",
            "policy",
            "request",
            "services",
            "sim",
            "trust",
            "types",
        ],
    ),
    ("confine", &[]),
    ("failpoint", &[]),
    (
        "journal",
        &["failpoint", "kernel", "services", "trust", "types"],
    ),
    ("kernel", &["failpoint", "types"]),
    ("policy", &["types"]),
    ("request", &["types"]),
    ("services", &["failpoint", "trust", "types"]),
    ("sim", &["kernel", "types"]),
    ("trust", &["types"]),
    ("types", &[]),
    (
        "wasmvark",
        &[
            "audit",
            "confine",
            "engine",
            "failpoint",
            "journal",
            "kernel",
            "policy",
            "request",
            "services",
            "sim",
            "trust",
            "types",
        ],
    ),
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("house/walls", &[], walls);
    suite.test("house/nothing-is-public-in-vain", &[], exports);
    suite.test("house/variables-of-tests", &[], variables);
    suite.test("house/rows-of-bench", &[], rows);
}

fn read(path: &str) -> String {
    let path = places::workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A crate that depends on another one is a change of the architecture, which its
/// page says too.
fn walls() {
    let expected: BTreeMap<String, BTreeSet<String>> = WALLS
        .iter()
        .map(|(name, below)| {
            let below = below.iter().map(ToString::to_string);
            ((*name).to_owned(), below.collect())
        })
        .collect();
    let page = read("ARCHITECTURE.md");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(places::workspace().join("host")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let manifest: toml::Table = read(&format!("host/{name}/Cargo.toml")).parse().unwrap();
        let dependencies = manifest.get("dependencies").and_then(|it| it.as_table());
        let names = dependencies.into_iter().flat_map(|it| it.keys().cloned());
        let below = names.filter(|name| expected.contains_key(name));
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
        found.insert(name, below.collect::<BTreeSet<String>>());
    }
    assert_eq!(found, expected);
}

/// What a crate offers is used by another one. Types are left out: signatures have
/// some that nobody names. What only fuzzers have isn't in the program.
fn exports() {
    let sources: Vec<(&str, String)> = WALLS
        .iter()
        .map(|(name, _)| (*name, sources(&format!("host/{name}/src"))))
        .collect();
    let mut vain = Vec::new();
    for (name, text) in &sources {
        let others = sources.iter().filter(|(other, _)| other != name);
        let others = others.map(|(_, text)| text.as_str());
        let faulty = self::sources("tests/faulty/src");
        let used: BTreeSet<&str> = others
            .chain([faulty.as_str()])
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .collect();
        let before = [""].into_iter().chain(text.lines());
        let lines = before.zip(text.lines());
        let lines = lines.filter(|(before, _)| *before != "#[cfg(fuzzing)]");
        let offered = lines.filter_map(|(_, line)| offered(line));
        vain.extend(
            offered
                .filter(|item| !used.contains(item))
                .map(|item| format!("{name}: {item}")),
        );
    }
    assert_eq!(vain, Vec::<String>::new(), "nobody else uses these");
}

/// The function or constant that a line makes public.
fn offered(line: &str) -> Option<&str> {
    let item = line.trim_start().strip_prefix("pub ")?;
    let item = item.strip_prefix("unsafe ").unwrap_or(item);
    let item = item.strip_prefix("const ").unwrap_or(item);
    let named = item.strip_prefix("fn ").unwrap_or(item);
    let is_value = item.starts_with("fn ") || line.contains("pub const ");
    let end = named.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    named.get(..end).filter(|_| is_value)
}

/// All of a folder's source, one file after the other.
fn sources(folder: &str) -> String {
    fn add(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, text);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    add(&places::workspace().join(folder), &mut text);
    text
}

/// Each variable that a test reads is on the page for contributors, and no other.
fn variables() {
    let mut read_ones = BTreeSet::new();
    for folder in ["host", "tests"] {
        collect(&places::workspace().join(folder), &mut read_ones);
    }
    let mut told = BTreeSet::new();
    find(&read("CONTRIBUTING.md"), &mut told);
    assert_eq!(told, read_ones);
}

/// Each row of `just bench` is on the page for contributors, and no other.
fn rows() {
    let code = sources("tests/benches/setup/rows");
    let names = code.lines().filter_map(|line| {
        let name = line.trim_start().strip_prefix("name: \"")?;
        name.strip_suffix("\",")
    });
    let page = read("CONTRIBUTING.md");
    let (_, section) = page.split_once("\n## Measure\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let cells = section.lines().filter_map(|line| {
        let (cell, _) = line.strip_prefix("| `")?.split_once("` |")?;
        Some(cell.split("`, `"))
    });
    assert_eq!(cells.flatten().collect::<BTreeSet<_>>(), names.collect());
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            find(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

fn find(text: &str, found: &mut BTreeSet<String>) {
    const START: &str = concat!("WASMVARK", "_TEST_");
    for part in text.split(START).skip(1) {
        let is_name = |c: &char| c.is_ascii_uppercase() || *c == '_';
        let name: String = part.chars().take_while(is_name).collect();
        if !name.is_empty() {
            found.insert(name);
        }
    }
}
