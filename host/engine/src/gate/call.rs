//! The way of every call.

use std::time::Instant;

use ::types::Namespace;
use ::types::user::rootless_user;
use journal::Change;
use kernel::{Kernel, KernelError};
use nix::errno::Errno;
use policy::{Call, Cause, Denial, Object, Reach, decide, describe, reach_used};

use super::{Gate, LinkHandle, bounds};
use crate::driver::GuestError;
use crate::driver::wit::types;
use crate::guard::Permitted;

/// What comes of a call that fails.
#[derive(Debug)]
pub enum CallError {
    /// The driver gets an error.
    Guest(GuestError),
    /// The run ends.
    Stop(Stop),
}

/// Why the gate ended a run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// Its time was over.
    #[error("the time of the run is over")]
    Deadline,
    /// It wrote too many messages.
    #[error("the log limit is reached")]
    Log,
    /// It made too many calls.
    #[error("the limit of calls is reached")]
    Calls,
    /// The trail can't take more of it.
    #[error("the limit of what is recorded is reached")]
    Trail,
    /// The host can't record what it does.
    #[error("{0}")]
    Host(String),
}

impl From<GuestError> for CallError {
    fn from(error: GuestError) -> Self {
        Self::Guest(error)
    }
}

/// What a call did, for the journal.
pub(super) trait Made {
    /// The indexes of links that were made or moved, in the plan's order.
    fn indexes(&self) -> Vec<u32>;
}

impl Made for () {
    fn indexes(&self) -> Vec<u32> {
        Vec::new()
    }
}

impl Made for u32 {
    fn indexes(&self) -> Vec<u32> {
        vec![*self]
    }
}

impl Made for (u32, u32) {
    fn indexes(&self) -> Vec<u32> {
        vec![self.0, self.1]
    }
}

/// What the journal is to hold of a call.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Each with whether it's for all containers of the network.
    changes: Vec<(Change, bool)>,
}

impl Plan {
    /// The change goes with an own link.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// Changes for this container.
    pub(super) fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        let changes = changes.into_iter().map(|change| (change, false));
        Self {
            changes: changes.collect(),
        }
    }

    /// A change for all containers of the network.
    pub(super) fn shared(change: Change) -> Self {
        Self {
            changes: vec![(change, true)],
        }
    }

    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self
    }
}

impl Gate {
    /// A call that only reads.
    pub(super) fn read<T>(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
        operation: impl FnOnce(&mut dyn Kernel) -> Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let permit = self.decide(call, objects)?;
        let result = operation(self.rollback.guard.open(&permit));
        self.record(permit, objects, result)
    }

    /// A call that changes something. `plan` reads what undoing the change
    /// takes.
    pub(super) fn change<T: Made>(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
        plan: impl FnOnce(&mut dyn Kernel) -> Result<Plan, KernelError>,
        operation: impl FnOnce(&mut dyn Kernel) -> Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let permit = self.decide(call, objects)?;
        let result = self.perform(&permit, plan, operation)?;
        self.record(permit, objects, result)
    }

    /// Has a permitted change journalled and made.
    pub(super) fn perform<T: Made>(
        &mut self,
        permit: &Permitted,
        plan: impl FnOnce(&mut dyn Kernel) -> Result<Plan, KernelError>,
        operation: impl FnOnce(&mut dyn Kernel) -> Result<T, KernelError>,
    ) -> Result<Result<T, KernelError>, CallError> {
        let plan = match plan(self.rollback.guard.open(permit)) {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = self.has_room_in_journal(&plan) {
            return Ok(Err(error));
        }
        let entries = self.begin(plan)?;
        let result = operation(self.rollback.guard.open(permit));
        self.confirm(&entries, &result)?;
        Ok(result)
    }

    /// Has something removed that was saved before, so that it can come back.
    /// `change` says what the journal is to hold, if anything.
    pub(super) fn remove_saved<S: Clone>(
        &mut self,
        permit: &Permitted,
        save: impl FnOnce(&mut dyn Kernel) -> Result<S, KernelError>,
        change: impl FnOnce(S) -> Option<Change>,
        remove: impl FnOnce(&mut dyn Kernel, &S) -> Result<(), KernelError>,
    ) -> Result<Result<(), KernelError>, CallError> {
        let saved = match save(self.rollback.guard.open(permit)) {
            Ok(saved) => saved,
            Err(error) => return Ok(Err(error)),
        };
        let change = change(saved.clone());
        self.perform(
            permit,
            |_| Ok(Plan::of(change)),
            |kernel| remove(kernel, &saved),
        )
    }

    /// The call that was allowed and isn't on record, in words.
    pub(crate) fn unrecorded_call(&self) -> Option<String> {
        let call = self.pending?;
        Some(format!("{call} was allowed and isn't on record"))
    }

    /// Decides on a call: the one place where that is done.
    pub(super) fn decide(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
    ) -> Result<Permitted, CallError> {
        if let Some(before) = self.unrecorded_call() {
            return Err(self.host_failed(&before));
        }
        // Each call by itself ends soon: what it may pass is bounded.
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return Err(self.stop(Stop::Deadline));
        }
        if !self.rollback.trail.has_room() {
            return Err(self.stop(Stop::Trail));
        }
        let limit = self.authority.grant.limits().calls;
        if self.calls >= limit {
            return Err(self.stop(Stop::Calls));
        }
        self.calls += 1;
        self.authorize(call, objects)
    }

