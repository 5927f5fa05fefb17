//! A simulated kernel, whose changes are in memory only. It begins with the
//! state of the real kernel and behaves like it, as far as that is known. It
//! records an assumption for everything else.
//!
//! It has only a [`Reader`] of the real kernel, so it can't change that one.
//! Tests give it an imagined machine to begin with ([`Imagined`]).

#![deny(unsafe_code)]

mod addressing;
mod announce;
mod bridge_ports;
mod changing;
mod connected;
mod families;
mod firewall;
mod following;
mod identity;
mod imagined;
mod imagined_reader;
mod limits;
mod link;
mod links;
mod lookup;
mod lookup6;
mod machine;
mod making;
mod neighbours;
mod offloads;
mod picture;
mod properties;
mod routes6;
mod routing;
mod rules;
mod settings;
mod snapshots;
mod topology;
mod traffic;
mod vfs;
mod wireguard;
mod withdrawing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use imagined::{Imagined, ImaginedLink, ImaginedNamespace};
pub use imagined_reader::ImaginedReader;
pub use picture::{Picture, PicturedLink, PicturedNamespace};
pub use topology::{Changes, Edge, EdgeKind, End, LinkView, Mark, NamespaceView, Topology};

use kernel::{KernelError, Reader, Timed};
use nix::errno::Errno;

use machine::Machine;

/// A simulated kernel. All clones share one state.
#[derive(Clone)]
pub struct Simulation(Arc<Mutex<Machine>>);

impl Simulation {
    /// Begins with the state of the real kernel. Without `has_container`, the
    /// container's namespace is a new one, which only this kernel has.
    pub fn begin(reader: Box<dyn Reader + Send>, has_container: bool) -> Result<Self, KernelError> {
        let machine = Machine::begin(reader, has_container)?;
        Ok(Self(Arc::new(Mutex::new(machine))))
    }

    /// Returns the present topology.
    pub fn topology(&self) -> Topology {
        self.machine().topology()
    }

    /// Returns the present topology, with what has changed since another simulation read the
    /// same namespaces.
    pub fn topology_since(&self, before: &Self) -> Topology {
        let now = self.machine();
        now.topology_since(&before.machine())
    }

    /// Describes the present state in words, without the objects that the
    /// kernel makes by itself. Restoring all changes restores the facts.
    pub fn facts(&self) -> Vec<String> {
        self.machine().facts()
    }

    /// Returns the present state in plain values, for comparisons.
    pub fn picture(&self) -> Result<Picture, KernelError> {
        self.machine().picture()
    }

    /// Returns the assumptions so far about facts that can't be known.
    pub fn assumed(&self) -> Vec<String> {
        self.machine().assumed().to_vec()
    }

    /// Has one operation fail, counted from 1 and from now, as on a kernel that is short of
    /// memory.
    pub fn fail_at(&self, number: u32) {
        self.machine().fail_at(number);
    }

    /// Has no operation fail any more.
    pub fn fail_no_more(&self) {
        self.machine().fail_no_more();
    }

    /// Whether that operation has failed.
    pub fn has_failed(&self) -> bool {
        self.machine().has_failed()
    }

    /// Returns the machine for an operation, unless the deadline of the run is over or the
    /// operation is to fail.
    fn in_time(&self) -> Result<MutexGuard<'_, Machine>, KernelError> {
        let mut machine = self.machine();
        if machine.is_late() {
            return Err(KernelError::Deadline);
        }
        match machine.fails_now() {
            true => Err(Errno::ENOMEM.into()),
            false => Ok(machine),
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timed for Simulation {
    fn set_deadline(&mut self, deadline: Instant) {
        self.machine().set_deadline(deadline);
    }
}
