//! The names in the pages. They must exist in the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasmvark_tests::harness::Suite;
use wasmvark_tests::manifest::{Manifest, Shared, installed};
use wasmvark_tests::places;

/// What stands for the name of a driver and of a command on the page for
/// contributors, which says what to copy from.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("NAME", "dummy"),
    ("COMMAND", "reload"),
    ("geneve", "vxlan"),
    ("LANG", "zig"),
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("pages/links lead to files", &[], links);
    suite.test("pages/name files that exist", &[], files);
    suite.test("pages/drivers have all their options", &[], options);
    suite.test("pages/options in common", &[], options_in_common);
    suite.test("pages/every driver is listed and installed", &[], drivers);
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The drivers that have pages.
fn driver_pages() -> BTreeSet<PathBuf> {
    pages_in("docs/drivers")
}

/// The pages of a folder of the project.
fn pages_in(folder: &str) -> BTreeSet<PathBuf> {
    let folder = places::workspace().join(folder);
    let entries = fs::read_dir(folder).expect("the pages can be listed");
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect()
}

fn links() {
    let mut pages = driver_pages();
    pages.extend(pages_in(""));
    pages.extend(pages_in("docs"));
    pages.extend(pages_in("docs/authors"));
    assert!(pages.len() >= 20, "{pages:?}");
    for page in pages {
        let text = read(&page);
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(file.exists(), "{}: {target}", page.display());
            let has_heading = heading.is_empty() || headings(&file).contains(heading);
            assert!(has_heading, "{}: {target}", page.display());
        }
    }
}

/// The headings of a page, as links name them.
fn headings(page: &Path) -> BTreeSet<String> {
    let text = read(page);
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.replace(' ', "-");
            let is_kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
            kept.chars().filter(is_kept).collect()
        })
        .collect()
}

/// Whether a word on a page is a path in the project. What builds make isn't.
fn is_path(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let ends = [".md", ".toml", ".rs", ".sh"];
    let is_file = ends.iter().any(|end| word.ends_with(end));
    let is_path = word.chars().all(plain) && (word.contains('/') || is_file);
    is_path && !word.starts_with("target/")
}

fn files() {
    let root = places::workspace();
    for (page, least) in [("CONTRIBUTING.md", 20), ("ARCHITECTURE.md", 2)] {
        let text = read(&root.join(page));
        let words: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let paths: Vec<&str> = words.into_iter().filter(|word| is_path(word)).collect();
        assert!(paths.len() >= least, "{page}: {paths:?}");
        for path in paths {
            let file = PLACEHOLDERS
                .iter()
                .fold(path.to_owned(), |path, (placeholder, name)| {
                    path.replace(placeholder, name)
                });
            assert!(root.join(file).exists(), "{page}: {path}");
        }
    }
}

/// The page of a driver; those in other languages share one.
fn page_of(driver: &str) -> PathBuf {
    let name = driver.trim_end_matches("-c");
    let folder = places::workspace().join("docs/drivers");
    folder.join(name).with_extension("md")
}

/// The options in the tables of a text.
fn shown_in(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

/// How a page begins what it says of the driver in C.
const IN_C: &str = "The driver in C has ";

fn options() {
    let common = Shared::all();
    for manifest in Manifest::all() {
        let driver = &manifest.driver;
        let text = read(&page_of(driver));
        let own: BTreeSet<String> = manifest.own.iter().cloned().collect();
        let shown = shown_in(&text);
        // The page is that of the one in Rust. It says which options the other one lacks.
        let is_twin = driver.ends_with("-c");
        let lacks = |option: &&String| {
            let sentence = format!("no `{option}`");
            is_twin
                && text
                    .lines()
                    .any(|line| line.starts_with(IN_C) && line.contains(&sentence))
        };
        let lacking = shown.iter().filter(lacks).cloned().collect();
        let all: BTreeSet<String> = own.union(&lacking).cloned().collect();
        assert_eq!(shown, all, "{driver}: its page, and its manifest");
        assert!(own.is_disjoint(&lacking), "{driver}: {lacking:?}");
        for part in common.iter().filter(|_| !is_twin) {
            let link = format!("(../behaviours.md#{})", part.name);
            let has = manifest.shared.contains(&part.name);
            assert_eq!(text.contains(&link), has, "{driver}: {link}");
        }
    }
}

fn options_in_common() {
    let page = read(&places::workspace().join("docs/behaviours.md"));
    let mut sections = page.split("\n## ").skip(1);
    let mut parts = Shared::all();
    for part in &parts {
        let mut sections = sections.clone();
        let section = sections.find(|section| {
            let title = section.lines().next().unwrap_or_default();
            title.to_lowercase().replace(' ', "-") == part.name
        });
        let shown = shown_in(section.unwrap_or_else(|| panic!("no section {}", part.name)));
        let options = part.options.iter().cloned().collect();
        assert_eq!(
            shown, options,
            "{}: its section, and its manifest",
            part.name
        );
    }
    parts.retain(|part| {
        !Manifest::all()
            .iter()
            .any(|it| it.shared.contains(&part.name))
    });
    assert!(parts.is_empty(), "no driver has {parts:?}");
    assert_eq!(sections.by_ref().count(), Shared::all().len());
}

fn drivers() {
    let root = places::workspace();
    let readme = read(&root.join("README.md"));
    let mut shown = BTreeSet::new();
    for page in driver_pages() {
        let name = page.file_stem().unwrap().to_str().unwrap().to_owned();
        let link = format!("[`{name}`](docs/drivers/{name}.md)");
        assert!(readme.contains(&link), "the README has no {link}");
        shown.insert(name);
    }
    let installed = BTreeSet::from_iter(installed());
    assert_eq!(shown, installed, "pages, and drivers that are installed");
    for Manifest { driver, .. } in Manifest::all() {
        assert!(page_of(&driver).is_file(), "{driver} has no page");
    }
}
