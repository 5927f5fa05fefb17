//! The tests that show the effect of each option of a driver. Tests name the options
//! ([`Added::proves`]), and `docs/options.md` lists both.
//!
//! [`Added::proves`]: crate::harness::Added::proves

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::harness::{Need, Suite};
use crate::manifest::Manifest;
use crate::places;

/// The page, relative to the workspace.
const PAGE: &str = "docs/options.md";

/// The variable that makes the test write the page instead of comparing it.
const WRITE: &str = "WASMVARK_TEST_OPTIONS";

const HEAD: &str = "\
# Tests of options

This page lists each option of each driver's manifest, with the tests that show its effect: in namespaces under real
netavark, and in real Podman. The columns name the commands that run the tests. `just test-vm` has a complete Debian
kernel for features that few kernels have, such as some kinds of links, also below Podman (`pages-of-a-full-kernel`).
If the kernel at hand has a feature, the other commands run its tests, too. `just test-vm vlan/options` runs one test by
its name. `just test-sriov` runs those of `sriov`, in a machine with such a card.

The tests compare this page with the options that they prove. `just options` rewrites it.
";

/// A column of the page: the command that runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The kernel at hand.
    Test,
    /// The virtual machine, which has features that few kernels have.
    Vm,
    /// Real Podman.
    Podman,
}

impl Column {
    const ALL: [Self; 3] = [Self::Test, Self::Vm, Self::Podman];

    /// Returns the column of a test with these needs.
    pub fn of(needs: &[Need]) -> Self {
        if needs.contains(&Need::PodmanTrees) {
            return Self::Podman;
        }
        match needs.iter().any(Need::is_rare) {
            true => Self::Vm,
            false => Self::Test,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Test => "`just test`",
            Self::Vm => "`just test-vm`",
            Self::Podman => "`just test-podman`",
        }
    }
}

/// The proofs of a test program.
#[derive(Debug, Clone, Default)]
pub struct Proofs(Arc<Mutex<Page>>);

impl Proofs {
    pub(crate) fn add(&self, column: Column, driver: &str, option: &str, test: &str) {
        let mut page = self.0.lock().expect("no test panics while it adds a proof");
        page.add(column, driver, option, test);
    }

    /// Adds a test that compares columns of the page with the proofs of their tests.
    pub fn compare(suite: &mut Suite, columns: &'static [Column]) {
        let proofs = suite.proofs();
        suite.test("page-of-options/is as the tests say", &[], move || {
            let page = proofs.0.lock().expect("all proofs are there").clone();
            compare(&page, columns);
        });
    }
}

/// The tests named on the page, by driver, option and column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Page(BTreeMap<(String, String, Column), BTreeSet<String>>);

impl Page {
    fn add(&mut self, column: Column, driver: &str, option: &str, test: &str) {
        let place = (driver.to_owned(), option.to_owned(), column);
        self.0.entry(place).or_default().insert(test.to_owned());
    }

    fn tests(&self, driver: &str, option: &str, column: Column) -> Vec<&str> {
        let place = (driver.to_owned(), option.to_owned(), column);
        let tests = self.0.get(&place).into_iter().flatten();
        tests.map(String::as_str).collect()
    }

    /// Parses the text of a page.
    fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut driver = "";
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("## ") {
                driver = name.trim_matches('`');
            }
            let mut cells = line.split('|').skip(1).map(code);
            let Some(option) = cells.next().and_then(|cell| cell.first().copied()) else {
                continue;
            };
            for (column, tests) in Column::ALL.into_iter().zip(cells) {
                for test in tests {
                    page.add(column, driver, option, test);
                }
            }
        }
        page
    }

    /// Returns the text of the page.
    fn text(&self, drivers: &[Manifest]) -> String {
        let mut text = HEAD.to_owned();
        for driver in drivers {
            let titles = Column::ALL.map(Column::title).join(" | ");
            let (name, line) = (&driver.driver, "|---".repeat(1 + Column::ALL.len()));
            write!(text, "\n## `{name}`\n\n| option | {titles} |\n{line}|\n")
                .expect("a string can grow");
            for option in &driver.options() {
                let cells = Column::ALL.map(|column| {
                    let tests = self.tests(name, option, column);
                    let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
                    tests.join(", ")
                });
                writeln!(text, "| `{option}` | {} |", cells.join(" | "))
                    .expect("a string can grow");
            }
        }
        text
    }
}

/// Returns the words between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn compare(proofs: &Page, columns: &[Column]) {
    let drivers = Manifest::all();
    let unknown = unknown(proofs, &drivers);
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    let is = fs::read_to_string(path()).unwrap_or_default();
    let mut page = proofs.clone();
    let others = Page::parse(&is).0.into_iter();
    page.0
        .extend(others.filter(|((_, _, column), _)| !columns.contains(column)));
    let should = page.text(&drivers);
    let writes = env::var_os(WRITE).is_some_and(|value| value == "write");
    if writes {
        fs::write(path(), &should).expect("the page can be written");
    }
    let missing = missing(&page, &drivers);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(
        writes || is == should,
        "{PAGE} differs from the proofs of the tests; `just options` rewrites it:\n{}",
        differences(&is, &should)
    );
}

fn path() -> PathBuf {
    places::workspace().join(PAGE)
}

/// Returns an error for each proof of an option that no manifest has.
fn unknown(proofs: &Page, drivers: &[Manifest]) -> Vec<String> {
    let is_known = |driver: &str, option: &String| {
        let mut drivers = drivers.iter();
        drivers.any(|one| one.driver == driver && one.options().contains(option))
    };
    let unknown = proofs.0.iter();
    unknown
        .filter(|((driver, option, _), _)| !is_known(driver, option))
        .map(|((driver, option, _), tests)| {
            format!(
                "{tests:?} should prove the option {option:?} of {driver:?}, but \
                 guest-examples/{driver}/manifest.toml has no such option"
            )
        })
        .collect()
}

/// Returns an error for each option that no test proves.
fn missing(page: &Page, drivers: &[Manifest]) -> Vec<String> {
    let all = drivers.iter().flat_map(|manifest| {
        let options = manifest.options().into_iter();
        options.map(|option| (&manifest.driver, option))
    });
    let is_proven = |driver: &str, option: &str| {
        let mut columns = Column::ALL.into_iter();
        columns.any(|column| !page.tests(driver, option, column).is_empty())
    };
    all.filter(|(driver, option)| !is_proven(driver, option))
        .map(|(driver, option)| {
            format!(
                "no test proves the option {option:?} of {driver:?}: add one with \
                 `.proves({driver:?}, &[{option:?}])`"
            )
        })
        .collect()
}

/// Returns the lines that only one of the texts has.
fn differences(is: &str, should: &str) -> String {
    let only = |sign: char, these: &str, those: &str| {
        let those: BTreeSet<&str> = those.lines().collect();
        let these = these.lines().filter(|line| !those.contains(line));
        these
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    match only('-', is, should) + &only('+', should, is) {
        none if none.is_empty() => "its lines are in another order\n".to_owned(),
        some => some,
    }
}
