//! The properties of all commands: manual pages, completions, versions and exit codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("commands/manual pages", NO_LINKS, pages);
    suite.test(
        "commands/manual pages in groff",
        &[Need::Root, Need::Groff],
        pages_in_groff,
    );
    suite.test("commands/bash completes", NO_LINKS, bash_completes);
    suite.test("commands/completions", NO_LINKS, completions);
    suite.test("commands/version", NO_LINKS, version);
    suite.test("commands/exit codes", NO_LINKS, exit_codes);
}

/// Runs the program without an environment.
fn wasmvark(arguments: &[&str]) -> Output {
    let mut command = Command::new(places::wasmvark());
    process::run(command.env_clear().args(arguments), b"")
}

fn succeeds(arguments: &[&str]) -> String {
    let output = wasmvark(arguments);
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output.stdout
}

/// The commands that the help lists.
fn commands() -> BTreeSet<String> {
    let help = succeeds(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn write_pages(folder: &Path) -> BTreeSet<String> {
    succeeds(&["man", &folder.to_string_lossy()]);
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn pages() {
    let folder = tempfile::tempdir().unwrap();
    let pages = write_pages(folder.path());
    let mut expected: BTreeSet<_> = commands()
        .iter()
        .map(|command| format!("wasmvark-{command}.1"))
        .collect();
    assert!(expected.contains("wasmvark-install.1"), "{expected:?}");
    expected.insert("wasmvark.1".to_owned());
    assert_eq!(pages, expected);
    for page in &pages {
        let text = fs::read_to_string(folder.path().join(page)).unwrap();
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "EXAMPLES",
            "\"EXIT STATUS\"",
        ] {
            assert!(
                text.contains(&format!("\n.SH {section}\n")),
                "{page}: {section}"
            );
        }
    }
    let main = fs::read_to_string(folder.path().join("wasmvark.1")).unwrap();
    assert_eq!(succeeds(&["man"]), main);
    let title = format!(
        ".TH WASMVARK 1 \"\" \"wasmvark {}\" wasmvark\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(main.starts_with(&title), "{main}");
    for word in [
        "WASMVARK_ROOT",
        "NO_COLOR",
        "/var/lib/wasmvark",
        "XDG_STATE_HOME",
    ] {
        assert!(main.contains(word), "{word}");
    }
    // It says what it can't write.
    let output = wasmvark(&["man", "/dev/null/pages"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("/dev/null/pages"), "{output:?}");
}

fn pages_in_groff() {
    let folder = tempfile::tempdir().unwrap();
    for page in write_pages(folder.path()) {
        let path = folder.path().join(&page);
        let mut groff = Command::new("groff");
        let output = process::run(groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(&path), b"");
        assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{page}");
    }
}

/// What Bash offers after some words.
fn offered(script: &Path, words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let last = words.len() - 1;
    let text = format!(
        "source {script:?}; COMP_WORDS=({}); COMP_CWORD={last}; _wasmvark wasmvark '{}' '{}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words[last],
        words[last - 1],
    );
    let output = process::run(Command::new("bash").args(["-c", &text]), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

fn bash_completes() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("wasmvark");
    fs::write(&script, succeeds(&["completions", "bash"])).unwrap();
    assert_eq!(offered(&script, &["wasmvark", "ins"]), "install\ninspect\n");
    assert_eq!(
        offered(&script, &["wasmvark", "install", "--grant-"]),
        "--grant-requested\n--grant-imports\n"
    );
    assert_eq!(
        offered(&script, &["wasmvark", "list", "--format", "j"]),
        "json\n"
    );
}

fn completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = succeeds(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    assert_eq!(wasmvark(&["completions", "tcsh"]).code, Some(2));
}

fn version() {
    let number = concat!("wasmvark ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(succeeds(&["--version"]), number);
    assert_eq!(succeeds(&["-V"]), number);
    let world = World::new();
    let root = Wasmvark::new(&world).root().to_owned();
    let long = succeeds(&["--version", "--verbose", "--root", &root.to_string_lossy()]);
    let wit = fs::read_to_string(places::workspace().join("wit/world.wit")).unwrap();
    let package = wit
        .lines()
        .find_map(|line| line.strip_prefix("package ")?.rsplit_once('.'))
        .map(|(minor, _)| minor.replace('@', " "))
        .unwrap();
    let grants = root.join("grants");
    for word in [
        &*package,
        "wasmtime ",
        std::env::consts::ARCH,
        &grants.to_string_lossy(),
    ] {
        assert!(long.contains(word), "{word}: {long}");
    }
    for key in [
        "version ",
        "commit ",
        "target ",
        "engine ",
        "worlds ",
        "audit trail ",
    ] {
        assert!(
            long.contains(&format!("\n{key}")) || long.starts_with(key),
            "{key}: {long}"
        );
    }
}

fn exit_codes() {
    for (arguments, code) in [
        (&["list", "--root", "/nowhere"][..], 0),
        (&["inspect", "--root", "/nowhere", "nothing"], 1),
        (&["remove", "--root", "/nowhere", "nothing"], 1),
        (&[], 2),
        (&["--root", "/nowhere"], 2),
        (&["--verbose"], 2),
        (&["list", "--colour"], 2),
        (&["no-such-command"], 2),
        (&["doctor", "--root", "/dev/null"], 2),
    ] {
        let output = wasmvark(arguments);
        assert_eq!(output.code, Some(code), "{arguments:?}: {output:?}");
        assert_eq!(
            output.stderr.is_empty(),
            code == 0,
            "{arguments:?}: {output:?}"
        );
    }
}
