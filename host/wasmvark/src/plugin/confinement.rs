//! The wall around a run: what its driver's grant, and undoing its container's records,
//! leave to the process once all is open.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use confine::{Alarm, Gap, Needs, Place, Use, Wall};
use engine::driver::RunError;
use engine::rollback::Rollback;
use engine::session::Load;
use kernel::Netns;
use policy::{Call, Grant, ReachKey};
use request::protocol::error_document;
use types::KernelInterface;

use super::load::{Loaded, map};
use crate::store::Layout;

/// Memory beside that of the guest, in bytes.
const MEMORY: u64 = 256 << 20;
/// How much a file may grow in a run, in bytes.
const GROWTH: u64 = 64 << 20;

/// The identity of the running kernel's boot, which journals begin with.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The kernel settings of the network.
const SETTINGS: &str = "/proc/sys/net";
/// The device that makes taps.
const TUN: &str = "/dev/net/tun";

/// What stands for the name of a forbidden system call until there is one. No other text
/// has it.
const NAME: char = '\0';

/// A run that is confined before its driver's code is mapped.
pub(super) struct Confinement<'a> {
    pub(super) loaded: &'a Loaded,
    /// Whether the run can change something. One of `create` can't.
    pub(super) changes: bool,
    /// The secrets that the request names.
    pub(super) secrets: Vec<String>,
    /// The container's namespace, if a thread is in it.
    pub(super) container: Option<Netns>,
    /// The driver's precompiled code.
    pub(super) code: PathBuf,
}

impl<'a> Confinement<'a> {
    /// Returns what confines the run and then maps the code.
    pub(super) fn load(self) -> Load<'a> {
        Box::new(move |rollback| {
            self.confine(rollback).map_err(RunError::Host)?;
            map(&self.code).map_err(|error| RunError::Host(error.to_string()))
        })
    }

    /// Confines the process, and records what the kernel can't hold.
    fn confine(&self, rollback: &mut Rollback) -> Result<(), String> {
        let home = rollback.confine().map_err(|error| error.to_string())?;
        let wall = Wall::new(self.needs(home, rollback)).map_err(|error| error.to_string())?;
        let gaps = self.raise(&wall, self.alarm(rollback))?;
        for gap in &gaps {
            let recorded = rollback.trail().unconfined(&gap.to_string());
            recorded.map_err(|error| error.to_string())?;
        }
        match gaps.first() {
            Some(gap) if self.loaded.grant.requires_confinement() => Err(format!(
                "the run can't be confined as {} requires it: {gap}; `wasmvark doctor` says what \
                 this kernel can't hold",
                self.loaded.grant.path().display()
            )),
            _ => Ok(()),
        }
    }

    /// Raises the wall around the thread in the container's namespace, and around the
    /// process.
    fn raise(&self, wall: &Wall, alarm: Alarm) -> Result<Vec<Gap>, String> {
        let mut others = 0;
        if let Some(container) = &self.container {
            let its = wall.clone();
            let inside = container.run(move || its.around_thread().map_err(|e| e.to_string()));
            inside.map_err(|error| error.to_string())??;
            others = 1;
        }
        let raised = wall.around_process(others, alarm);
        raised.map_err(|error| error.to_string())
    }

    /// Returns what the run may do from now on.
    fn needs(&self, home: Option<PathBuf>, rollback: &mut Rollback) -> Needs {
        let grant = &self.loaded.grant;
        let mut ways = match self.changes {
            true => ways_of(grant),
            false => BTreeSet::new(),
        };
        let undone = rollback.entries().iter();
        ways.extend(undone.flat_map(|entry| entry.change.kernel_interfaces()));
        let [trail, journald] = rollback.trail().descriptors();
        let layout = self.loaded.store.layout();
        let mut places = places(layout, &ways, home);
        places.extend(self.secrets(&layout.secrets));
        places.push(read(&self.code));
        let has = |way| ways.contains(&way);
        Needs {
            network: true,
            admin: self.changes,
            netfilter: has(KernelInterface::Netfilter),
            generic: has(KernelInterface::Generic),
            announce: has(KernelInterface::Packets),
            taps: has(KernelInterface::Tun),
            places,
            memory: grant.limits().memory.saturating_add(MEMORY),
            file_size: length(&layout.trail).saturating_add(GROWTH),
            trail,
            journald,
        }
    }

    /// Returns the secrets that the grant and the request allow.
    fn secrets(&self, folder: &Path) -> Vec<Place> {
        let grant = &self.loaded.grant;
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let allowed = names.filter(|name| has_secret(grant, &self.secrets, name));
        allowed.map(|name| read(&folder.join(name))).collect()
    }

    /// Returns what a forbidden system call leaves behind.
    fn alarm(&self, rollback: &mut Rollback) -> Alarm {
        let [trail, _] = rollback.trail().descriptors();
        let line = rollback.trail().violation();
        let document = error_document(&format!(
            "the run of the driver {} was ended because it made the system call {NAME}, which \
             its grant doesn't need: the driver may have broken out of its sandbox, so report it; \
             what the run did is undone by the container's next run, or by `wasmvark gc`",
            self.loaded.name
        ));
        let (before, after) = document.split_once("\\u0000").unwrap_or_default();
        Alarm {
            trail: trail.map(|trail| (trail, line)),
            error: [before.to_owned(), after.to_owned()],
        }
    }
}

/// Returns the ways into the kernel that a grant opens.
pub(crate) fn ways_of(grant: &Grant) -> BTreeSet<KernelInterface> {
    let calls = grant.calls().keys();
    calls.flat_map(|call| call.kernel_interfaces()).collect()
}

/// Whether a grant allows a secret: by its reach, or because the request names it.
fn has_secret(grant: &Grant, named: &[String], name: &str) -> bool {
    let calls = grant.calls();
    let reads = |call: &Call| call.reach_keys().contains(&ReachKey::Secret);
    let mut reading = calls.iter().filter(|(call, _)| reads(call));
    reading.any(|(_, reach)| named.iter().any(|named| named == name) || reach.has_secret(name))
}

/// Returns the places of every run with such ways into the kernel.
fn places(layout: &Layout, ways: &BTreeSet<KernelInterface>, home: Option<PathBuf>) -> Vec<Place> {
    let settings = match ways.contains(&KernelInterface::Settings) {
        true => Use::Write,
        false => Use::Read,
    };
    let mut places = vec![place(Path::new(SETTINGS), settings)];
    if let Some(home) = home {
        places.extend([
            read(Path::new(BOOT_ID)),
            read(&layout.journals()),
            place(&layout.journals(), Use::RemoveFolders),
            place(&home, Use::Keep),
            place(&layout.locks(), Use::RemoveFiles),
        ]);
    }
    if ways.contains(&KernelInterface::Tun) {
        places.push(place(Path::new(TUN), Use::Device));
    }
    places
}

fn read(path: &Path) -> Place {
    place(path, Use::Read)
}

fn place(path: &Path, uses: Use) -> Place {
    Place {
        path: path.to_owned(),
        uses,
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
