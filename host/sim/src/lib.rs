//! A kernel whose changes are in memory only: it begins with what the real one
//! has, and behaves as that one would as far as that is known. What isn't, it
//! assumes and says so.
//!
//! It has nothing but a [`Reader`] of the real one, so it can't change that. Tests
//! have it begin with a machine that is only thought of ([`Imagined`]).

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

use machine::Machine;

/// A simulated kernel. Copies of it are the same one.
#[derive(Clone)]
pub struct Simulation(Arc<Mutex<Machine>>);

impl Simulation {
    /// Begins with what the real kernel has. Without `has_container` the
    /// container's namespace is a new one, which only this kernel has.
    pub fn begin(reader: Box<dyn Reader + Send>, has_container: bool) -> Result<Self, KernelError> {
        let machine = Machine::begin(reader, has_container)?;
        Ok(Self(Arc::new(Mutex::new(machine))))
    }

    /// How everything is by now.
    pub fn topology(&self) -> Topology {
        self.machine().topology()
    }

    /// The same in words, without what the kernel sees to by itself: what was
    /// changed and put back is as it was.
    pub fn facts(&self) -> Vec<String> {
        self.machine().facts()
    }

    /// All of it in plain values, for comparing.
    pub fn picture(&self) -> Result<Picture, KernelError> {
        self.machine().picture()
    }

    /// What was assumed so far because it can't be known.
    pub fn assumed(&self) -> Vec<String> {
        self.machine().assumed().to_vec()
    }

    /// The machine, before the deadline of the run.
    fn in_time(&self) -> Result<MutexGuard<'_, Machine>, KernelError> {
        let machine = self.machine();
        match machine.is_late() {
            true => Err(KernelError::Deadline),
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