    /// Decides once more on a call, when something was found that it touches too.
    pub(super) fn judge(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
    ) -> Result<Permitted, CallError> {
        self.authorize(permit.end(), objects)
    }

    fn authorize(&mut self, call: Call, objects: &[Object<'_>]) -> Result<Permitted, CallError> {
        self.pending = None;
        match decide(&self.authority, call, objects) {
            Ok(_) if self.rollback.journal.is_none() && !call.works_in_create() => {
                Err(self.no_container_yet(call, objects))
            }
            Ok(permit) => {
                self.pending = Some(call);
                Ok(Permitted::new(call, permit))
            }
            Err(denial) => Err(self.deny(&denial)),
        }
    }

    /// Records what came of an allowed call, and words its error.
    pub(super) fn record<T>(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        result: Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let reach = reach_used(&self.authority, permit.call(), objects);
        self.record_with(permit, objects, &reach, result)
    }

    /// The same where only the result says by how much of the grant's reach the
    /// call was allowed.
    pub(super) fn record_with<T>(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        reach: &Reach,
        result: Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let call = permit.end();
        self.pending = None;
        let object = describe(objects);
        let errno = result.as_ref().err().and_then(KernelError::errno);
        let number = errno.map(|errno| errno as i32);
        let recorded = self
            .rollback
            .trail
            .allowed(call.name(), &object, reach, number);
        if let Err(error) = recorded {
            return Err(self.stop(Stop::Host(error.to_string())));
        }
        match result {
            Ok(value) => Ok(value),
            Err(KernelError::Deadline) => Err(self.stop(Stop::Deadline)),
            Err(error) => Err(guest_error(call, objects, &error).into()),
        }
    }

    /// The same for a call that failed before it did anything.
    pub(super) fn record_failure(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        error: KernelError,
    ) -> CallError {
        match self.record::<()>(permit, objects, Err(error)) {
            Err(error) => error,
            Ok(()) => self.host_failed(&"a failure became a success"),
        }
    }

    /// Takes an entry out of the journal: the driver itself has undone it.
    pub(super) fn forget(&mut self, number: u32) -> Result<(), CallError> {
        let Some(journal) = &mut self.rollback.journal else {
            return Ok(());
        };
        let written = journal.void(number);
        written.map_err(|error| self.host_failed(&error))
    }

    /// Ends the run.
    pub(super) fn stop(&mut self, stop: Stop) -> CallError {
        self.stop = Some(stop.clone());
        CallError::Stop(stop)
    }

    /// Ends the run because the host itself can't go on.
    pub(super) fn host_failed(&mut self, error: &dyn std::fmt::Display) -> CallError {
        self.stop(Stop::Host(error.to_string()))
    }

    fn deny(&mut self, denial: &Denial) -> CallError {
        let call = denial.call.name();
        if let Err(error) = self
            .rollback
            .trail
            .denied(call, &denial.object, &denial.lacking)
        {
            return self.stop(Stop::Host(error.to_string()));
        }
        let mut text = format!(
            "{denial}; to allow it, write this line under [calls] in {}: {}",
            self.grant_path().display(),
            denial.line
        );
        if let (Cause::OutOfReach, Some(unsaid)) = (denial.cause, &self.authority.request.unsaid) {
            text.push_str(&format!("; {unsaid}"));
        }
        GuestError::Denied(text).into()
    }

    /// Refuses a change in `create`: there is no container that it could be
    /// undone with.
    fn no_container_yet(&mut self, call: Call, objects: &[Object<'_>]) -> CallError {
        let object = describe(objects);
        let recorded = self
            .rollback
            .trail
            .denied(call.name(), &object, &Reach::default());
        if let Err(error) = recorded {
            return self.stop(Stop::Host(error.to_string()));
        }
        let text = format!("{call} on {object}: there is no container yet; `create` only reads");
        GuestError::NotFound(text).into()
    }

    /// Refuses what would be more than can be undone in time.
    fn has_room_in_journal(&self, plan: &Plan) -> Result<(), KernelError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(());
        };
        let room = |what: &str, max: usize, there: usize, more: usize| {
            if more == 0 || there.saturating_add(more) <= max {
                return Ok(());
            }
            Err(KernelError::Refused {
                errno: Errno::ENOSPC,
                text: format!(
                    "a container has at most {max} changes{what} that must be undone when it goes"
                ),
            })
        };
        let entries = journal.entries();
        room("", bounds::ENTRIES, entries.len(), plan.changes.len())?;
        let there = entries.iter().filter(|entry| entry.shared).count();
        let more = plan.changes.iter().filter(|(_, shared)| *shared).count();
        room(
            " for the whole network",
            bounds::SHARED_ENTRIES,
            there,
            more,
        )
    }

