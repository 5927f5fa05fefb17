//! Runs of the probe, the driver that executes a script.

use std::path::PathBuf;

use serde_json::Value;
use wasmvark_tests::audit;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::{Before, World};

/// The name under which the guest is installed.
pub(crate) const NAME: &str = "probe";

/// The version of the interface that is served beside the current one.
const PREVIOUS: &str = "0.2";

/// A link of the host that no request names.
pub(crate) const STRANGER: &str = "x0";

/// Its MAC address.
pub(crate) const STRANGERS_MAC: &str = "02:00:00:00:00:f0";

/// The installed guest in a world of its own.
pub(crate) struct Probe<'a> {
    pub(crate) world: &'a World,
    pub(crate) wasmvark: Wasmvark<'a>,
    file: PathBuf,
    before: Before,
}

impl<'a> Probe<'a> {
    /// Installs a guest with a grant.
    pub(crate) fn with(world: &'a World, guest: &str, grant: &Grant) -> Self {
        let file = places::guests().join(guest).with_extension("wasm");
        Self::of_file(world, file, grant)
    }

    /// Installs the probe that was built for the version before the current one.
    pub(crate) fn previous(world: &'a World, grant: &Grant) -> Self {
        Self::of_file(world, places::frozen(PREVIOUS, NAME), grant)
    }

    fn of_file(world: &'a World, file: PathBuf, grant: &Grant) -> Self {
        let stranger =
            format!("link add {STRANGER} address {STRANGERS_MAC} type veth peer {STRANGER}-peer");
        world.host.ip_batch(&[], &stranger);
        let wasmvark = Wasmvark::new(world);
        wasmvark.install_file(&file, NAME, grant);
        Self {
            file,
            before: world.dump(),
            world,
            wasmvark,
        }
    }

    /// Installs the probe with a grant.
    pub(crate) fn new(world: &'a World, grant: &Grant) -> Self {
        Self::with(world, "probe", grant)
    }

    /// Gives it another grant.
    pub(crate) fn grant(&self, grant: &Grant) {
        self.wasmvark.install_file(&self.file, NAME, grant);
    }

    /// Runs `setup` with a script.
    pub(crate) fn setup(&self, connection: Connection, script: &str) -> Output {
        let connection = connection.option("script", script);
        self.wasmvark.setup(NAME, connection.for_plugin())
    }

    /// The same, and it does what a plan has said before. That is so where nothing
    /// depends on what a plan can't know.
    #[track_caller]
    pub(crate) fn setup_as_planned(&self, connection: Connection, script: &str) -> Output {
        let connection = connection.option("script", script);
        let planned = self.plan(&connection);
        let lines = self.wasmvark.audit().len();
        let output = self.wasmvark.setup(NAME, connection.for_plugin());
        let trail: Vec<audit::Line> = self.wasmvark.audit().into_iter().skip(lines).collect();
        assert_eq!(
            planned,
            audit::operations(&trail),
            "the plan, and what was done"
        );
        output
    }

    /// What a plan says that a setup does.
    fn plan(&self, connection: &Connection) -> Vec<String> {
        let netns = self.world.container.path();
        let mut plan = self.wasmvark.command("plan");
        let plan = plan
            .args([NAME, "-", "--format", "json", "--netns"])
            .arg(netns);
        let output = process::run(plan, connection.for_plugin().as_bytes());
        let report: Value = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|error| panic!("no plan ({error}): {output:?}"));
        let lines = report["operations"].as_array().expect("a list").iter();
        let lines = lines.map(|line| serde_json::from_value(line.clone()).unwrap());
        audit::operations(&lines.collect::<Vec<_>>())
    }

    /// Runs `setup`, which must fail, and checks that it left nothing.
    #[track_caller]
    pub(crate) fn setup_fails(&self, connection: Connection, script: &str) -> String {
        let error = error_of(&self.setup(connection, script));
        self.world.assert_unchanged(&self.before);
        error
    }

    /// Another process knows what the driver added as its own: it removes it in
    /// teardown, where the undo has nothing left to do.
    #[track_caller]
    pub(crate) fn removes_in_teardown(&self, connection: &Connection, add: &str, remove: &str) {
        answer_of(&self.setup(connection.clone(), add));
        let script = format!("{remove}; fail removed");
        let teardown = connection.clone().option("teardown-script", &script);
        let output = self.wasmvark.teardown(NAME, teardown.for_plugin());
        assert!(output.stderr.contains("removed"), "{output:?}");
        self.teardown(connection);
    }

    /// Runs `teardown`, which must succeed, and checks that nothing is left.
    #[track_caller]
    pub(crate) fn teardown(&self, connection: &Connection) {
        let output = self.wasmvark.teardown(NAME, connection.for_plugin());
        assert_eq!(output.code, Some(0), "teardown: {output:?}");
        self.world.assert_unchanged(&self.before);
    }

    /// The container's state.
    pub(crate) fn container(&self) -> Dump {
        Dump::of(&self.world.container)
    }
}
