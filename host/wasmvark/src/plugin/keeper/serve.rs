//! The work of a keeper.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::Rotator;
use journal::{Here, Journal, JournalError};
use services::{Relayed, RelayedCause, Services};
use types::{Key, NetworkId};

use super::allowed::Allowed;
use super::task::{Answer, Order, Reply, Task};
use crate::plugin::child::Connection;
use crate::plugin::{restore, tell};
use crate::store::{KeptNetworks, Store, kept_settings};

/// The longest time that an order can leave for its task.
const LEFT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A keeper, as its own process has it.
pub(super) struct Server {
    /// The installation.
    pub(super) store: Store,
    /// The container and the network of the run. A new network has no container.
    pub(super) run: Run,
    /// The host's namespace.
    pub(super) here: Here,
    /// The tasks that the run may have.
    pub(super) allowed: Allowed,
    /// The services.
    pub(super) services: Box<dyn Services + Send>,
    /// The installation's trail.
    pub(super) trail: Rotator,
    /// The file that goes with the next answer.
    pub(super) opened: Option<Arc<File>>,
}

/// The object of a run.
pub(super) enum Run {
    /// A container on a network.
    Container(Key),
    /// A new network.
    Network(NetworkId),
}

impl Server {
    /// Does tasks until the other end of the connection is closed.
    pub(super) fn serve(mut self, mut connection: Connection) {
        // Whoever sends anything but orders gets no more answers.
        while let Ok(order) = connection.receive::<Order>(None) {
            let reply = self.answer(order);
            let sent = connection.send(&reply, None);
            let sent = sent.and_then(|()| match self.opened.take() {
                Some(file) => connection.send_file(&file, None),
                None => Ok(()),
            });
            if sent.is_err() {
                break;
            }
        }
    }

    fn answer(&mut self, order: Order) -> Reply {
        let Order { left_ms, task } = order;
        let checked = self.allowed.check(&task);
        checked.map_err(|refused| Relayed::new(refused.to_string(), RelayedCause::Refused))?;
        let left = Duration::from_millis(left_ms).min(LEFT_MAX);
        self.services.set_deadline(Instant::now() + left);
        self.work(task)
    }

    fn work(&mut self, task: Task) -> Reply {
        match task {
            Task::Begin => self.begin().map_err(failed)?,
            Task::Register(registration) => {
                let served = self.services.register(&registration);
                return served.map(Answer::Served).map_err(Relayed::from);
            }
            Task::Withdraw(record) => self.services.withdraw(&record)?,
            Task::Lease(request) => {
                let lease = self.services.lease(&request)?;
                lease.iter().for_each(|lease| self.allowed.add_lease(lease));
                return Ok(Answer::Leased(lease));
            }
            Task::Release(request) => self.services.release(&request)?,
            Task::IsTrusted(subnet) => {
                let is_trusted = self.services.is_trusted(subnet);
                return is_trusted.map(Answer::IsTrusted).map_err(Relayed::from);
            }
            Task::Trust(subnet) => self.services.trust(subnet)?,
            Task::Distrust(subnet) => self.services.distrust(subnet)?,
            Task::IsStrict => {
                let is_strict = self.services.is_strict();
                return is_strict.map(Answer::IsStrict).map_err(Relayed::from);
            }
            Task::KeepSettings(settings) => {
                if let Run::Container(key) = &self.run {
                    let kept = kept_settings::keep(self.store.layout(), key, &settings);
                    kept.map_err(failed)?;
                }
            }
            Task::KeepNetwork(network) => {
                if let Run::Network(id) = &self.run {
                    let networks = KeptNetworks::new(self.store.layout());
                    networks.keep(id, &network).map_err(failed)?;
                }
            }
            Task::OpenTrail { line } => {
                let opened = self.trail.open(line).map_err(failed)?;
                self.opened = Some(opened);
                return Ok(Answer::Opened);
            }
            Task::EndTeardown { forgets, publishes } => self.end_teardown(forgets, publishes),
        }
        Ok(Answer::Done)
    }

    /// Reads which changes of services the run may undo: the container's own, and those
    /// that killed setups of the network's others left.
    fn begin(&mut self) -> Result<(), JournalError> {
        let Some(key) = self.allowed.journals.take() else {
            return Ok(());
        };
        let journals = self.store.layout().journals();
        let journal = Journal::open(&journals, &key, self.here)?;
        self.allowed.add_records(journal.entries());
        for other in journal.abandoned_others()? {
            self.allowed.add_records(other.entries());
        }
        Ok(())
    }

    fn end_teardown(&self, forgets: bool, publishes: bool) {
        let Run::Container(key) = &self.run else {
            return;
        };
        if forgets && let Err(error) = kept_settings::forget(self.store.layout(), key) {
            tell(&error.to_string());
        }
        if publishes {
            restore::on_other_networks(&self.store, key);
        }
    }
}

fn failed(error: impl std::error::Error) -> Relayed {
    Relayed::new(error.to_string(), RelayedCause::Other)
}
