//! One run of a driver: open, recover, run, and then commit or roll back.
//!
//! Each step consumes the previous one, so a run without one of them doesn't compile.
//! The steps depend on the run's kind: [`Create`], [`Setup`] or [`Teardown`]. The
//! deadline of the whole run is that of its [`Watch`]. It applies to the kernel's
//! operations after the recovery, because an undo has a time limit of its own.

mod clearing;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Instant;

use audit::{AuditError, Trail};
use journal::{JournalError, NetworkLock, StateError};
use kernel::Kernel;
use policy::Authority;
use trust::Secrets;

pub use clearing::{Cleared, Clearing};

use crate::driver::{self, Code, Run, RunError, Usage, Watch};
use crate::gate::{DhcpClient, Firewall, Gate, Log, Names, SubnetPools};
use crate::rollback::{Rollback, UndoError};

/// A run that only reads. It has no journal and undoes nothing.
pub enum Create {}
/// A run that connects a container, or that plans this.
pub enum Setup {}
/// A run that disconnects a container. It undoes the container's changes even after a
/// failure.
pub enum Teardown {}

/// The reason why a run failed.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the crate that it names"
)]
pub enum SessionError {
    /// A killed run left changes that couldn't be undone.
    #[error("{}", in_words(.0))]
    Undo(Vec<UndoError>),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Returns errors in one line.
fn in_words(left: &[UndoError]) -> String {
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    left.join("; ")
}

/// Confines the run, if it is to be confined, and then maps its driver's code.
pub type Load<'a> = Box<dyn FnOnce(&mut Rollback) -> Result<Mapped, RunError> + 'a>;

/// A driver's code that is ready to run.
pub struct Mapped {
    /// The code.
    pub code: Code,
    /// Is called once all threads of the run are there.
    pub started: fn(),
}

/// A driver with its permissions and resources.
pub struct Driver<'a> {
    /// Makes the driver's code ready, after all that the run needs is open.
    pub code: Load<'a>,
    /// The grant and the request.
    pub authority: Authority,
    /// The log for the driver's messages.
    pub log: Log,
    /// The operator's secrets.
    pub secrets: Secrets,
    /// The pools of subnets for a new network, in `create`.
    pub pools: Option<Box<dyn SubnetPools>>,
    /// Who makes the firewall's rules.
    pub firewall: Firewall,
    /// The container's names, if the user wants them served.
    pub names: Option<Names>,
    /// The container as a DHCP server's client, if there is one.
    pub dhcp: Option<DhcpClient>,
}

/// An open run. Killed runs may have left changes.
#[must_use = "recover what killed runs left"]
pub struct Session<Kind> {
    rollback: Rollback,
    watch: Watch,
    kind: PhantomData<Kind>,
}

/// A run that is ready to start, after the recovery.
#[must_use = "run the driver"]
pub struct Ready<Kind>(Session<Kind>);

/// A run whose driver has returned or failed.
#[must_use = "make the answer"]
pub struct Ran<Kind, T> {
    gate: Gate,
    result: Result<T, RunError>,
    kind: PhantomData<Kind>,
}

/// A run with its answer or an error. The driver's changes aren't final yet.
#[must_use = "commit the run"]
pub struct Answered<Kind, T, E> {
    rollback: Rollback,
    result: Result<T, E>,
    kind: PhantomData<Kind>,
}

/// A finished run. It was committed, or it was rolled back because of the error.
#[must_use = "it may have failed"]
pub struct Ended<T, E> {
    /// The rollback of the run.
    pub rollback: Rollback,
    /// The result of the run.
    pub result: Result<T, E>,
}

impl<Kind> Session<Kind> {
    fn new(rollback: Rollback, watch: Watch) -> Self {
        Self {
            rollback,
            watch,
            kind: PhantomData,
        }
    }

    /// Sets the run's deadline for the kernel's operations.
    fn ready(mut self) -> Ready<Kind> {
        self.rollback.set_deadline(self.watch.deadline());
        Ready(self)
    }
}

impl Session<Create> {
    /// Opens a run that only reads. It needs no recovery.
    pub fn open(kernel: Box<dyn Kernel + Send>, trail: Trail, watch: Watch) -> Ready<Create> {
        Self::new(Rollback::without_journal(kernel, trail), watch).ready()
    }
}

impl Session<Setup> {
    /// Opens a run that connects.
    pub fn open(rollback: Rollback, watch: Watch) -> Self {
        Self::new(rollback, watch)
    }

    /// Undoes the changes that killed runs of this container and of the network's
    /// others left.
    ///
    /// # Errors
    ///
    /// A change can't be undone, or the journals can't be read.
    pub fn recover(mut self, lock: &NetworkLock) -> Result<Ready<Setup>, SessionError> {
        let mut left = self.rollback.undo();
        left.extend(self.rollback.recover_others(lock)?);
        self.unless(left)
    }

