//! The commands on the page about grants, with their output.

use std::fs;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

/// Writes the page anew with what the commands show, if it is `write`.
const WRITE: &str = "WASMVARK_TEST_GRANTS";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("grants-page/shows what users see", NO_LINKS, page);
}

/// Runs the commands of the page from top to bottom.
fn page() {
    let path = places::workspace().join("docs/grants.md");
    let page = fs::read_to_string(&path).unwrap();
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let mut shown = String::new();
    for (index, part) in page.split("```").enumerate() {
        if index > 0 {
            shown.push_str("```");
        }
        // Every other one is a block, with its kind in the first line.
        let is_block = index % 2 == 1;
        match part.split_once('\n') {
            Some(("sh", commands)) if is_block => {
                for line in commands.lines() {
                    let (output, code) = run(&wasmvark, line);
                    assert_eq!(code, Some(0), "{line}: {output}");
                }
                shown.push_str(part);
            }
            Some(("console", block)) if is_block => {
                shown.push_str("console\n");
                for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    shown.push_str(&format!("$ {line}\n{}", run(&wasmvark, line).0));
                }
            }
            _ => shown.push_str(part),
        }
    }
    if std::env::var(WRITE).is_ok_and(|what| what == "write") {
        fs::write(&path, &shown).unwrap();
        return;
    }
    assert_eq!(page, shown, "{WRITE}=write writes docs/grants.md anew");
}

/// What a user sees of a command who has installed everything for the system.
fn run(wasmvark: &Wasmvark, line: &str) -> (String, Option<i32>) {
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("wasmvark"), "{line}");
    let mut command = wasmvark.command(words.next().expect("a command"));
    command.args(words).current_dir(places::workspace());
    let output = process::run(&mut command, b"");
    let text = format!("{}{}", output.stdout, output.stderr);
    let grants = wasmvark.root().join("grants");
    let text = text.replace(&*grants.to_string_lossy(), "/etc/wasmvark/grants");
    (without_digests(&text), output.code)
}

fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    let hex = |part: &str| {
        part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
            .to_owned()
    };
    parts.fold(first, |text, part| text + "sha256:…" + &hex(part))
}
