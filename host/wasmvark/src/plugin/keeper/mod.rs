//! The keeper of a run: a process that does what the run itself can't do any more, once
//! it is confined for its driver.
//!
//! It speaks to aardvark-dns, netavark's DHCP proxy and firewalld, keeps the host's
//! settings and new networks, rotates the audit trail, and does the rest of a teardown. It
//! is split from the run while that has one thread, and ends with it. It does no task that
//! the run's request and journals don't lead to.

mod allowed;
mod link;
mod needs;
mod remote;
mod serve;
mod task;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::{Newest, Rotator};
use engine::gate::Names;
use journal::Here;
use policy::{Authority, Call};
use request::protocol::NetworkDocument;
use request::{KeptNetwork, Network, Request};
use services::dhcp::DhcpProxy;
use services::{AbsentServices, Relayed, RelayedCause, Services};
use types::Key;

use super::child::{self, ChildError, Connection};
use super::load::Loaded;
use super::{local_services, names, said};
use crate::store::{KeptNetworks, NetworksError, Store};
use allowed::{Allowed, AllowedNames, NewNetwork};
use link::Link;
use needs::Needs;
use remote::RemoteServices;
use serve::{Run, Server};
use task::Task;
use trail::RemoteTrail;

/// The time that a keeper has to read or write files.
const FILES_TIME: Duration = Duration::from_secs(30);
/// The time that the rest of a teardown may take. It waits for the locks of networks, for
/// up to a minute each.
const TEARDOWN_TIME: Duration = Duration::from_secs(600);

/// The keeper of a run, or nothing for a run that needs none.
pub(super) struct Keeper(Kind);

enum Kind {
    /// The connection to a keeper.
    Linked(Link),
    /// The services of a run without one.
    Unneeded(AbsentServices),
}

