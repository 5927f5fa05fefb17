//! CONTRIBUTING.md's steps for a kind of link are all that it takes: made in a copy
//! of the sources, they compile, and the vocabulary fits the WIT.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::{places, process};

/// At most so many steps are bearable.
const STEPS_MAX: usize = 5;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("link-kind/steps", &[], few_steps);
    suite.test("link-kind/compiles", &[Need::Cargo], compiles);
}

/// A block of code of the page.
#[derive(Debug)]
struct Block {
    /// The file that it goes to.
    file: String,
    /// The line before which it goes, or none for a file of its own.
    before: Option<String>,
    code: String,
}

fn section() -> String {
    let page = places::workspace().join("CONTRIBUTING.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## Add a kind of link\n").unwrap();
    let end = section.find("\n## ").unwrap();
    section.get(..end).unwrap().to_owned()
}

fn few_steps() {
    let section = section();
    let steps = section.lines().filter(|line| {
        let (number, _) = line.split_once(". ").unwrap_or_default();
        number.parse::<usize>().is_ok()
    });
    let steps = steps.count();
    assert!((2..=STEPS_MAX).contains(&steps), "there are {steps} steps");
}

/// The words in backticks of a text.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The blocks, each with what the sentence before says of it: the first file that
/// it names, and the line after "before".
fn blocks(section: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut code: Option<String> = None;
    for line in section.lines() {
        let is_fence = line.trim_start().starts_with("```");
        match (&mut code, is_fence) {
            (None, true) => code = Some(String::new()),
            (None, false) => {
                prose.push_str(line.trim_start());
                prose.push(' ');
            }
            (Some(text), false) => {
                text.push_str(line.strip_prefix("   ").unwrap_or(line));
                text.push('\n');
            }
            (Some(_), true) => {
                blocks.push(block(&prose, code.take().unwrap()));
                prose.clear();
            }
        }
    }
    blocks
}

fn block(prose: &str, code: String) -> Block {
    let is_file = |word: &&str| word.contains('/') && word.contains('.') && !word.contains(' ');
    let file = quoted(prose).into_iter().rfind(is_file);
    let before = prose.split_once(", before `");
    let before = before.map(|(_, rest)| rest.split('`').next().unwrap().to_owned());
    Block {
        file: file
            .unwrap_or_else(|| panic!("no file: {prose}"))
            .to_owned(),
        before,
        code,
    }
}

/// Puts a block where the page says, with the indentation of the line there.
fn insert(root: &Path, block: &Block) {
    let file = root.join(&block.file);
    let Some(before) = &block.before else {
        assert!(!file.exists(), "{} is there already", block.file);
        fs::write(file, &block.code).unwrap();
        return;
    };
    let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("no {}", block.file));
    let lines = text.lines();
    let there: Vec<_> = lines
        .filter(|line| line.contains(before.as_str()))
        .collect();
    let [line] = there.as_slice() else {
        panic!("{} has {} lines with {before}", block.file, there.len());
    };
    let indent = line.len() - line.trim_start().len();
    let code: String = block
        .code
        .lines()
        .map(|line| format!("{}{line}\n", " ".repeat(indent)))
        .collect();
    let start = text.find(line).unwrap();
    let (head, tail) = text.split_at(start);
    fs::write(file, format!("{head}{code}\n{tail}")).unwrap();
}

/// Copies the sources, but for what is built.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            symlink(fs::read_link(from).unwrap(), to).unwrap();
        } else if kind.is_file() {
            fs::copy(from, to).unwrap();
        } else if is_source(&entry.file_name().to_string_lossy()) {
            copy(&from, &to);
        }
    }
}

fn is_source(folder: &str) -> bool {
    !matches!(folder, "target" | ".git" | "fixtures")
}

/// A run of cargo on the copy, with the target folder of the project, where all
/// dependencies are compiled.
fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(places::cargo());
    cargo.current_dir(root);
    cargo.args(arguments).args(flags());
    cargo.env("CARGO_TARGET_DIR", places::workspace().join("target"));
    cargo
}

/// The flags with which the project is always built.
fn flags() -> Vec<String> {
    let mut just = Command::new(places::just());
    just.current_dir(places::workspace());
    let flags = process::run(just.args(["--evaluate", "flags"]), b"");
    assert_eq!(flags.code, Some(0), "{}", flags.stderr);
    flags.stdout.split_whitespace().map(str::to_owned).collect()
}

fn compiles() {
    // In the same place each time, so that what cargo keeps of it doesn't pile up.
    let root = places::workspace().join("target/link-kind");
    if root.exists() {
        fs::remove_dir_all(&root).unwrap();
    }
    copy(&places::workspace(), &root);
    let blocks = blocks(&section());
    assert!(blocks.len() > 5, "{blocks:#?}");
    for block in &blocks {
        insert(&root, block);
    }
    let checked = cargo(&root, &["check", "--offline"]).output().unwrap();
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{errors}");
}
