//! The state that a driver stores for a network.

use std::fs;
use std::path::PathBuf;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("state::{name}"), NEEDS, test);
    test("containers-of-a-network-share-it", shared);
    test("another-network-and-driver-see-nothing", apart);
    test("what-fails-changes-nothing", failures);
    test("what-cannot-be-kept-is-said", refused);
    test("create-has-none", create);
    test("gc-clears-it-too", gc);
}

fn grant() -> Grant {
    Grant::of(&[
        "state.get",
        "state.set",
        "state.remove",
        "state.keys",
        "log.write",
        "links.create-ifb",
    ])
}

/// A container on a network.
struct Container {
    netns: Netns,
    connection: Connection,
    driver: &'static str,
}

impl Container {
    fn new(number: u32) -> Self {
        Self {
            netns: Netns::new(),
            connection: Connection::new(NAME).container(&format!("{number:064x}")),
            driver: NAME,
        }
    }

    fn on_network(mut self, number: u32) -> Self {
        let id = format!("{number:064x}");
        self.connection = self.connection.network("id", id);
        self
    }

    fn setup(&self, probe: &Probe<'_>, script: &str) -> Output {
        self.run(probe, "setup", "script", script)
    }

    fn run(&self, probe: &Probe<'_>, command: &str, option: &str, script: &str) -> Output {
        let document = self.connection.clone().option(option, script);
        let netns = self.netns.path();
        let arguments = [command, &*netns.to_string_lossy()];
        let document = document.for_plugin();
        probe.wasmvark.plugin(self.driver, &arguments, document)
    }

    #[track_caller]
    fn teardown(&self, probe: &Probe<'_>, script: &str) -> Output {
        let output = self.run(probe, "teardown", "teardown-script", script);
        assert_eq!(output.code, Some(0), "{output:?}");
        output
    }

    /// What a new setup of this container finds.
    #[track_caller]
    fn finds(&self, probe: &Probe<'_>, text: &str) {
        let output = self.setup(probe, "state.keys tell; state.get key tell");
        answer_of(&output);
        let found: Vec<_> = output
            .stderr
            .lines()
            .filter_map(|line| line.split_once("warning: "))
            .map(|(_, text)| text)
            .collect();
        assert_eq!(found.join("; "), text);
    }
}

const NOTHING: &str = "keys: ; get: None";

#[track_caller]
fn assert_no_files(probe: &Probe<'_>) {
    assert_eq!(probe.wasmvark.run_files(), Vec::<PathBuf>::new());
}

fn shared() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    let script =
        "state.set key some text; state.set other more; state.remove other; state.get key tell";
    let output = one.setup(&probe, script);
    answer_of(&output);
    assert!(output.stderr.contains("Some(\"some text\")"), "{output:?}");
    two.finds(&probe, "keys: key; get: Some(\"some text\")");
    answer_of(&two.setup(&probe, "state.set second 2"));
    one.teardown(&probe, "state.set key new");
    two.setup(&probe, "state.set second 2");
    // The second one's setup began with nobody connected.
    two.finds(&probe, NOTHING);
    answer_of(&two.setup(&probe, "state.set second 2"));
    answer_of(&one.setup(&probe, "state.set key text"));
    two.teardown(&probe, "state.set key new; state.remove second");
    let third = Container::new(3);
    third.finds(&probe, "keys: key; get: Some(\"new\")");
    one.teardown(&probe, "state.set key last");
    third.teardown(&probe, "");
    assert_no_files(&probe);
}

fn apart() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    probe.wasmvark.install("probe", "other", &grant());
    let one = Container::new(1);
    answer_of(&one.setup(&probe, "state.set key text"));
    let elsewhere = Container::new(2).on_network(7);
    elsewhere.finds(&probe, NOTHING);
    elsewhere.teardown(&probe, "");
    let mut others = Container::new(3);
    others.driver = "other";
    others.finds(&probe, NOTHING);
    others.teardown(&probe, "");
    Container::new(4).finds(&probe, "keys: key; get: Some(\"text\")");
    one.teardown(&probe, "");
    assert_no_files(&probe);
}

fn failures() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    answer_of(&one.setup(&probe, "state.set key text"));
    let kept = "keys: key; get: Some(\"text\")";
    for end in ["fail on purpose", "trap"] {
        let script = format!("state.set key new; state.set more 1; {end}");
        error_of(&two.setup(&probe, &script));
        two.finds(&probe, kept);
        two.teardown(&probe, &script);
        Container::new(3).finds(&probe, kept);
    }
    // What the answer is about fails after the driver.
    let document = two
        .connection
        .clone()
        .option("script", "state.set key new; dns nowhere");
    let netns = two.netns.path();
    let arguments = ["setup", &*netns.to_string_lossy()];
    let output = probe
        .wasmvark
        .plugin(NAME, &arguments, document.for_plugin());
    error_of(&output);
    two.finds(&probe, kept);
    one.teardown(&probe, "");
    assert_no_files(&probe);
}

fn refused() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let one = Container::new(1);
    let long = format!("state.set {} text", "k".repeat(65));
    let full: String = (0..16)
        .map(|number| format!("state.set key{number:02} *65530; "))
        .collect();
    answer_of(&one.setup(&probe, &full));
    for (script, text) in [
        (long, "it takes 1 to 64 of the characters a-z, 0-9"),
        ("state.get Key".to_owned(), "\"Key\" can't be a key"),
        (
            "state.remove ../key".to_owned(),
            "\"../key\" can't be a key",
        ),
        ("state.get \"\"".to_owned(), "\"\" can't be a key"),
        (
            "state.set key *65537".to_owned(),
            "state.set: a value has at most 65536 bytes, and this one has 65537",
        ),
        (
            format!("{full}state.set more *100"),
            "state.set on state more failed: the state of a network has at most 1048576 bytes, and \
             would have 1048664: remove some of it first (ENOSPC)",
        ),
    ] {
        let error = error_of(&one.setup(&probe, &script));
        assert!(error.contains(text), "{error}");
    }
    one.teardown(&probe, "");
    assert_no_files(&probe);
}

fn create() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for script in ["state.get key", "state.set key text", "state.keys"] {
        let document = Connection::new(NAME).option("create-script", script);
        let output = probe
            .wasmvark
            .plugin(NAME, &["create"], document.for_create());
        let error = error_of(&output);
        let text = "a network has no state before its first container (EOPNOTSUPP)";
        assert!(error.contains(text), "{error}");
    }
    assert_no_files(&probe);
}

fn gc() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    answer_of(&one.setup(&probe, "state.set key text"));
    answer_of(&two.setup(&probe, "state.set key text"));
    drop(one);
    probe.wasmvark.gc_until("1 cleared");
    two.finds(&probe, NOTHING);
    answer_of(&two.setup(&probe, "state.set key text"));
    let journals = probe.wasmvark.root().join("run/journal");
    // A teardown that was killed before its very last step.
    for file in probe.wasmvark.run_files() {
        if file.extension().is_some_and(|end| end == "jsonl") {
            fs::remove_file(file).unwrap();
        }
    }
    assert!(journals.exists());
    let output = probe.wasmvark.administer(&["gc"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_no_files(&probe);
}
