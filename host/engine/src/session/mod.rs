//! One run of a driver: open, recover, run, and then commit or roll back. Each step
//! consumes the one before it, so that a run without one of them doesn't compile. Which
//! steps there are depends on the run's kind: [`Create`], [`Setup`] or [`Teardown`].
//!
//! The one deadline is that of the run's [`Watch`]. The kernel's operations get it once
//! recovering is over: undoing has time of its own.

mod clearing;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::marker::PhantomData;

use audit::{AuditError, Trail};
use journal::{JournalError, NetworkLock, StateError};
use kernel::Kernel;
use policy::Authority;
use trust::Secrets;

pub use clearing::{Cleared, Clearing};

use crate::driver::{self, Code, Run, RunError, Watch};
use crate::gate::{Gate, Log};
use crate::rollback::{Rollback, UndoError};

/// A run that reads: no journal is there, and nothing is undone.
pub enum Create {}
/// A run that connects a container, or that tries this out.
pub enum Setup {}
/// A run that disconnects a container: whatever fails, it clears.
pub enum Teardown {}

/// Why a run ended.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each case is the error of the room that it names"
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

/// Errors in one line.
fn in_words(left: &[UndoError]) -> String {
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    left.join("; ")
}

/// A driver, what it may do, and what it's given for that.
pub struct Driver<'a> {
    /// Its code.
    pub code: &'a Code,
    /// Its grant and its request.
    pub authority: Authority,
    /// Where its messages go.
    pub log: Log,
    /// The operator's secrets.
    pub secrets: Secrets,
}

/// An open run: killed ones may have left something.
#[must_use = "recover what killed runs left"]
pub struct Session<Kind> {
    rollback: Rollback,
    watch: Watch,
    kind: PhantomData<Kind>,
}

/// A run that is due: nothing is left in its way.
#[must_use = "run the driver"]
pub struct Ready<Kind>(Session<Kind>);

/// A run whose driver has returned, or failed.
#[must_use = "make the answer"]
pub struct Ran<Kind, T> {
    gate: Gate,
    result: Result<T, RunError>,
    kind: PhantomData<Kind>,
}

/// A run that has its answer, or an error. What the driver did isn't final.
#[must_use = "commit the run"]
pub struct Answered<Kind, T, E> {
    rollback: Rollback,
    result: Result<T, E>,
    kind: PhantomData<Kind>,
}

/// A run that is over. It was committed, or it was rolled back because of the error.
#[must_use = "it may have failed"]
pub struct Ended<T, E> {
    /// What undoes it.
    pub rollback: Rollback,
    /// What came of it.
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

    /// Has the kernel's operations end at the run's deadline.
    fn ready(mut self) -> Ready<Kind> {
        self.rollback.set_deadline(self.watch.deadline());
        Ready(self)
    }
}

impl Session<Create> {
    /// Opens a run that only reads. Nothing has to be recovered for it.
    pub fn open(kernel: Box<dyn Kernel + Send>, trail: Trail, watch: Watch) -> Ready<Create> {
        Self::new(Rollback::without_journal(kernel, trail), watch).ready()
    }
}

impl Session<Setup> {
    /// Opens a run that connects.
    pub fn open(rollback: Rollback, watch: Watch) -> Self {
        Self::new(rollback, watch)
    }

    /// Undoes what killed runs left, of this container and of the network's others.
    ///
    /// # Errors
    ///
    /// Something is left, or nobody can tell.
    pub fn recover(mut self, lock: &NetworkLock) -> Result<Ready<Setup>, SessionError> {
        let mut left = self.rollback.undo();
        left.extend(self.rollback.recover_others(lock)?);
        self.unless(left)
    }

    /// The same without the network's lock: what is left of its other containers
    /// stays. Returns whether there is any.
    ///
    /// # Errors
    ///
    /// Something of this container is left, or nobody can tell.
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

    /// Undoes what a killed setup left: that is no state for a driver to meet. `tell`
    /// hears what fails; it's tried again when all is cleared.
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
            rollback, watch, ..
        } = self.0;
        let gate = Gate::new(rollback, driver.authority, driver.log, driver.secrets);
        let (gate, result) = driver::run(driver.code, gate, watch, function);
        Ran {
            gate,
            result,
            kind: PhantomData,
        }
    }
}

impl<Kind, T> Ran<Kind, T> {
    /// Makes the answer out of what the driver returned. The gate decides on that too.
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
    /// Records the end. A run of which that fails has failed.
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
    /// Makes what the run did final. Where it failed, or that fails, the run is rolled
    /// back, and the first error is the result; `tell` hears what can't be undone.
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

/// The order matters: what the driver keeps counts once the journal is complete, and
/// the caller hears of nothing whose end isn't on record.
fn commit(rollback: &mut Rollback) -> Result<(), SessionError> {
    rollback.keep_state()?;
    rollback.complete()?;
    rollback.end(None)?;
    rollback.publish_state();
    Ok(())
}
