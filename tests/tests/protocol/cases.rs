//! `wasmvark test`: the cases of the drivers, what a case's result depends on, and the page
//! about it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::page::{self, blocks, has_in_order};
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

use crate::bench::{GUEST, NO_LINKS, PROBE};
use crate::tries::REAL;

/// A case that expects the missing of a parent.
pub(crate) const MISSING: &str = r#"
# A comment.
[network]
network_interface = "PARENT"
subnets = [{ subnet = "192.0.2.0/24", gateway = "192.0.2.1" }]

[container]
static_ips = ["192.0.2.9"]

[expect]
error = "links.get on link host:PARENT failed"
"#;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("cases/of the drivers", NO_LINKS, of_drivers);
    suite.test(
        "cases/this machine",
        &[Need::Root, Need::Macvlan],
        elsewhere,
    );
    suite.test("cases/differences", NO_LINKS, differences);
    suite.test("cases/bless", NO_LINKS, bless);
    suite.test("cases/grants", NO_LINKS, grants);
    suite.test("cases/what fails", NO_LINKS, faults);
    suite.test("cases/a driver that crashes", NO_LINKS, crash);
    suite.test("cases/what is refused", NO_LINKS, refused);
    suite.test("cases/the page", REAL, page);
}

/// A folder with cases, and the program.
struct Cases<'a> {
    wasmvark: Wasmvark<'a>,
    folder: PathBuf,
}

impl<'a> Cases<'a> {
    fn new(world: &'a World) -> Self {
        let folder = world.file("cases");
        fs::create_dir(&folder).unwrap();
        Self {
            wasmvark: Wasmvark::new(world),
            folder,
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    fn test(&self, guest: &str, arguments: &[&str]) -> Output {
        test(&self.wasmvark, &self.folder, guest, arguments)
    }
}

fn test(wasmvark: &Wasmvark<'_>, cases: &Path, guest: &str, arguments: &[&str]) -> Output {
    let component = places::guest(guest);
    let paths = [cases, &component].map(|path| path.to_str().unwrap());
    wasmvark.administer(&[&["test"], &paths[..], arguments].concat())
}

#[track_caller]
fn passes(output: &Output) {
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
}

#[track_caller]
fn fails(output: &Output, texts: &[&str]) {
    assert_eq!(output.code, Some(1), "{output:?}");
    for text in texts {
        let is_there = output.stdout.contains(text) || output.stderr.contains(text);
        assert!(is_there, "{text:?} isn't in:\n{}", output.stdout);
    }
}

/// The case of a parent that isn't there.
fn missing(parent: &str) -> String {
    MISSING.replace("PARENT", parent)
}

/// The drivers with cases, by their folders.
fn drivers() -> Vec<(String, PathBuf)> {
    let examples = fs::read_dir(places::workspace().join("guest-examples")).unwrap();
    let folders = examples.map(|entry| entry.unwrap().path());
    let mut drivers: Vec<_> = folders
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            (name, folder.join("cases"))
        })
        .filter(|(_, cases)| cases.exists())
        .collect();
    drivers.sort();
    drivers
}

fn of_drivers() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let drivers = drivers();
    assert!(drivers.len() > 3, "{drivers:?}");
    for (driver, cases) in drivers {
        passes(&test(&wasmvark, &cases, &driver, &[]));
        passes(&test(&wasmvark, &cases, &driver, &["--fail-at", "all"]));
    }
}

/// A link of this machine isn't there for a case.
fn elsewhere() {
    let world = World::new();
    let before = world.dump();
    let cases = Cases::new(&world);
    let present = missing(PARENT);
    cases.write("missing.toml", &present);
    passes(&cases.test(GUEST, &[]));
    let has_link = format!("{present}\n[[machine.host.links]]\nname = \"{PARENT}\"\n");
    cases.write("missing.toml", &has_link);
    let found = [
        &format!("- links.get on link host:{PARENT} failed")[..],
        "+ none",
    ];
    fails(&cases.test(GUEST, &[]), &found);
    world.assert_unchanged(&before);
}

