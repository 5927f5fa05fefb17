//! The run of a driver's function, within its limits.

use std::time::Instant;

use policy::Limits;
use request::{Network, Request};
use types::text;
use wasmtime::{Store, Trap};

use super::answer;
use super::crash;
use super::engine::Code;
use super::exports::Exports;
use super::limits::{HANDLES_MAX, Meter, passed_max};
use super::link::link;
use super::usage::Usage;
use super::wasi::Wasi;
use super::watch::{Caught, Watch};
use super::{ComponentError, GuestError, NetworkChange};
use crate::gate::{Gate, Stop};
use crate::session::Mapped;

/// The data in the store of a run.
pub(super) struct State {
    gate: Gate,
    meter: Meter,
    wasi: Option<Wasi>,
    log_bytes: u64,
}

impl State {
    pub(super) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    pub(super) fn wasi(&mut self) -> &mut Wasi {
        self.wasi.get_or_insert_with(|| Wasi::new(self.log_bytes))
    }
}

/// A driver's part of the answer to `setup`.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// DNS servers, in text form.
    pub dns_servers: Vec<String>,
    /// Search domains.
    pub search_domains: Vec<String>,
}

/// The reason why a driver failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The driver returned an error.
    #[error("{0}")]
    Driver(String),
    /// The driver exceeded a limit.
    #[error(
        "the driver was stopped: {reason}; raise it under [limits] in {grant} if that is right"
    )]
    Limit {
        /// The exceeded limit, in words.
        reason: String,
        /// The path of the grant file.
        grant: String,
    },
    /// The driver trapped.
    #[error("the driver crashed: {0}")]
    Trap(String),
    /// The driver returned too much.
    #[error("the driver returned {count} {unit} {what}, and at most {max} are allowed")]
    Answer {
        /// The part of the answer, as "as DNS servers".
        what: &'static str,
        /// The returned number.
        count: usize,
        /// The most that may be returned.
        max: usize,
        /// The unit of both numbers.
        unit: &'static str,
    },
    /// A signal ended the run.
    #[error("the run was ended by {0}; what it did is undone")]
    Interrupted(&'static str),
    /// The host failed.
    #[error("{0}")]
    Host(String),
    /// The component isn't a driver.
    #[error(transparent)]
    Component(#[from] ComponentError),
}

/// A running driver.
pub struct Run {
    store: Store<State>,
    driver: Exports,
    limits: Limits,
}

impl Code {
    /// Checks whether the component fits the world that this host serves.
    pub fn check_world(&self) -> Result<(), ComponentError> {
        link(self).map(drop)
    }
}

/// Instantiates a driver behind a gate and calls `work` with it, until `watch` ends the
/// run. The gate is returned in any case.
pub(crate) fn run<T>(
    Mapped { code, started }: &Mapped,
    mut gate: Gate,
    watch: Watch,
    work: impl FnOnce(&mut Run) -> Result<T, RunError>,
) -> (Gate, Result<T, RunError>) {
    let begun = Instant::now();
    let linked = match link(code) {
        Ok(linked) => linked,
        Err(error) => return (gate, Err(error.into())),
    };
    let limits = gate.limits().clone();
    gate.end_at(Some(watch.deadline()));
    let state = State {
        gate,
        meter: Meter::new(limits.clone()),
        wasi: None,
        log_bytes: limits.log_bytes,
    };
    let mut store = Store::new(&code.engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(passed_max(&limits));
    store.set_max_component_handles(HANDLES_MAX);
    let caught = watch.start(code.engine.clone());
    started();
    let driver = match linked.instantiate(&mut store) {
        Ok(driver) => driver,
        Err(error) => {
            let error = explain(store.data(), &limits, &error);
            let error = interrupted(&caught).unwrap_or(error);
            let mut gate = store.into_data().gate;
            gate.end_at(None);
            return (gate, Err(error));
        }
    };
    let mut run = Run {
        store,
        driver,
        limits,
    };
    failpoint::in_guest();
    let start = begun.elapsed();
    let result = work(&mut run);
    let function = begun.elapsed().saturating_sub(start);
    // A signal counts even if the driver has finished, because the caller is gone.
    let result = interrupted(&caught).map_or(result, Err);
    let (memory, table_elements) = run.store.data().meter.used();
    let printed = run.store.data().wasi.as_ref().map(Wasi::output);
    let printed = printed.map_or(0, |text| text.len());
    let mut gate = run.finish();
    gate.note_usage(Usage {
        start,
        function,
        memory,
        table_elements,
        log_bytes: u64::try_from(printed).unwrap_or(u64::MAX),
        ..Usage::default()
    });
    (gate, result)
}

impl Run {
    /// Runs `create`.
    pub fn create(
        &mut self,
        network: &Network,
        json: &str,
    ) -> Result<Vec<NetworkChange>, RunError> {
        let result = self.driver.create(&mut self.store, network, json);
        let changes = self.outcome(result)?;
        answer::check_changes(&changes)?;
        Ok(changes)
    }

    /// Runs `setup`.
    pub fn setup(&mut self, request: &Request, json: &str) -> Result<Answer, RunError> {
        let result = self.driver.setup(&mut self.store, request, json);
        let answer = self.outcome(result)?;
        answer::check(&answer)?;
        Ok(Answer {
            dns_servers: answer.dns_servers,
            search_domains: answer.search_domains,
        })
    }

    /// Runs `teardown`.
    pub fn teardown(
        &mut self,
        request: &Request,
        container_exists: bool,
        json: &str,
    ) -> Result<(), RunError> {
        let driver = &self.driver;
        let result = driver.teardown(&mut self.store, request, container_exists, json);
        self.outcome(result)
    }

    /// Ends the run and returns the gate.
    fn finish(self) -> Gate {
        let mut state = self.store.into_data();
        state.gate.end_at(None);
        if let Some(wasi) = state.wasi.take() {
            state.gate.log_output(&wasi.output());
        }
        state.gate
    }

    fn outcome<T>(
        &mut self,
        result: wasmtime::Result<Result<T, GuestError>>,
    ) -> Result<T, RunError> {
        // The last call must have its record too.
        if let (Ok(_), Some(call)) = (&result, self.store.data().gate.unrecorded_call()) {
            return Err(RunError::Host(call));
        }
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(RunError::Driver(message(error))),
            Err(error) => Err(explain(self.store.data(), &self.limits, &error)),
        }
    }
}

fn interrupted(caught: &Caught) -> Option<RunError> {
    caught
        .signal()
        .map(|signal| RunError::Interrupted(signal.as_str()))
}

/// Returns the text of a driver's error.
fn message(error: GuestError) -> String {
    let text = match error {
        GuestError::Denied(text)
        | GuestError::NotFound(text)
        | GuestError::Exists(text)
        | GuestError::Invalid(text)
        | GuestError::Busy(text)
        | GuestError::Unsupported(text)
        | GuestError::ReadOnly(text)
        | GuestError::Other(text) => text,
    };
    if text.trim().is_empty() {
        return "the driver failed and gave no reason".to_owned();
    }
    text::plain_error(&text)
}

/// Returns the error for a driver that was stopped or crashed.
fn explain(state: &State, limits: &Limits, error: &wasmtime::Error) -> RunError {
    let limit = |reason: String| RunError::Limit {
        reason,
        grant: state.gate.grant_path().display().to_string(),
    };
    let late = || {
        limit(format!(
            "it ran longer than the {} ms that `deadline-ms` allows",
            limits.deadline_ms
        ))
    };
    let log_full = || {
        limit(format!(
            "it wrote more than the {} bytes that `log-bytes` allows",
            limits.log_bytes
        ))
    };
    match state.gate.stopped() {
        Some(Stop::Deadline) => return late(),
        Some(Stop::Log) => return log_full(),
        Some(Stop::Calls) => {
            return limit(format!(
                "it made more than the {} calls that `calls` allows",
                limits.calls
            ));
        }
        Some(Stop::Trail) => {
            return RunError::Host(
                "the driver was stopped: it did more than the audit trail takes of one run"
                    .to_owned(),
            );
        }
        Some(Stop::Host(reason)) => return RunError::Host(reason.clone()),
        None => {}
    }
    if state.wasi.as_ref().is_some_and(Wasi::is_full) {
        return log_full();
    }
    if let Some(reason) = state.meter.exceeded() {
        return limit(reason.to_owned());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => late(),
        Some(_) => RunError::Trap(crashed(state, error)),
        // wasmtime has no public type for this error.
        None if format!("{error:#}").contains("fuel allocated for hostcalls") => {
            too_much(passed_max(limits), limits, limit)
        }
        // wasmtime counts instances itself, and has no public type for this error.
        None if format!("{error:#}").contains("resource limit exceeded") => limit(format!(
            "it has more than the {} instances, memories or tables that `instances` allows",
            limits.instances
        )),
        None => RunError::Trap(crashed(state, error)),
    }
}

/// Describes a crash with what the driver wrote and asked for before it.
fn crashed(state: &State, error: &wasmtime::Error) -> String {
    let printed = state.wasi.as_ref().map(Wasi::output).unwrap_or_default();
    let output = format!("{}{printed}", state.gate.last_messages());
    crash::describe(error, &output, state.gate.last_call().as_deref())
}

/// Returns the error for a call that passes too many bytes to the host. A grant can
/// raise this limit only up to `PASSED_MAX`.
fn too_much(max: usize, limits: &Limits, limit: impl FnOnce(String) -> RunError) -> RunError {
    let text = format!("it passed more than {max} bytes to the host at once");
    match usize::try_from(limits.memory) {
        Ok(memory) if memory == max => limit(format!("{text}, for which `memory` counts too")),
        _ => RunError::Host(format!("the driver was stopped: {text}")),
    }
}
