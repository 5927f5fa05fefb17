//! `teardown`: the driver disconnects a container, and then the host undoes the changes
//! that are still in the journal.
//!
//! A teardown must undo the changes even without a driver, a grant, a namespace or a
//! valid request. So a failure of the driver is only reported, on standard error and in
//! the trail. The teardown fails only if a change can't be undone. If the trail can't
//! be written, no driver runs. The changes are undone nevertheless, and standard error
//! lists those that aren't recorded.

use std::path::Path;

use audit::{AuditError, Required, Subject, Trail};
use engine::driver::{self, Watch};
use engine::rollback::Rollback;
use engine::session::{Clearing, Session, SessionError, Teardown};
use journal::{Here, Journal, LockError, NetworkLock};
use kernel::{Netlink, Netns, NetnsError};
use policy::RequestReach;
use request::protocol::{Received, SetupDocument};
use request::{Request, RequestError};
use types::text::shortened;
use types::{ContainerId, Key, NetworkId};

use super::confinement::{Confinement, Kind};
use super::keeper::Keeper;
use super::load::{Loaded, Source, store};
use super::remains::{self, Remains};
use super::{PluginError, bridges, leave, lock, restore, said, tell};
use crate::store::{DriverName, Layout, Store};

/// Runs `teardown`.
pub(super) fn run(name: &str, netns: &Path, input: &[u8]) -> Result<String, PluginError> {
    let document = Received::setup(input)?;
    let key = key(document.document())?;
    let (store, name) = store(name)?;
    driver::ignore_signals().map_err(PluginError::Signals)?;
    let host = Netns::current()?;
    let container = container(netns, &host)?;
    let here = Here {
        host: host.id(),
        container: container.as_ref().map(Netns::id),
    };
    // A keeper can't be started once there are other threads.
    let keeper = start_keeper(&store, &key, here);
    let driver = Driver::prepare(&store, &name, &document);
    let lock = take_lock(store.layout(), &key)?;
    if let Err(error) = keeper.begin() {
        tell(&error.to_string());
    }
    restore::before(&store, &key);
    let journal = leave_journal(store.layout(), &key, here)?;
    let publishes = restore::publishes(&journal);
    let subject = subject(&name, driver.as_ref().ok(), document.document());
    let (mut trail, driver) = open_trail(&store, driver, &subject);
    if let Some(newest) = keeper.newest_of_trail() {
        trail.set_newest(newest);
    }
    let remains = Remains {
        store: &store,
        key: &key,
        host: host.clone(),
        container: container.clone(),
        keeper: &keeper,
    };
    let spare = trail.spare();
    let kernel = Box::new(Netlink::open(host, container.clone())?);
    let rollback = Rollback::new(kernel, keeper.services(), journal, trail);
    let clearing = match driver {
        Ok(driver) => driver.disconnect(rollback, &remains, spare)?,
        Err(error) => Clearing::new(rollback, Err(error)),
    };
    if let Some(error) = clearing.failure() {
        tell(&format!(
            "the driver {name} took no part in the teardown: {error}"
        ));
    }
    let cleared = clear(clearing, lock);
    if let Err(error) = keeper.end_teardown(cleared.is_ok(), publishes) {
        tell(&error.to_string());
    }
    leave(keeper);
    cleared
}

/// Starts the keeper. Without one the teardown goes on, because undoing the other changes
/// matters more.
fn start_keeper(store: &Store, key: &Key, here: Here) -> Keeper {
    Keeper::for_teardown(store, key, here).unwrap_or_else(|error| {
        tell(&error.to_string());
        Keeper::unneeded(store, true)
    })
}

/// Returns the container and the network. The undo needs nothing else of the document.
fn key(document: &SetupDocument) -> Result<Key, RequestError> {
    Ok(Key {
        network: NetworkId::try_from(document.network.id.clone())?,
        container: ContainerId::try_from(document.container_id.clone())?,
    })
}

