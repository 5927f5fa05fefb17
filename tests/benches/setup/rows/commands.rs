//! Commands of the operator's: `install`, and `plan` of a component's file.

use std::fs;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::places;
use wasmvark_tests::world::World;

use super::{Line, Row, Target, name};
use crate::options::Options;
use crate::run::Run;
use crate::series;

/// The driver, which is in Rust.
const DRIVER: &str = "macvlan";

pub(super) const INSTALL: Row = Row {
    name: "install",
    what: "install of a driver in Rust",
    needs: &[Need::Root],
    released: &[],
    measure: install,
};

pub(super) const PLAN: Row = Row {
    name: "plan",
    what: "plan of a file, the second time",
    needs: &[Need::Root, Need::Macvlan],
    released: &[],
    measure: plan,
};

/// Into an empty installation each time, so that there is no compiled code.
fn install(options: &Options) -> Vec<Line> {
    let world = World::new();
    let [root, grant] = ["empty", "grant"].map(|name| world.file(name));
    let component = places::guest(DRIVER);
    fs::write(
        &grant,
        Grant::example(DRIVER).to_toml(&name(DRIVER), &component),
    )
    .unwrap();
    let run = Run::of(places::wasmvark())
        .arg("--root")
        .arg(&root)
        .arg("install")
        .arg(&component)
        .args(&["--name", &name(DRIVER), "--grant"])
        .arg(&grant);
    let mut install = || {
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        fs::create_dir(&root).unwrap();
        run.time(&world.host)
    };
    let times = series::alone(options.rounds(10), &mut install);
    vec![Line::alone(INSTALL.what, "ms", times).at_most(Target::Ours(200.0))]
}

/// The runs before the measured ones are the first time.
fn plan(options: &Options) -> Vec<Line> {
    let world = World::new();
    let [root, request] = ["empty", "request"].map(|name| world.file(name));
    fs::create_dir(&root).unwrap();
    fs::write(&request, Connection::v4(&name(DRIVER)).for_plugin()).unwrap();
    let run = Run::of(places::wasmvark())
        .arg("--root")
        .arg(&root)
        .arg("plan")
        .arg(places::guest(DRIVER))
        .arg(&request)
        .arg("--grant-requested");
    let mut plan = || run.time(&world.host);
    let times = series::alone(options.rounds(20), &mut plan);
    vec![Line::alone(PLAN.what, "ms", times).at_most(Target::Ours(20.0))]
}