    fn begin(&mut self, plan: Plan) -> Result<Vec<u32>, CallError> {
        let changes = plan.changes.into_iter();
        changes
            .map(|(change, shared)| self.begin_one(change, shared))
            .collect()
    }

    fn begin_one(&mut self, change: Change, shared: bool) -> Result<u32, CallError> {
        let begun = match &mut self.rollback.journal {
            Some(journal) => journal
                .begin(change, shared)
                .map_err(|error| error.to_string()),
            None => Err(format!(
                "there is no container yet: {change} can't be undone"
            )),
        };
        begun.map_err(|reason| self.stop(Stop::Host(reason)))
    }

    fn confirm<T: Made>(
        &mut self,
        entries: &[u32],
        result: &Result<T, KernelError>,
    ) -> Result<(), CallError> {
        let Some(journal) = &mut self.rollback.journal else {
            return Ok(());
        };
        let written = match result {
            Ok(made) => {
                let mut indexes = made.indexes().into_iter();
                let mut entries = entries.iter();
                entries.try_for_each(|number| journal.done(*number, indexes.next()))
            }
            // What was cut off may have happened: the entries stay.
            Err(error) if error.is_unclear() => Ok(()),
            Err(_) => {
                let mut entries = entries.iter().rev();
                entries.try_for_each(|number| journal.void(*number))
            }
        };
        written.map_err(|error| self.stop(Stop::Host(error.to_string())))
    }
}

/// What undoing a change of a link takes, unless it goes with the driver's own.
pub(super) fn plan_for_foreign(
    link: &LinkHandle,
    own: bool,
    undo: impl FnOnce(&mut dyn Kernel, &LinkHandle) -> Result<Change, KernelError>,
) -> impl FnOnce(&mut dyn Kernel) -> Result<Plan, KernelError> {
    move |kernel| match own {
        true => Ok(Plan::nothing()),
        false => Ok(Plan::of([undo(kernel, link)?])),
    }
}

/// What a user must know who sees the link on the machine.
const ROOTLESS: &str = "; rootless Podman has a network namespace of its own, without the machine's \
     interfaces: `podman unshare --rootless-netns ip link` shows what is there";

fn is_on_host(object: &Object<'_>) -> bool {
    match object {
        Object::Link { namespace, .. } | Object::LinkWith { namespace, .. } => {
            *namespace == Namespace::Host
        }
        object => matches!(object, Object::DefaultRouteLink),
    }
}

/// Whether rootless Podman's namespace stands for the host's. At `create`,
/// where it doesn't, the user isn't root of a user namespace.
fn is_rootless_netns() -> bool {
    nix::unistd::geteuid().is_root() && rootless_user().is_some()
}

/// Words the kernel's error for the driver.
fn guest_error(call: Call, objects: &[Object<'_>], error: &KernelError) -> GuestError {
    let object = describe(objects);
    let mut text = format!("{call} on {object} failed: {error}");
    if error.is_not_found() {
        if objects.iter().any(is_on_host) && is_rootless_netns() {
            text.push_str(ROOTLESS);
        }
        return GuestError::NotFound(text);
    }
    match error.errno() {
        Some(Errno::EEXIST | Errno::EADDRINUSE) => GuestError::Exists(text),
        Some(Errno::EINVAL | Errno::ERANGE) => GuestError::Invalid(text),
        Some(Errno::EBUSY) => GuestError::Busy(text),
        Some(Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT) => GuestError::Unsupported(text),
        Some(Errno::EROFS) => GuestError::ReadOnly(text),
        _ => GuestError::Other(text),
    }
}

/// The error for an argument that can't be parsed.
pub(super) fn invalid(call: Call, error: &dyn std::fmt::Display) -> CallError {
    GuestError::Invalid(format!("{call}: {error}")).into()
}

impl types::Host for Gate {
    fn convert_error(&mut self, error: CallError) -> wasmtime::Result<GuestError> {
        match error {
            CallError::Guest(error) => Ok(error),
            CallError::Stop(stop) => Err(wasmtime::Error::msg(stop.to_string())),
        }
    }
}
