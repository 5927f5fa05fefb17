//! The wall around a run: what its driver's grant, and undoing its container's records,
//! leave to the process once all is open.

mod needs;

use std::os::fd::{IntoRawFd, RawFd};
use std::path::{Path, PathBuf};

use confine::{Alarm, Gap, Needs, Wall};
use engine::driver::RunError;
use engine::rollback::Rollback;
use engine::session::{Load, Mapped};
use kernel::Netns;
use request::protocol::error_document;

use super::load::{Loaded, Source};
use needs::secrets;
pub(crate) use needs::{Kind, Rights, RightsLeft};

/// Memory beside that of the guest, in bytes.
const MEMORY: u64 = 256 << 20;
/// How much a file may grow in a run, in bytes.
const GROWTH: u64 = 64 << 20;

/// What stands for the name of a forbidden system call until there is one. No other text
/// has it.
const NAME: char = '\0';

/// A run that is confined before its driver's code is mapped.
pub(super) struct Confinement<'a> {
    pub(super) loaded: &'a Loaded,
    /// What the run does.
    pub(super) kind: Kind,
    /// The secrets that the request names.
    pub(super) secrets: Vec<String>,
    /// The container's namespace, if a thread is in it.
    pub(super) container: Option<Netns>,
    /// The driver's precompiled code.
    pub(super) code: Source,
}

impl<'a> Confinement<'a> {
    /// Returns what confines the run and then maps the code.
    pub(super) fn load(self) -> Load<'a> {
        self.load_and_then(confine::no_more_threads)
    }

    /// Returns the same for a run that another one follows, in the same process: that needs
    /// a thread, too.
    pub(super) fn load_first(self) -> Load<'a> {
        self.load_and_then(|| {})
    }

    fn load_and_then(self, started: fn()) -> Load<'a> {
        Box::new(move |rollback| {
            self.confine(rollback).map_err(RunError::Host)?;
            let code = self.code.load();
            let code = code.map_err(|error| RunError::Host(error.to_string()))?;
            Ok(Mapped { code, started })
        })
    }

    /// Confines the process, and records what the kernel can't hold.
    fn confine(&self, rollback: &mut Rollback) -> Result<(), String> {
        let home = rollback.confine().map_err(|error| error.to_string())?;
        let trail = rollback
            .trail()
            .another()
            .map_err(|error| error.to_string())?;
        // It stays open until the process ends.
        let trail = trail.map(IntoRawFd::into_raw_fd);
        let needs = Needs {
            kept_open: trail,
            ..self.needs(home, rollback)
        };
        let wall = Wall::new(needs).map_err(|error| error.to_string())?;
        let gaps = self.raise(&wall, self.alarm(trail, rollback))?;
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
        let mut gaps = Vec::new();
        if let Some(container) = &self.container {
            let its = wall.clone();
            let inside = container.run(move || its.around_thread().map_err(|e| e.to_string()));
            gaps = inside.map_err(|error| error.to_string())??;
        }
        let others = usize::from(self.container.is_some());
        let raised = wall.around_process(others, alarm);
        for gap in raised.map_err(|error| error.to_string())? {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        }
        Ok(gaps)
    }

    /// Returns what the run may do from now on.
    fn needs(&self, home: Option<PathBuf>, rollback: &mut Rollback) -> Needs {
        let calls = self.loaded.grant.calls();
        let mut rights = Rights::of(self.kind, calls);
        if self.kind == Kind::Connect {
            rights.undo(rollback.entries());
        }
        let layout = self.loaded.store.layout();
        let mut places = rights.places(layout, home);
        if self.kind == Kind::Connect {
            places.extend(secrets(calls, &self.secrets, &layout.secrets));
        }
        if let Source::File(code) = &self.code {
            places.push(needs::read(code));
        }
        let [trail, journald] = rollback.trail().descriptors();
        Needs {
            places,
            memory: self.loaded.grant.limits().memory.saturating_add(MEMORY),
            file_size: length(&layout.trail).saturating_add(GROWTH),
            // The file that a plan is written to is open. Its trail is in memory.
            truncates: self.kind == Kind::Plan,
            trail,
            journald,
            ..rights.needs()
        }
    }

    /// Returns what a forbidden system call leaves behind.
    fn alarm(&self, trail: Option<RawFd>, rollback: &mut Rollback) -> Alarm {
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

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