fn differences() {
    let world = World::new();
    let cases = Cases::new(&world);
    cases.write("b/good.toml", &missing("eth0"));
    cases.write(
        "a.toml",
        &missing("eth0").replace("[expect]\n", "[expect]\ncalls = \"log\"\n"),
    );
    cases.write("notes.md", "no case");
    let output = cases.test(GUEST, &[]);
    let lines = [
        "- log",
        "+ links.get link host:eth0",
        "1 passed, 1 failed",
        "1 of 2 cases",
    ];
    fails(&output, &lines);
    let good = output.stdout.find("good.toml").unwrap();
    assert!(
        output.stdout.find("a.toml").unwrap() < good,
        "{}",
        output.stdout
    );
    passes(&cases.test(GUEST, &["--filter", "good"]));

    let output = cases.test(GUEST, &["--format", "json"]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&report["passed"], &report["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(report["cases"][0]["differences"][0]["what"], "calls");
    assert_eq!(report["cases"][0]["differences"][0]["expected"], "log");
    assert_eq!(report["cases"][1]["passed"], true);

    let output = cases.test(GUEST, &["--format", "junit"]);
    fails(
        &output,
        &[
            "tests=\"2\" failures=\"1\" errors=\"0\"",
            "<failure message=\"calls",
        ],
    );
}

fn bless() {
    let world = World::new();
    let cases = Cases::new(&world);
    let file = cases.write("case.toml", &missing("eth0").replace("failed", "wrong"));
    fails(&cases.test(GUEST, &[]), &["wrong"]);
    passes(&cases.test(GUEST, &["--bless"]));
    let blessed = fs::read_to_string(file).unwrap();
    assert!(blessed.contains("# A comment."), "{blessed}");
    assert!(!blessed.contains("calls"), "it expected none: {blessed}");
    passes(&cases.test(GUEST, &[]));
}

/// The manifest's wishes are the grant, unless the case has one.
fn grants() {
    let world = World::new();
    let cases = Cases::new(&world);
    cases.write("grants/nothing.txt", "driver = \"macvlan\"\n");
    let granted = format!("grant = \"grants/nothing.txt\"\n{}", missing("eth0"));
    cases.write("case.toml", &granted);
    let denied = "links.get on link host:eth0 is denied";
    fails(
        &cases.test(GUEST, &[]),
        &["error: expected (-), found (+)", denied],
    );
}

fn faults() {
    let world = World::new();
    let cases = Cases::new(&world);
    cases.write("case.toml", &missing("eth0"));
    // The run fails at its first operation in any case, and leaves nothing.
    passes(&cases.test(GUEST, &["--fail-at", "1"]));
    passes(&cases.test(GUEST, &["--fail-at", "all"]));
    let output = cases.test(GUEST, &["--fail-at", "50"]);
    fails(&output, &["fewer than 50 operations"]);
    for wrong in [["--fail-at", "0"], ["--fail-at", "some"]] {
        assert_eq!(cases.test(GUEST, &wrong).code, Some(2));
    }
    let both = cases.test(GUEST, &["--fail-at", "1", "--bless"]);
    assert_eq!(both.code, Some(2));
}

/// A crash is a result like others, and the next case runs.
fn crash() {
    let world = World::new();
    let cases = Cases::new(&world);
    let script = "[network.options]\nscript = \"panic\"\n[expect]\nerror = \"crashed\"\n";
    let grant = "driver = \"probe\"\n";
    cases.write("grant.txt", grant);
    cases.write("a.toml", &format!("grant = \"grant.txt\"\n{script}"));
    let empty = "grant = \"grant.txt\"\n[expect]\ncalls = \"\"\n";
    cases.write("b.toml", empty);
    passes(&cases.test(PROBE, &[]));
}

fn refused() {
    let world = World::new();
    let cases = Cases::new(&world);
    for (text, why) in [
        ("", "expects nothing"),
        ("[expect]\nleft = \"x\"\n", "expects nothing"),
        ("[expect]\ncall = \"x\"\n", "unknown field `call`"),
        ("runs = \"setup\"\n", "unknown field `runs`"),
        ("run = \"teardown\"\n", "unknown variant `teardown`"),
        ("[expect]\nanswer = \"{\"\n", "is no JSON"),
        (
            "[network]\nsubnet = []\n[expect]\nerror = \"\"\n",
            "[network] has the unknown key subnet; did you mean \"subnets\"?",
        ),
        (
            "[container]\ninterface = \"x\"\n[expect]\nerror = \"\"\n",
            "[container] has the unknown key interface",
        ),
        (
            "[[machine.host.links]]\nname = \"a\"\nmaster = \"b\"\n[expect]\nerror = \"\"\n",
            "there is no link b in this namespace",
        ),
        (
            "[[machine.host.links]]\nname = \"lo\"\n[expect]\nerror = \"\"\n",
            "there are two links lo",
        ),
        (
            "[[machine.host.links]]\nname = \"a/b\"\n[expect]\nerror = \"\"\n",
            "\"a/b\" is no name of a link",
        ),
        (
            "grant = \"none.toml\"\n[expect]\nerror = \"\"\n",
            "none.toml",
        ),
    ] {
        cases.write("case.toml", text);
        fails(&cases.test(GUEST, &[]), &[why, "0 passed, 1 failed"]);
    }
    let folder = cases.folder.to_str().unwrap();
    cases.write("case.toml", &missing("eth0"));
    let output = cases.wasmvark.administer(&["test", folder]);
    fails(&output, &["no driver is named"]);
    fs::remove_file(cases.folder.join("case.toml")).unwrap();
    fails(&cases.test(GUEST, &[]), &["there is no case here"]);
}

/// The commands on the page, with their output.
fn page() {
    let page = page::read("docs/testing-drivers.md");
    let world = World::new();
    let folder = world.directory();
    symlink(places::wasmvark(), folder.join("wasmvark")).unwrap();
    fs::copy(places::guest(GUEST), folder.join("macvlan.wasm")).unwrap();
    let request = Connection::v4("wasm-macvlan").for_plugin();
    fs::write(folder.join("request.json"), request).unwrap();
    let wasmvark = Wasmvark::new(&world);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let (commands, shown) = (blocks(&page, "sh"), blocks(&page, "text"));
    assert_eq!((commands.len(), shown.len()), (8, 6), "blocks of the page");
    let mut outputs = Vec::new();
    for commands in &commands {
        let mut shell = world.host.command("sh");
        let shell = shell
            .args(["-e", "-c", commands])
            .env("PATH", &path)
            .env("WASMVARK_ROOT", wasmvark.root())
            .current_dir(folder);
        let output = process::run(shell, b"");
        passes(&output);
        outputs.push(output.stdout);
    }
    for (shown, output) in shown.iter().zip(&outputs) {
        has_in_order(output, shown);
    }
    let report = fs::read_to_string(folder.join("report.xml")).unwrap();
    assert!(report.contains("<testcase "), "{report}");
}
