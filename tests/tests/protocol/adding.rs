//! What the page for contributors says of adding things: the files that its steps
//! name are all that know one that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;

/// The section about calls, and how the one that it's about is written: in the WIT,
/// in Rust, as a variant, and as the kernel's setting.
const SECTION: &str = "## Add a call\n";
const CALL: &str = "sysctl.set-arp-ignore";
const NAMES: [&str; 5] = [
    "set-arp-ignore",
    "set_arp_ignore",
    "SetArpIgnore",
    "ArpIgnore",
    "arp_ignore",
];

/// Where the program and what builds and tests it are.
const SOURCES: [&str; 4] = ["host", "tests", "wit", "xtask"];
/// Scripts of tests may use any call.
const SCRIPTS: &str = "tests/tests/";
/// What never changes, such as the text of the version before.
const FROZEN: &str = "tests/fixtures/";
/// More steps than anybody follows.
const STEPS: usize = 5;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("adding/a-call", &[], a_call);
}

fn a_call() {
    let section = section();
    assert!(section.contains(CALL), "{section}");
    let steps = section.lines().filter(|line| is_step(line)).count();
    assert!((1..=STEPS).contains(&steps), "{steps} steps");
    let told = files_of(&section);
    let mut found = BTreeSet::new();
    for folder in SOURCES {
        find(&places::workspace().join(folder), &mut found);
    }
    let is_script = |file: &&String| file.starts_with(SCRIPTS) && !told.contains(*file);
    let known: BTreeSet<String> = found
        .iter()
        .filter(|file| !is_script(file) && !file.starts_with(FROZEN))
        .cloned()
        .collect();
    assert_eq!(known, told, "files that know {CALL}, and those of the page");
}

/// What stands between the section's heading and the next one.
fn section() -> String {
    let page = fs::read_to_string(places::workspace().join("CONTRIBUTING.md")).unwrap();
    let (_, rest) = page.split_once(SECTION).expect("the section is there");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

fn is_step(line: &str) -> bool {
    let number = line.split_once(". ").map(|(number, _)| number);
    number.is_some_and(|number| number.parse::<usize>().is_ok())
}

/// The source files that a text names; the one with the grammar of scripts is to
/// be read only.
fn files_of(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2);
    let files = words.filter(|word| word.ends_with(".rs") || word.ends_with(".wit"));
    let files = files.filter(|file| !file.starts_with("tests/guests/"));
    files.map(str::to_owned).collect()
}

/// The files whose code, without comments, has one of the names.
fn find(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
            continue;
        }
        let is_source = path.extension().is_some_and(|kind| {
            ["rs", "wit", "toml", "wat"]
                .iter()
                .any(|source| kind == *source)
        });
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if is_source && text.lines().any(has_name) {
            let file = path.strip_prefix(places::workspace()).unwrap();
            found.insert(file.to_string_lossy().into_owned());
        }
    }
}

fn has_name(line: &str) -> bool {
    !line.trim_start().starts_with("//") && NAMES.iter().any(|name| line.contains(name))
}