    /// Undoes the changes that killed runs of this container left. Without the
    /// network's lock, the changes for its other containers stay. Returns whether there
    /// are any.
    ///
    /// # Errors
    ///
    /// A change of this container can't be undone, or the journals can't be read.
    pub fn recover_alone(mut self) -> Result<(Ready<Setup>, bool), SessionError> {
        let left = self.rollback.undo();
        let has_others = self.rollback.has_abandoned_others()?;
        Ok((self.unless(left)?, has_others))
    }

    fn unless(self, left: Vec<UndoError>) -> Result<Ready<Setup>, SessionError> {
        match left.is_empty() {
            true => Ok(self.ready()),
            false => Err(SessionError::Undo(left)),
        }
    }
}

impl Session<Teardown> {
    /// Opens a run that disconnects.
    pub fn open(rollback: Rollback, watch: Watch) -> Self {
        Self::new(rollback, watch)
    }

    /// Undoes the changes that a killed setup left, because a driver can't work on such
    /// a state. Calls `tell` with each failure. The undo is tried again at the end of
    /// the teardown.
    pub fn recover(mut self, tell: impl Fn(&str)) -> Ready<Teardown> {
        if self.rollback.is_abandoned() {
            for left in self.rollback.undo() {
                tell(&left.to_string());
            }
        }
        let mut ready = self.ready();
        if let Err(error) = ready.0.rollback.settle_names() {
            tell(&error.to_string());
        }
        ready
    }
}

impl<Kind> Ready<Kind> {
    /// Runs one function of a driver behind the gate, until the watch ends it.
    pub fn run<T>(
        self,
        driver: Driver<'_>,
        function: impl FnOnce(&mut Run) -> Result<T, RunError>,
    ) -> Ran<Kind, T> {
        let Session {
            mut rollback,
            watch,
            ..
        } = self.0;
        let begun = Instant::now();
        let code = (driver.code)(&mut rollback);
        let mapping = begun.elapsed();
        let gate = Gate::new(rollback, driver.authority, driver.log, driver.secrets);
        let gate = gate
            .with_pools(driver.pools)
            .with_firewall(driver.firewall)
            .with_names(driver.names)
            .with_dhcp(driver.dhcp);
        let (mut gate, result) = match code {
            Ok(mapped) => driver::run(&mapped, gate, watch, function),
            Err(error) => (gate, Err(error)),
        };
        gate.note_mapping(mapping);
        Ran {
            gate,
            result,
            kind: PhantomData,
        }
    }
}

impl<Kind, T> Ran<Kind, T> {
    /// Returns what the run has used of its limits.
    pub fn usage(&self) -> Usage {
        self.gate.usage()
    }

    /// Makes the answer from the driver's return value, on which the gate decides too.
    pub fn answer<U, E: From<SessionError>>(
        self,
        make: impl FnOnce(&mut Gate, T) -> Result<U, E>,
    ) -> Answered<Kind, U, E> {
        let mut gate = self.gate;
        let returned = self.result.map_err(SessionError::from).map_err(E::from);
        let result = returned.and_then(|value| make(&mut gate, value));
        Answered {
            rollback: gate.into_rollback(),
            result,
            kind: PhantomData,
        }
    }
}

impl<T, E: From<SessionError> + Display> Answered<Create, T, E> {
    /// Records the end. If this fails, the run has failed.
    pub fn end(mut self) -> Ended<T, E> {
        let reason = self.result.as_ref().err().map(ToString::to_string);
        let recorded = self.rollback.end(reason.as_deref());
        let recorded = recorded.map_err(SessionError::from).map_err(E::from);
        Ended {
            rollback: self.rollback,
            result: recorded.and(self.result),
        }
    }
}

impl<T, E: From<SessionError> + Display> Answered<Setup, T, E> {
    /// Makes the run's changes final. If the run or this step has failed, the run is
    /// rolled back, and the first error is the result. Calls `tell` with each change
    /// that can't be undone.
    pub fn commit(mut self, tell: impl FnMut(&str)) -> Ended<T, E> {
        let result = self.result.and_then(|value| {
            commit(&mut self.rollback)?;
            Ok(value)
        });
        if let Err(error) = &result {
            self.rollback.roll_back(&error.to_string(), tell);
        }
        Ended {
            rollback: self.rollback,
            result,
        }
    }
}

/// Completes the journal, and records the end of the run.
///
/// The order matters. The network's state becomes valid with the complete journal, and
/// the caller gets no answer of a run whose end isn't recorded.
fn commit(rollback: &mut Rollback) -> Result<(), SessionError> {
    rollback.keep_state()?;
    rollback.complete()?;
    rollback.end(None)?;
    rollback.publish_state();
    Ok(())
}
