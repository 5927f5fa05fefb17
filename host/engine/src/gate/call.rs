//! The path that every call takes: decision, undo records, change, audit trail.

use std::time::Instant;

use ::types::Namespace;
use ::types::user::rootless_user;
use journal::{Change, Journal};
use kernel::{Kernel, KernelError};
use nix::errno::Errno;
use policy::{Call, Cause, Denial, Object, Reach, decide, describe, reach_used};

use super::asked::Asked;
use super::{Gate, LinkHandle, bounds, explain};
use crate::driver::GuestError;
use crate::driver::wit::types;
use crate::guard::Permitted;

/// The failure of a call.
#[derive(Debug)]
pub enum CallError {
    /// An error for the driver.
    Guest(GuestError),
    /// The end of the run.
    Stop(Stop),
}

/// The reason why the gate ended a run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// The deadline has passed.
    #[error("the time of the run is over")]
    Deadline,
    /// The driver wrote too many messages.
    #[error("the log limit is reached")]
    Log,
    /// The driver made too many calls.
    #[error("the limit of calls is reached")]
    Calls,
    /// The audit trail takes no more records of the run.
    #[error("the limit of the audit trail is reached")]
    Trail,
    /// The host failed.
    #[error("{0}")]
    Host(String),
}

impl From<GuestError> for CallError {
    fn from(error: GuestError) -> Self {
        Self::Guest(error)
    }
}

/// The result of a call, as the journal needs it.
pub(super) trait Made {
    /// Returns the indexes of the links that were made or moved, in the order of the
    /// plan.
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

/// The undo records of one call.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The changes, each with whether all containers of the network share it.
    changes: Vec<(Change, bool)>,
}

impl Plan {
    /// Returns the plan of a change that needs no record. It goes with an own link.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// Returns the plan of changes for this container.
    pub(super) fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        let changes = changes.into_iter().map(|change| (change, false));
        Self {
            changes: changes.collect(),
        }
    }

    /// Returns the plan of a change that all containers of the network share.
    pub(super) fn shared(change: Change) -> Self {
        Self {
            changes: vec![(change, true)],
        }
    }

    /// Adds the records of another plan.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self
    }
}

impl Gate {
    /// Makes a call that only reads.
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

    /// Makes a call that changes something. `plan` reads the state that the undo needs.
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

