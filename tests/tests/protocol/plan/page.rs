//! The commands on the page about plans, with their output.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::page::{blocks, has_in_order};
use wasmvark_tests::places;
use wasmvark_tests::plan::Trial;
use wasmvark_tests::process;
use wasmvark_tests::world::{PARENT, World};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("plan/the page", NEEDS, page);
}

fn page() {
    let page = places::workspace().join("docs/plan.md");
    let page = fs::read_to_string(page).expect("the page can be read");
    let world = World::new();
    let rename = format!("link set {PARENT} down\nlink set {PARENT} name eth0\nlink set eth0 up");
    world.host.ip_batch(&[], &rename);
    let trial = Trial::of(&world, "macvlan");
    // The page's machine has macvlans already.
    let folder = world.directory();
    symlink(places::wasmvark(), folder.join("wasmvark")).unwrap();
    fs::copy(places::guest("macvlan"), folder.join("macvlan.wasm")).unwrap();
    let commands = blocks(&page, "sh");
    assert_eq!(commands.len(), 3, "blocks of commands");
    let shown = run(&trial, folder, &commands[0]);
    has_in_order(&shown, &blocks(&page, "text")[0]);
    run(&trial, folder, &commands[1]);
    let svg = fs::read_to_string(folder.join("plan.svg")).unwrap();
    assert!(svg.starts_with("<svg "), "{svg}");
    let dot = fs::read_to_string(folder.join("plan.dot")).unwrap();
    assert!(dot.starts_with("digraph "), "{dot}");
    run(&trial, folder, &commands[2]);
    // What the page says of exit codes.
    let document = Connection::v4("none").for_plugin();
    for (arguments, code) in [(&["--format", "nonsense"][..], 2), (&[][..], 1)] {
        let output = trial.run_of("none", &document, arguments);
        assert_eq!(output.code, Some(code), "{output:?}");
    }
}

#[track_caller]
fn run(trial: &Trial<'_>, folder: &Path, commands: &str) -> String {
    let mut shell = trial.world.host.command("sh");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let shell = shell
        .args(["-e", "-c", commands])
        .env("PATH", path)
        .env("WASMVARK_ROOT", trial.wasmvark.root())
        .current_dir(folder);
    let output = process::run(shell, b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}
