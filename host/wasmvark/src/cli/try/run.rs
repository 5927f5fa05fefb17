//! Running a case on a machine that goes away.

use std::path::Path;
use std::process::Output;

use audit::Operation;
use serde_json::Value;
use sim::Simulation;

use crate::cli::plan::text;
use crate::cli::test::{Case, CaseError, Drivers, Function, Package, document};
use crate::cli::{CliError, Context};
use crate::plugin::Throwaway;
use crate::store::{Layout, Store};

/// What a driver did.
pub(super) struct Tried {
    pub(super) command: &'static str,
    /// The calls, and what was undone after a failure.
    pub(super) calls: Vec<String>,
    /// The document for the caller, or the error.
    pub(super) answer: Result<Value, String>,
    /// The namespaces afterwards.
    pub(super) topology: String,
    /// What the teardown did, if there was one.
    pub(super) teardown: Option<Vec<String>>,
    /// Why the teardown failed.
    pub(super) failure: Option<String>,
    /// What isn't as it was after the teardown.
    pub(super) left: String,
}

impl Tried {
    /// Returns the end of the command.
    pub(super) fn end(&self) -> Result<(), CliError> {
        let failed = match (&self.answer, &self.failure, self.left.is_empty()) {
            (Err(_), ..) => self.command,
            (_, Some(_), _) => "teardown",
            (_, _, false) => return Err(CliError::TryLeft),
            _ => return Ok(()),
        };
        Err(CliError::TryFailed(failed))
    }
}

/// Runs a case.
pub(super) fn run(context: &Context, file: &Path, given: Option<&Path>) -> Result<Tried, CliError> {
    let in_case = |error: CaseError| CliError::of_case(file, error);
    let case = &Case::read(file).map_err(in_case)?;
    let package = Drivers::new(context, given)?.package(case);
    let package = package.map_err(in_case)?;
    let document = document(case, package.name.as_str()).map_err(in_case)?;
    let machine = case.machine.imagined();
    let machine = machine.map_err(|error| in_case(error.into()))?;

    let here = Throwaway::enter(&machine)?;
    let store = Store::new(Layout::choose(Some(&here.root()))?);
    install(&store, &package)?;
    let scene = Scene {
        driver: package.name.as_str(),
        here: &here,
        store: &store,
        document: &document,
    };
    match case.run {
        Function::Create => scene.create(),
        Function::Setup => scene.setup(),
    }
}

fn install(store: &Store, package: &Package) -> Result<(), CliError> {
    let digest = store.put(&package.component, Some(&package.code))?;
    store.put_grant(&package.name, &package.grant)?;
    let plugins = store.layout().plugins.clone();
    let program = std::env::current_exe().map_err(CliError::Program)?;
    store.register(&package.name, &digest, &plugins, &program)?;
    Ok(())
}

/// A driver that is installed on a machine.
struct Scene<'a> {
    driver: &'a str,
    here: &'a Throwaway,
    store: &'a Store,
    document: &'a [u8],
}

impl Scene<'_> {
    fn create(&self) -> Result<Tried, CliError> {
        let answer = self.call("create")?;
        Ok(Tried {
            command: "create",
            calls: self.calls(0),
            answer,
            topology: text::topology(&self.here.look()?.topology()),
            teardown: None,
            failure: None,
            left: String::new(),
        })
    }

    fn setup(&self) -> Result<Tried, CliError> {
        let before = self.here.look()?;
        let answer = self.call("setup")?;
        let operations = self.calls(0);
        let between = self.here.look()?;
        let torn_down = self.call("teardown")?;
        let after = self.here.look()?;
        Ok(Tried {
            command: "setup",
            teardown: Some(self.calls(operations.len())),
            calls: operations,
            answer,
            topology: text::topology(&between.topology_since(&before)),
            failure: torn_down.err(),
            left: left(&before, &after),
        })
    }

    fn call(&self, command: &str) -> Result<Result<Value, String>, CliError> {
        let output = self.here.call(self.driver, command, self.document);
        Ok(answer(&output.map_err(CliError::Program)?))
    }

    /// Returns the operations on record but for the first ones.
    fn calls(&self, seen: usize) -> Vec<String> {
        let trail = std::fs::read(&self.store.layout().trail).unwrap_or_default();
        let lines = trail.split(|byte| *byte == b'\n');
        let operations: Vec<Operation> = lines.filter_map(Operation::parse).collect();
        text::lines(operations.get(seen..).unwrap_or_default())
    }
}

/// Returns what a run wrote for its caller.
fn answer(output: &Output) -> Result<Value, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let answer: Value = match text.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).map_err(|_| text.to_owned())?,
    };
    match (answer.get("error"), output.status.success()) {
        (Some(error), _) => Err(error.as_str().unwrap_or_default().to_owned()),
        (None, true) => Ok(answer),
        (None, false) => Err(format!("the run ended with {}", output.status)),
    }
}

/// Returns what isn't as it was, in words.
fn left(before: &Simulation, after: &Simulation) -> String {
    let (facts, now) = (before.facts(), after.facts());
    if facts == now {
        return String::new();
    }
    let changes = text::changes(&after.topology_since(before));
    if !changes.is_empty() {
        return changes;
    }
    // The topology leaves out what few drivers change.
    let new = now.iter().filter(|fact| !facts.contains(fact));
    let gone = facts.iter().filter(|fact| !now.contains(fact));
    new.map(|fact| format!("+ {fact}\n"))
        .chain(gone.map(|fact| format!("- {fact}\n")))
        .collect()
}
