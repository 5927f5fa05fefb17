//! The state of a network after a run that was killed or failed, at every point. It
//! must be the complete state of a run that succeeded.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::case::NAME;
use crate::points::{Point, Trace};

const NEEDS: &[Need] = &[Need::Root];
/// What the run that is disturbed does.
const CHANGE: &str = "state.set key new; links.create-ifb host -; state.set more 1";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("state/{name}"), NEEDS, test);
    test("setup kill", || try_all("setup", Trace::kills));
    test("setup errors", || {
        try_all("setup", Trace::failures);
        try_all("setup", Trace::failed_writes);
    });
    test("teardown kill", || try_all("teardown", Trace::kills));
    test("teardown errors", || {
        try_all("teardown", Trace::failures);
        try_all("teardown", Trace::failed_writes);
    });
}

/// A container on the network.
struct Container<'a> {
    wasmvark: &'a Wasmvark<'a>,
    netns: Netns,
    id: String,
}

impl<'a> Container<'a> {
    fn new(wasmvark: &'a Wasmvark<'a>, number: u32) -> Self {
        Self {
            wasmvark,
            netns: Netns::new(),
            id: format!("{number:064x}"),
        }
    }

    fn run(&self, command: &str, script: &str, variables: &[(&str, &str)]) -> Output {
        let option = match command {
            "setup" => "script",
            _ => "teardown-script",
        };
        let connection = Connection::new(NAME)
            .container(&self.id)
            .option(option, script);
        let mut plugin = self.wasmvark.plugin_command(NAME);
        plugin.arg(command).arg(self.netns.path());
        plugin.envs(variables.iter().copied());
        process::run(&mut plugin, connection.for_plugin().as_bytes())
    }

    #[track_caller]
    fn succeeds(&self, command: &str, script: &str) -> Output {
        let output = self.run(command, script, &[]);
        assert_eq!(output.code, Some(0), "{command} {script}: {output:?}");
        output
    }

    /// Whether a setup of it came to its end.
    fn is_complete(&self) -> bool {
        let journals = self.wasmvark.run_files().into_iter();
        let own = format!("{}.jsonl", self.id);
        journals.filter(|file| file.ends_with(&own)).any(|file| {
            std::fs::read_to_string(file)
                .unwrap()
                .contains("\"complete\"")
        })
    }
}

/// One container stays, another one's run is disturbed at every point, and a
/// third one reads what came of it.
fn try_all(command: &str, points: fn(&Trace) -> Vec<Point>) {
    let world = World::new();
    let wasmvark = Wasmvark::faulty(&world);
    let grant = Grant::of(&[
        "state.get",
        "state.set",
        "state.remove",
        "state.keys",
        "links.create-ifb",
        "log.write",
    ]);
    let grant = grant.on_host();
    wasmvark.install("probe", NAME, &grant);
    let before = world.dump();
    let [stays, disturbed, reads] = [1, 2, 3].map(|number| Container::new(&wasmvark, number));
    stays.succeeds("setup", "state.set key old");
    let prepare = || {
        reads.succeeds("setup", "state.set key old; state.remove more");
        reads.succeeds("teardown", "");
        if command == "teardown" {
            disturbed.succeeds(
                "setup",
                "links.create-ifb host -; state.set other 1; state.remove other",
            );
        }
    };
    let script = match command {
        "setup" => CHANGE,
        _ => "state.set key new; state.set more 1",
    };
    let file = world.file("trace").to_string_lossy().into_owned();
    prepare();
    let output = disturbed.run(command, script, &[("WASMVARK_FAULT_COUNT", &file)]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut failures = Vec::new();
    for point in points(&Trace::read(file.as_ref())) {
        disturbed.succeeds("teardown", "");
        prepare();
        let fault = [("WASMVARK_FAULT", point.fault.as_str())];
        let ended = disturbed.run(command, script, &fault);
        let may = match (command, ended.code) {
            (_, Some(0)) => ["new"].as_slice(),
            (_, Some(_)) => &["old"],
            ("setup", None) if disturbed.is_complete() => &["new"],
            ("setup", None) => &["old"],
            // It may have been killed after all was done.
            (_, None) => &["old", "new"],
        };
        let found = reads.succeeds("setup", "state.get key tell; state.keys tell");
        reads.succeeds("teardown", "");
        let is = |value: &str| {
            let keys = if value == "new" {
                "keys: key more"
            } else {
                "keys: key"
            };
            let mut lines = found.stderr.lines();
            found.stderr.contains(&format!("Some(\"{value}\")"))
                && lines.any(|line| line.ends_with(keys))
        };
        if !may.iter().any(|value| is(value)) {
            failures.push(format!("{}: {ended:?}\nbut {found:?}", point.fault));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    disturbed.succeeds("teardown", "");
    stays.succeeds("teardown", "");
    world.assert_unchanged(&before);
    assert!(
        wasmvark.run_files().is_empty(),
        "{:?}",
        wasmvark.run_files()
    );
}