/// Opens the container's namespace, if it still exists.
fn container(path: &Path, host: &Netns) -> Result<Option<Netns>, NetnsError> {
    match Netns::container(path, host) {
        Ok(netns) => Ok(Some(netns)),
        // An ordinary file stays behind if only the mount on it is gone.
        Err(NetnsError::Missing { .. } | NetnsError::NotNetns { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits for the network's lock. If the lock can't be made, the teardown goes on
/// without it, because undoing the changes matters more.
fn take_lock(layout: &Layout, key: &Key) -> Result<Option<NetworkLock>, LockError> {
    match lock::take(layout, key, "teardown") {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ LockError::Busy { .. }) => Err(error),
        Err(error) => {
            tell(&error.to_string());
            Ok(None)
        }
    }
}

/// Opens the journal, and records that the undo begins. From then on `reload` doesn't
/// restore a rule that the driver removes.
fn leave_journal(layout: &Layout, key: &Key, here: Here) -> Result<Journal, PluginError> {
    let mut journal = Journal::open(&layout.journals(), key, here)?;
    if let Err(error) = journal.leave() {
        tell(&error.to_string());
    }
    Ok(journal)
}

/// Opens the trail. Without a trail, no driver runs.
fn open_trail<'a>(
    store: &Store,
    driver: Result<Driver<'a>, PluginError>,
    subject: &Subject,
) -> (Trail, Result<Driver<'a>, PluginError>) {
    let place = store.trail();
    let required = match &driver {
        Ok(driver) => driver.loaded.requires_trail(),
        Err(_) => Required::Yes,
    };
    match Trail::open(&place, required, subject.clone()) {
        Ok(trail) => (trail, driver),
        Err(error) => {
            let lost = Trail::lost(&error, &place, subject.clone());
            (lost, driver.and(Err(error.into())))
        }
    }
}

/// A driver that can take part in a teardown.
struct Driver<'a> {
    loaded: Loaded,
    code: Source,
    request: Request,
    reach: RequestReach,
    json: &'a str,
}

impl<'a> Driver<'a> {
    fn prepare(
        store: &Store,
        name: &DriverName,
        document: &'a Received<SetupDocument>,
    ) -> Result<Self, PluginError> {
        let request = Request::resolve(document.document())?;
        let loaded = Loaded::find(store.clone(), name.clone())?;
        let mut reach = said::reach(loaded.store.layout(), &request)?;
        let host = Netns::current()?;
        let id = host.id();
        let mut kernel = Netlink::open(host, None)?;
        bridges::note(&mut reach, &loaded, &request.network.id, (id, &mut kernel));
        let code = loaded.code()?;
        Ok(Self {
            loaded,
            code,
            request,
            reach,
            json: document.text(),
        })
    }

    /// Runs the driver's part of the teardown. The remaining changes can be undone even
    /// after a failure or a panic.
    fn disconnect(
        self,
        rollback: Rollback,
        remains: &Remains<'_>,
        spare: Trail,
    ) -> Result<Clearing<PluginError>, PluginError> {
        let watch = Watch::begin(self.loaded.grant.limits());
        let session = Session::<Teardown>::open(rollback, watch);
        match remains::contain(|| self.run(session, remains.container.clone())) {
            Ok(clearing) => Ok(clearing),
            Err(error) => Ok(Clearing::new(remains.rollback(spare)?, Err(error))),
        }
    }

    fn run(self, session: Session<Teardown>, container: Option<Netns>) -> Clearing<PluginError> {
        let container_exists = container.is_some();
        let confinement = Confinement {
            loaded: &self.loaded,
            kind: Kind::Connect,
            secrets: self.reach.secrets.clone(),
            container,
            code: self.code,
        };
        let secrets = self.loaded.secrets();
        let driver = self.loaded.driver(confinement.load(), self.reach, secrets);
        session
            .recover(tell)
            .run(driver, |run| {
                run.teardown(&self.request, container_exists, self.json)
            })
            .clearing()
    }
}

/// Undoes the remaining changes.
fn clear(
    clearing: Clearing<PluginError>,
    lock: Option<NetworkLock>,
) -> Result<String, PluginError> {
    let cleared = clearing.clear(lock.as_ref())?;
    tell_unrecorded(cleared.recorded, cleared.rollback.unrecorded());
    drop(lock);
    let mut rollback = cleared.rollback;
    rollback.leave_folder();
    leave(rollback);
    match cleared.left.is_empty() {
        true => Ok(String::new()),
        false => Err(SessionError::Undo(cleared.left).into()),
    }
}

/// Reports the records that are missing in the trail.
fn tell_unrecorded(end: Result<(), AuditError>, undone: &[String]) {
    if let Err(error) = end {
        tell(&error.to_string());
    }
    for what in undone {
        tell(&format!("not in the audit trail: {what}, undone"));
    }
}

/// The longest name of a network in the trail, in bytes. A longer one is shortened,
/// because a teardown accepts any name.
const NAME_MAX: usize = 255;

fn subject(name: &DriverName, driver: Option<&Driver<'_>>, document: &SetupDocument) -> Subject {
    let digest = driver.map(|driver| driver.loaded.digest.to_string());
    Subject {
        command: "teardown",
        driver: name.to_string(),
        digest: digest.unwrap_or_default(),
        network: shortened(&document.network.name, NAME_MAX).into_owned(),
        container: Some(document.container_id.clone()),
    }
}