    /// Writes the undo records of a permitted change, and makes the change.
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
        if let Err(error) = self.check_journal_limits(&plan) {
            return Ok(Err(error));
        }
        let entries = self.begin(plan)?;
        let result = operation(self.rollback.guard.open(permit));
        self.confirm(&entries, &result)?;
        Ok(result)
    }

    /// Saves an object and removes it. `change` returns the undo record, if there must
    /// be one.
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

    /// Returns an error text if the last allowed call has no record.
    pub(crate) fn unrecorded_call(&self) -> Option<String> {
        let call = self.pending?;
        Some(format!("{call} was allowed and isn't on record"))
    }

    /// Decides on a call. Every call is decided on here.
    pub(super) fn decide(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
    ) -> Result<Permitted, CallError> {
        if let Some(before) = self.unrecorded_call() {
            return Err(self.host_failed(&before));
        }
        // One call takes little time, because its arguments are limited.
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

    /// Decides again on a call that turned out to touch further objects.
    pub(super) fn decide_again(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
    ) -> Result<Permitted, CallError> {
        self.authorize(permit.end(), objects)
    }

    fn authorize(&mut self, call: Call, objects: &[Object<'_>]) -> Result<Permitted, CallError> {
        self.pending = None;
        self.asked = Some(Asked::new(call, describe(objects)));
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

    /// Records the outcome of an allowed call, and returns it to the driver.
    pub(super) fn record<T>(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        result: Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let reach = reach_used(&self.authority, permit.call(), objects);
        self.record_with(permit, objects, &reach, result)
    }

    /// Records the outcome of an allowed call whose used reach depends on the result.
    pub(super) fn record_with<T>(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        reach: &Reach,
        result: Result<T, KernelError>,
    ) -> Result<T, CallError> {
        self.record_as(permit, objects, (&describe(objects), reach), result)
    }

    /// Records the outcome of an allowed call in other words than those of its objects.
    pub(super) fn record_as<T>(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        (words, reach): (&str, &Reach),
        result: Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let call = permit.end();
        self.pending = None;
        if let Some(asked) = &mut self.asked {
            asked.end(&result);
        }
        let errno = result.as_ref().err().and_then(KernelError::errno);
        let number = errno.map(|errno| errno as i32);
        let recorded = self
            .rollback
            .trail
            .allowed(call.name(), words, reach, number);
        if let Err(error) = recorded {
            return Err(self.stop(Stop::Host(error.to_string())));
        }
        match result {
            Ok(value) => Ok(value),
            Err(KernelError::Deadline) => Err(self.stop(Stop::Deadline)),
            Err(error) => Err(guest_error(call, objects, &error).into()),
        }
    }

    /// Records an allowed call that failed before it changed anything.
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

    /// Removes an undo record from the journal, because the driver itself has undone
    /// the change.
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

    /// Ends the run because the host failed.
    pub(super) fn host_failed(&mut self, error: &dyn std::fmt::Display) -> CallError {
        self.stop(Stop::Host(error.to_string()))
    }

    fn deny(&mut self, denial: &Denial) -> CallError {
        if let Some(asked) = &mut self.asked {
            asked.deny();
        }
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

    /// Refuses a change in `create`. Without a container it would never be undone.
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

    /// Refuses a change that would exceed the number of changes that can be undone in
    /// time.
    fn check_journal_limits(&self, plan: &Plan) -> Result<(), KernelError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(());
        };
        let check = |what: &str, max: usize, there: usize, more: usize| {
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
        check("", bounds::ENTRIES, entries.len(), plan.changes.len())?;
        let there = entries.iter().filter(|entry| entry.shared).count();
        let more = plan.changes.iter().filter(|(_, shared)| *shared).count();
        check(
            " for the whole network",
            bounds::SHARED_ENTRIES,
            there,
            more,
        )
    }

    /// Writes the undo records of a change that a service makes. A change that has a
    /// record already gets no second one.
    pub(super) fn begin_service(
        &mut self,
        change: Change,
        shared: bool,
    ) -> Result<Result<Vec<u32>, KernelError>, CallError> {
        let entries = self.rollback.journal.iter().flat_map(Journal::entries);
        let mut entries = entries.map(|entry| (&entry.change, entry.shared));
        if entries.any(|there| there == (&change, shared)) {
            return Ok(Ok(Vec::new()));
        }
        let plan = match shared {
            true => Plan::shared(change),
            false => Plan::of([change]),
        };
        match self.check_journal_limits(&plan) {
            Err(error) => Ok(Err(error)),
            Ok(()) => self.begin(plan).map(Ok),
        }
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

    pub(super) fn confirm<T: Made>(
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
            // The kernel may have made a change that was cut off, so its record stays.
            Err(error) if error.is_unclear() => Ok(()),
            Err(_) => {
                let mut entries = entries.iter().rev();
                entries.try_for_each(|number| journal.void(*number))
            }
        };
        written.map_err(|error| self.stop(Stop::Host(error.to_string())))
    }
}

/// Returns the plan of a change of a link. On an own link the change needs no record,
/// because it goes with the link.
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

/// The hint for users who see the link on the machine, but not in rootless Podman's
/// namespace.
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

/// Whether rootless Podman's namespace takes the place of the host's. It doesn't in
/// `create`, where the user isn't root of a user namespace.
fn is_rootless_netns() -> bool {
    nix::unistd::geteuid().is_root() && rootless_user().is_some()
}

/// Returns the kernel's error as an error for the driver.
fn guest_error(call: Call, objects: &[Object<'_>], error: &KernelError) -> GuestError {
    let object = describe(objects);
    let mut text = format!("{call} on {object} failed: {error}");
    if error.is_not_found() {
        match objects.iter().any(is_on_host) {
            true if is_rootless_netns() => text.push_str(ROOTLESS),
            true if call == Call::LinksGet => text.push_str(explain::LIST_LINKS),
            _ => {}
        }
        return GuestError::NotFound(text);
    }
    match error.errno() {
        Some(Errno::EEXIST | Errno::EADDRINUSE) => GuestError::Exists(text),
        Some(Errno::EINVAL | Errno::ERANGE) => GuestError::Invalid(text),
        Some(Errno::EBUSY) => GuestError::Busy(text),
        Some(Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT) => GuestError::Unsupported(text),
        Some(Errno::EROFS) => GuestError::ReadOnly(text),
        Some(Errno::EACCES | Errno::EPERM) if sets(call) => GuestError::ReadOnly(text),
        _ => GuestError::Other(text),
    }
}

/// Whether a call sets kernel settings.
fn sets(call: Call) -> bool {
    call.name().starts_with("sysctl.")
}

/// Returns the error for an argument that isn't valid.
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
