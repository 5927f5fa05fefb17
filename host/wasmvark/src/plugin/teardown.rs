//! `teardown`: the driver disconnects a container, and then the host undoes
//! whatever the journal still holds.
//!
//! It must clear what is there in every case: without a driver, a grant, a
//! namespace, or a request that still makes sense. So a failing driver is
//! reported on standard error and in the trail, and only what couldn't be
//! undone is an error. Where the trail can't be written no driver runs, but
//! what is there goes, and standard error says what isn't recorded.

use std::path::Path;
use std::time::Instant;

use audit::{AuditError, Required, Subject, Trail};
use engine::driver::{self, Code, Watch};
use engine::gate::Gate;
use engine::rollback::Rollback;
use journal::{Here, Journal, LockError};
use kernel::{Netlink, Netns, NetnsError};
use policy::{Authority, RequestReach};
use request::protocol::SetupDocument;
use request::{Request, RequestError};
use types::text::shortened;
use types::{ContainerId, Key, NetworkId};

use super::load::{Loaded, store};
use super::remains::{self, Remains};
use super::setup::parse;
use super::{PluginError, leave, lock, said, tell};
use crate::store::{DriverName, Store};

/// A driver that can take part in a teardown.
struct Driver {
    loaded: Loaded,
    code: Code,
    request: Request,
    reach: RequestReach,
}

/// Runs `teardown`.
pub(super) fn run(name: &str, netns: &Path, input: &[u8]) -> Result<String, PluginError> {
    let document = parse(input)?;
    let key = Key {
        network: NetworkId::try_from(document.network.id.clone()).map_err(RequestError::from)?,
        container: ContainerId::try_from(document.container_id.clone())
            .map_err(RequestError::from)?,
    };
    let (store, name) = store(name)?;
    driver::ignore_signals().map_err(PluginError::Signals)?;
    let host = Netns::current()?;
    let there = match Netns::container(netns, &host) {
        Ok(netns) => Some(netns),
        // The file stays behind where only the mount on it is gone.
        Err(NetnsError::Missing { .. } | NetnsError::NotNetns { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let container_exists = there.is_some();
    let driver = prepare(&store, &name, &document);
    let layout = store.layout();
    let lock = match lock::take(layout, &key, "teardown") {
        Ok(lock) => Some(lock),
        Err(error @ LockError::Busy { .. }) => return Err(error.into()),
        // Where no lock can be made, clearing up is worth more than a turn.
        Err(error) => {
            tell(&error.to_string());
            None
        }
    };
    let here = Here {
        host: host.id(),
        container: there.as_ref().map(Netns::id),
    };
    let mut journal = Journal::open(&layout.journals(), &key, here)?;
    // From here on nothing that the driver removes comes back.
    if let Err(error) = journal.leave() {
        tell(&error.to_string());
    }
    let abandoned = journal.is_abandoned();
    let subject = subject(&name, driver.as_ref().ok(), &document);
    let place = store.trail();
    let required = match &driver {
        Ok(driver) => driver.loaded.requires_trail(),
        Err(_) => Required::Yes,
    };
    let (trail, driver) = match Trail::open(&place, required, subject.clone()) {
        Ok(trail) => (trail, driver),
        Err(error) => {
            let lost = Trail::lost(&error, &place, subject.clone());
            (lost, driver.and(Err(error.into())))
        }
    };
    let deadline = match &driver {
        Ok(driver) => driver.loaded.deadline(),
        Err(_) => Instant::now(),
    };
    let kernel = Box::new(Netlink::open(host, there, deadline)?);
    let (mut rollback, outcome) = match driver {
        Ok(driver) => {
            let remains = Remains {
                store: &store,
                key: &key,
                here,
                netns: container_exists.then_some(netns),
            };
            let ran = remains::contain(|| {
                let mut rollback = Rollback::new(kernel, Some(journal), trail);
                if abandoned {
                    // What a killed setup left is no state for a driver to meet.
                    for left in rollback.undo() {
                        tell(&left.to_string());
                    }
                    rollback.set_deadline(deadline);
                }
                if let Err(error) = rollback.settle_names() {
                    tell(&error.to_string());
                }
                driver.run(rollback, deadline, container_exists, input)
            });
            match ran {
                Ok(ran) => ran,
                Err(error) => (remains.rollback(subject)?, Err(error)),
            }
        }
        Err(error) => (Rollback::new(kernel, Some(journal), trail), Err(error)),
    };
    if let Err(error) = &outcome {
        tell(&format!(
            "the driver {name} took no part in the teardown: {error}"
        ));
    }
    let mut left = rollback.undo();
    if let Some(lock) = &lock {
        left.extend(lock::recover_others(&mut rollback, lock)?);
    }
    if left.is_empty() && outcome.is_ok() {
        left.extend(rollback.commit_state());
    }
    let failure = match (left.is_empty(), outcome) {
        (true, Ok(())) => None,
        (true, Err(error)) => Some(error.to_string()),
        (false, _) => Some(PluginError::Undo(left.clone()).to_string()),
    };
    let recorded = rollback.end(failure.as_deref());
    tell_unrecorded(recorded, rollback.unrecorded());
    drop(lock);
    leave(rollback);
    if !left.is_empty() {
        return Err(PluginError::Undo(left));
    }
    Ok(String::new())
}

fn prepare(
    store: &Store,
    name: &DriverName,
    document: &SetupDocument,
) -> Result<Driver, PluginError> {
    let request = Request::resolve(document)?;
    let loaded = Loaded::find(store.clone(), name.clone())?;
    let reach = said::reach(loaded.store.layout(), &request)?;
    let code = loaded.code()?;
    Ok(Driver {
        loaded,
        code,
        request,
        reach,
    })
}

impl Driver {
    /// Runs the driver; what it did can be undone in any case.
    fn run(
        self,
        rollback: Rollback,
        deadline: Instant,
        container_exists: bool,
        input: &[u8],
    ) -> (Rollback, Result<(), PluginError>) {
        let authority = Authority {
            grant: self.loaded.grant.clone(),
            request: self.reach,
        };
        let gate = Gate::new(
            rollback,
            authority,
            self.loaded.log(),
            self.loaded.secrets(),
        );
        let json = String::from_utf8_lossy(input).into_owned();
        let limits = self.loaded.grant.limits();
        let (gate, result) = driver::run(&self.code, gate, limits, Watch::until(deadline), |run| {
            run.teardown(&self.request, container_exists, json)
        });
        leave(self.code);
        (gate.into_rollback(), result.map_err(PluginError::from))
    }
}

/// Tells the operator what is missing in the trail.
fn tell_unrecorded(end: Result<(), AuditError>, undone: &[String]) {
    if let Err(error) = end {
        tell(&error.to_string());
    }
    for what in undone {
        tell(&format!("not in the audit trail: {what}, undone"));
    }
}

/// Bytes of a network's name in the trail. A teardown goes on whatever it is.
const NAME_MAX: usize = 255;

fn subject(name: &DriverName, driver: Option<&Driver>, document: &SetupDocument) -> Subject {
    let digest = driver.map(|driver| driver.loaded.digest.to_string());
    Subject {
        command: "teardown",
        driver: name.to_string(),
        digest: digest.unwrap_or_default(),
        network: shortened(&document.network.name, NAME_MAX).into_owned(),
        container: Some(document.container_id.clone()),
    }
}
