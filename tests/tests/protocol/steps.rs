//! What the page for contributors says of adding a command or a driver is all
//! that it takes: no other file has a list of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::manifest::installed;
use wasmvark_tests::places;
use wasmvark_tests::process;

/// How many steps it may take.
const MOST_STEPS: usize = 5;

/// Folders that aren't searched for lists: what is built, and documents of others.
const PASSED_OVER: [&str; 3] = [".git", "target", "fixtures"];

/// The driver that is added.
const INVENTED: &str = "invented";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("steps/a command", &[], command);
    suite.test("steps/a driver", &[], driver);
    suite.test("steps/a driver is installed", &[], driver_is_installed);
}

fn read(path: &str) -> String {
    let path = places::workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files that a section for contributors names in its steps.
fn named_in_steps(title: &str) -> BTreeSet<String> {
    let page = read("CONTRIBUTING.md");
    let (_, section) = page
        .split_once(&format!("\n## {title}\n"))
        .unwrap_or_else(|| panic!("CONTRIBUTING.md has no section {title:?}"));
    let section = section.split("\n## ").next().unwrap();
    let is_step = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let steps = section.lines().filter(is_step).count();
    assert!((1..=MOST_STEPS).contains(&steps), "{title}: {steps} steps");
    let words = section.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// Calls `visit` with the path of each text below a folder of the project, and
/// with what is in it.
fn visit_texts(folder: &Path, visit: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !PASSED_OVER.contains(&name) {
                visit_texts(&path, visit);
            }
        } else if let Ok(text) = fs::read_to_string(&path)
            && name != "Cargo.lock"
        {
            let path = path.strip_prefix(places::workspace()).unwrap();
            visit(path.to_str().unwrap(), &text);
        }
    }
}

/// The files that have all of these names, as words.
fn lists_of(names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut lists = BTreeSet::new();
    visit_texts(&places::workspace(), &mut |path, text| {
        // Modules have the names with underscores.
        let text = text.replace('_', "-");
        let words: BTreeSet<&str> = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .collect();
        if names.iter().all(|name| words.contains(name.as_str())) {
            lists.insert(path.to_owned());
        }
    });
    lists
}

/// The commands that their page has, but for those of another command.
fn commands() -> BTreeSet<String> {
    let page = read("docs/commands.md");
    let titles = page.lines().filter_map(|line| line.strip_prefix("## "));
    titles
        .take_while(|title| *title != "Exit codes")
        .filter(|title| !title.contains(' '))
        .map(str::to_owned)
        .collect()
}

fn command() {
    const LIST: &str = "host/wasmvark/src/cli/mod.rs";
    const PAGE: &str = "docs/commands.md";
    let named = named_in_steps("Add a command");
    for place in ["host/wasmvark/src/cli/COMMAND.rs", LIST, PAGE] {
        assert!(named.contains(place), "no step names {place}");
    }
    let names = commands();
    assert!(names.contains("reload"), "{names:?}");
    let lists = [PAGE, LIST].map(str::to_owned);
    assert_eq!(lists_of(&names), lists.into());

    let list = read(LIST).replace("r#", "");
    for name in &names {
        let folder = places::workspace().join("host/wasmvark/src/cli");
        let file = folder.join(format!("{name}.rs"));
        let is_there = file.is_file() || folder.join(name).join("mod.rs").is_file();
        assert!(is_there, "{} isn't there", file.display());
        let in_the_list = list.matches(&format!("    Entry::of::<{name}::")).count();
        assert_eq!(in_the_list, 1, "{name} in {LIST}");
        let path = format!("{name}::");
        let paths = list.match_indices(&path);
        let ends_a_word = |at: usize| list[..at].ends_with(char::is_alphanumeric);
        let uses = paths.filter(|(at, _)| !ends_a_word(*at)).count();
        assert_eq!(uses, 1, "{name} in {LIST}: elsewhere than in the list");
    }
    assert_eq!(list.matches("    Entry::of::<").count(), names.len());
}

fn driver() {
    let named = named_in_steps("Add a driver");
    let names = BTreeSet::from_iter(installed());
    assert!(names.contains("dummy"), "{names:?}");
    let lists = lists_of(&names);
    assert!(lists.contains("README.md"), "{lists:?}");
    let unnamed: Vec<_> = lists.difference(&named).collect();
    assert!(unnamed.is_empty(), "no step names {unnamed:?}");
}

/// A folder is all that `just install` and packages need.
fn driver_is_installed() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("scripts/install.sh", &read("scripts/install.sh"));
    let mut expected = BTreeSet::new();
    for driver in installed().into_iter().chain([INVENTED.to_owned()]) {
        let grant = format!("guest-examples/{driver}/grant.toml");
        write(&grant, "[calls]\n");
        write(&format!("target/guests/{driver}.wasm"), &driver);
        expected.insert(format!("{driver}.grant.toml"));
        expected.insert(format!("{driver}.wasm"));
    }
    // A driver without a grant isn't for everybody.
    write("guest-examples/for-tests/manifest.toml", "");

    let mut install = Command::new("bash");
    install
        .arg(root.join("scripts/install.sh"))
        .args([Path::new("/bin/true"), &root.join("target/guests")])
        .env("DESTDIR", root.join("installed"))
        .env_remove("PREFIX");
    let output = process::run(&mut install, b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    let share = root.join("installed/usr/local/share/wasmvark/drivers");
    let found: BTreeSet<_> = fs::read_dir(&share)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
    let grant = fs::read_to_string(share.join(format!("{INVENTED}.grant.toml"))).unwrap();
    let head = format!("driver = \"wasm-{INVENTED}\"\ndigest = \"sha256:");
    assert!(grant.starts_with(&head), "{grant}");
    let said = format!(" --name wasm-{INVENTED} ");
    assert!(output.stdout.contains(&said), "{}", output.stdout);
}
