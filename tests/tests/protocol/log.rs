//! `wasmvark log`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, NO_LINKS, PROBE};
use crate::trail::{files, rotate};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("log/a line for each decision", NO_LINKS, a_line_each);
    suite.test("log/filters", LINKS, filters);
    suite.test("log/rotated files in order", NO_LINKS, rotated);
    suite.test("log/follows", NO_LINKS, follows);
    suite.test("log/hostile text", NO_LINKS, hostile);
}

fn installed(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    let grant = Grant::nothing().call("links.get", r#"{ link = "lo" }"#);
    wasmvark.install(PROBE, DRIVER, &grant);
    wasmvark
}

fn create(wasmvark: &Wasmvark, network: &str, script: &str) {
    let request = Connection::v4(DRIVER)
        .network("name", network)
        .option("create-script", script);
    wasmvark.plugin(DRIVER, &["create"], request.for_create());
}

fn log(wasmvark: &Wasmvark, arguments: &[&str]) -> String {
    let output = wasmvark.administer(&[&["log"], arguments].concat());
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

/// The lines without their times and the space between columns.
fn words(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[1..].join(" ")
    });
    lines.collect()
}

fn a_line_each() {
    let world = World::new();
    let wasmvark = installed(&world);
    let nothing = wasmvark.administer(&["log"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""));
    assert!(nothing.stderr.contains("no such lines"), "{nothing:?}");
    create(
        &wasmvark,
        "lan",
        "?links.get host x0; links.get host lo; ?links.get-default; fail no more",
    );
    let shown = log(&wasmvark, &[]);
    assert_eq!(
        words(&shown),
        [
            "DRIVER COMMAND NETWORK CONTAINER DECISION ON",
            "wasm-macvlan create lan - run -",
            "wasm-macvlan create lan - deny links.get link host:x0; lacks { link = \"x0\" }",
            "wasm-macvlan create lan - allow links.get link host:lo; by { link = \"lo\" }",
            "wasm-macvlan create lan - deny links.get-default link of the default route; lacks { \
             link = \"*\" }",
            "wasm-macvlan create lan - end no more",
        ]
    );
    let starts: Vec<usize> = shown
        .lines()
        .map(|line| {
            line.find("create")
                .or_else(|| line.find("COMMAND"))
                .unwrap()
        })
        .collect();
    assert!(starts.iter().all(|start| *start == starts[0]), "{shown}");
    let json = log(&wasmvark, &["--format", "json"]);
    assert_eq!(json, fs::read_to_string(wasmvark.audit_file()).unwrap());
}

fn filters() {
    let world = World::new();
    let wasmvark = installed(&world);
    wasmvark.install(PROBE, "other", &Grant::nothing());
    create(&wasmvark, "a", "?links.get host x0");
    let setup = |id: &str| {
        let request = Connection::v4("other")
            .network("id", "another")
            .container(id);
        answer_of(&wasmvark.setup("other", request.for_plugin()));
    };
    setup("aaaabbbb");
    setup("aaaacccc");
    let count = |arguments: &[&str]| log(&wasmvark, arguments).lines().count().saturating_sub(1);
    let all = count(&[]);
    assert_eq!(all, 3 + 2 + 2);
    assert_eq!(count(&["--driver", "other"]), 4);
    assert_eq!(count(&["--container", "aaaab"]), 2);
    assert_eq!(count(&["--container", "aaaa", "--driver", DRIVER]), 0);
    assert_eq!(count(&["--denied"]), 1);
    assert_eq!(count(&["--since", "1h"]), all);
    assert_eq!(count(&["--since", "2020-01-01"]), all);
    assert_eq!(count(&["--since", "0s"]), 0);
    assert_eq!(count(&["--since", "2999-01-01T00:00:00Z"]), 0);
    let wrong = wasmvark.administer(&["log", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("10m"), "{wrong:?}");
}

fn rotated() {
    let world = World::new();
    let wasmvark = installed(&world);
    rotate(&wasmvark, 4096, 50);
    let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
    for name in &names {
        create(&wasmvark, name, "");
    }
    assert!(files(&wasmvark).len() > 3);
    let shown = log(&wasmvark, &[]);
    let begun = words(&shown).into_iter().filter_map(|line| {
        Some(
            line.strip_suffix(" - run -")?
                .rsplit_once(' ')?
                .1
                .to_owned(),
        )
    });
    assert_eq!(begun.collect::<Vec<_>>(), names);
}

/// What comes while it follows, over several files.
fn follows() {
    let world = World::new();
    let wasmvark = installed(&world);
    rotate(&wasmvark, 4096, 50);
    let mut command = wasmvark.command("log");
    command.args(["-f", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in stdout.lines() {
            let line = line.unwrap();
            let is_last = line.contains("\"last\"") && line.contains("\"end\"");
            sender.send(line).unwrap();
            if is_last {
                return;
            }
        }
    });
    for number in 0..30 {
        create(&wasmvark, &format!("n{number}"), "");
    }
    create(&wasmvark, "last", "");
    let mut seen = Vec::new();
    while let Ok(line) = receiver.recv_timeout(Duration::from_secs(20)) {
        seen.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    let files = files(&wasmvark);
    assert!(files.len() > 2, "{files:?}");
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let written: String = texts.collect();
    assert_eq!(seen, written.lines().collect::<Vec<_>>());
}

/// No line of the trail steers a terminal, and what is none is counted.
fn hostile() {
    let world = World::new();
    let wasmvark = installed(&world);
    create(&wasmvark, "lan", "fail \u{1b}[2J\u{202e}gone");
    let mut file = fs::File::options()
        .append(true)
        .open(wasmvark.audit_file())
        .unwrap();
    let forged = r#"{"time":"x\u001b[1m","event":"call","command":"\u001b","driver":"a\nb","digest":"","network":"\u009b","container":"\u202e","call":"\u0007","object":"\u001b]0;x\u0007","verdict":"allow","error":"\r"}"#;
    writeln!(file, "{forged}\n\n{{\"half").unwrap();
    let output = wasmvark.administer(&["log"]);
    let is_safe = |c: char| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c);
    assert!(
        output.stdout.lines().all(|line| line.chars().all(is_safe)),
        "{output:?}"
    );
    assert_eq!(output.stdout.lines().count(), 4, "{output:?}");
    assert!(output.stderr.contains("1 line of"), "{output:?}");
}