/// Why a keeper can't be started, or didn't do a task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    /// No process can be started.
    #[error(
        "can't start the process that speaks to aardvark-dns, the DHCP proxy and firewalld: {0}"
    )]
    Start(#[from] ChildError),
    /// The task failed.
    #[error(transparent)]
    Task(#[from] Relayed),
    /// The network can't be kept.
    #[error(transparent)]
    Network(#[from] NetworksError),
}

impl Keeper {
    /// Starts the keeper of a run of `create`.
    ///
    /// # Errors
    ///
    /// The process has more than one thread, or no other can be made.
    pub(super) fn for_create(
        loaded: &Loaded,
        document: &NetworkDocument,
        network: &Network,
        here: Here,
    ) -> Result<Self, KeeperError> {
        let new = NewNetwork::new(&loaded.grant, document.network(), &network.id);
        let allowed = Allowed {
            network: Some(new),
            ..Allowed::default()
        };
        Self::start(
            &loaded.store,
            Run::Network(network.id.clone()),
            here,
            allowed,
        )
    }

    /// Starts the keeper of a setup, if it needs one.
    ///
    /// # Errors
    ///
    /// The process has more than one thread, or no other can be made.
    pub(super) fn for_setup(
        loaded: &Loaded,
        request: &Request,
        names: Option<&Names>,
        (here, netns): (Here, &Path),
    ) -> Result<Self, KeeperError> {
        if let Needs::Nothing { has_firewalld } = Needs::of_setup(loaded, request, names, here) {
            return Ok(Self::unneeded(&loaded.store, has_firewalld));
        }
        let grant = &loaded.grant;
        let leases = grant.calls().contains_key(&Call::DhcpLease);
        // The run itself gets the error of a reach that can't be told.
        let reach = said::reach(loaded.store.layout(), request).ok();
        let allowed = Allowed {
            names: AllowedNames::of(grant, request, names),
            client: leases.then(|| names::dhcp_client(request, netns)),
            authority: reach.map(|request| Authority {
                grant: grant.clone(),
                request,
            }),
            journals: Some(request.key()),
            keeps_settings: true,
            ..Allowed::default()
        };
        Self::start(&loaded.store, Run::Container(request.key()), here, allowed)
    }

    /// Starts the keeper of a teardown, if it needs one.
    ///
    /// # Errors
    ///
    /// The process has more than one thread, or no other can be made.
    pub(super) fn for_teardown(store: &Store, key: &Key, here: Here) -> Result<Self, KeeperError> {
        if let Needs::Nothing { has_firewalld } = Needs::of_teardown(store, key, here) {
            return Ok(Self::unneeded(store, has_firewalld));
        }
        let allowed = Allowed {
            journals: Some(key.clone()),
            is_teardown: true,
            ..Allowed::default()
        };
        Self::start(store, Run::Container(key.clone()), here, allowed)
    }

    /// Returns the absence of a keeper.
    pub(super) fn unneeded(store: &Store, has_firewalld: bool) -> Self {
        let proxy = DhcpProxy::at(store.layout().dhcp_proxy.clone());
        Self(Kind::Unneeded(AbsentServices::new(proxy, has_firewalld)))
    }

    fn start(store: &Store, run: Run, here: Here, allowed: Allowed) -> Result<Self, KeeperError> {
        let server = Server {
            store: store.clone(),
            run,
            here,
            allowed,
            // The parent's options say where they are, and the keeper has another parent.
            services: local_services::open(store.layout()),
            trail: Rotator::new(store.trail()),
            opened: None,
        };
        Self::start_with(|connection| server.serve(connection))
    }

    fn start_with(work: impl FnOnce(Connection)) -> Result<Self, KeeperError> {
        let (connection, process) = child::start(work)?;
        Ok(Self(Kind::Linked(Link::new(connection, Some(process)))))
    }

    /// Has the keeper read what the run may undo. The run has the network's lock, and
    /// isn't confined yet.
    ///
    /// # Errors
    ///
    /// The journals can't be read, or the keeper has ended.
    pub(super) fn begin(&self) -> Result<(), KeeperError> {
        match &self.0 {
            Kind::Linked(link) => Ok(link.have_done(Task::Begin, soon(FILES_TIME))?),
            Kind::Unneeded(_) => Ok(()),
        }
    }

    /// Returns the services of the run.
    pub(super) fn services(&self) -> Box<dyn Services + Send> {
        match &self.0 {
            Kind::Linked(link) => Box::new(RemoteServices::new(link.clone())),
            Kind::Unneeded(services) => Box::new(services.clone()),
        }
    }

    /// Returns what opens the newest file of the trail for the confined run, if there is
    /// a keeper.
    pub(super) fn newest_of_trail(&self) -> Option<Arc<dyn Newest>> {
        match &self.0 {
            Kind::Linked(link) => Some(Arc::new(RemoteTrail::new(link.clone()))),
            Kind::Unneeded(_) => None,
        }
    }

    /// Keeps the settings of the host that the container needs.
    ///
    /// # Errors
    ///
    /// A file can't be written, or the keeper has ended.
    pub(super) fn keep_settings(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), KeeperError> {
        match &self.0 {
            Kind::Linked(link) => {
                let task = Task::KeepSettings(settings.clone());
                Ok(link.have_done(task, soon(FILES_TIME))?)
            }
            Kind::Unneeded(_) if settings.is_empty() => Ok(()),
            Kind::Unneeded(_) => Err(unneeded()),
        }
    }

    /// Keeps the document of a new network.
    ///
    /// # Errors
    ///
    /// The network is too large, too many are kept, a file can't be written, or the
    /// keeper has ended.
    pub(super) fn keep_network(
        &self,
        network: &Network,
        kept: KeptNetwork,
    ) -> Result<(), KeeperError> {
        // A keeper takes no larger one.
        KeptNetworks::text(&network.id, &kept)?;
        match &self.0 {
            Kind::Linked(link) => {
                let task = Task::KeepNetwork(Box::new(kept));
                Ok(link.have_done(task, soon(FILES_TIME))?)
            }
            Kind::Unneeded(_) => Err(unneeded()),
        }
    }

    /// Does the rest of a teardown, for which the run holds no lock: forgets the kept
    /// settings, and publishes ports through the container's other networks.
    ///
    /// # Errors
    ///
    /// The keeper has ended.
    pub(super) fn end_teardown(&self, forgets: bool, publishes: bool) -> Result<(), KeeperError> {
        match &self.0 {
            Kind::Linked(link) => {
                let task = Task::EndTeardown { forgets, publishes };
                Ok(link.have_done(task, soon(TEARDOWN_TIME))?)
            }
            Kind::Unneeded(_) => Ok(()),
        }
    }
}

fn soon(time: Duration) -> Instant {
    Instant::now() + time
}

fn unneeded() -> KeeperError {
    let text = "internal error: the run has no keeper; please report it";
    Relayed::new(text.to_owned(), RelayedCause::Refused).into()
}
