//! The audit trail: one JSON line for each decision, and one for the start and
//! the end of each run. It knows nothing of the kernel.
//!
//! A run that can't write its first line does nothing at all, and a decision
//! that can't be recorded ends the run, unless the driver's grant says that the
//! trail isn't required. Only clearing up goes on without it.
//!
//! A file that is full becomes an old one, and a new one begins ([`Rotation`]);
//! [`Tail`] reads them all in order. What the trail gets, systemd's journal gets
//! too where there is one.

mod file;
mod journald;
mod line;
mod memory;
mod read;
mod rotation;
mod since;
mod summary;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::grant::Reach;
use crate::text;
use file::Writer;
use journald::Journald;
use line::Line;

pub use line::{Event, Record, Subject, Verdict, reach_in_words};
pub use memory::{Memory, Operation};
pub use read::Tail;
pub use rotation::Rotation;
pub use since::{InvalidSince, Since};
pub use summary::{CallUsage, Summary, Usage};

/// Bytes of the longest description of what a call is about: a driver may name
/// much, and must not push all else out of the trail with it.
const OBJECT_MAX: usize = 1024;

/// Why the trail can't be written.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "can't write the audit trail {}: {error}; no driver runs unrecorded, so make it writable first",
    path.display()
)]
pub struct AuditError {
    path: PathBuf,
    error: String,
}

/// Where lines go.
#[derive(Debug, Clone)]
pub struct Place {
    /// The newest file; the old ones lie beside it, with a number behind the
    /// name.
    pub file: PathBuf,
    /// When it becomes an old one, or why nobody can tell.
    pub rotation: Result<Rotation, String>,
    /// The socket of systemd's journal, where there is one.
    pub journald: PathBuf,
}

/// What happens when a line can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// The run ends.
    Yes,
    /// The run goes on, and standard error says so.
    No,
}

/// What takes the lines.
#[derive(Debug)]
enum Sink {
    File(Writer),
    Memory(Memory),
    /// Nowhere: why the file can't be opened.
    Lost(String),
}

impl Sink {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::File(writer) => writer.append(line),
            Self::Memory(memory) => {
                memory.append(line);
                Ok(())
            }
            Self::Lost(why) => Err(io::Error::other(why.clone())),
        }
    }
}

/// The open trail of one run.
#[derive(Debug)]
pub struct Trail {
    sink: Sink,
    path: PathBuf,
    required: Required,
    /// Lines that couldn't be written, where that's no failure.
    lost: u32,
    journald: Option<Journald>,
    subject: Subject,
}

impl Trail {
    /// Opens the trail and records that the run begins.
    pub fn open(place: &Place, required: Required, subject: Subject) -> Result<Self, AuditError> {
        let opened = place.rotation.clone().and_then(|rotation| {
            Writer::open(&place.file, rotation).map_err(|error| error.to_string())
        });
        let mut trail = Self {
            sink: opened.map_or_else(Sink::Lost, Sink::File),
            path: place.file.clone(),
            required,
            lost: 0,
            journald: Journald::connect(&place.journald),
            subject,
        };
        trail.write(Event::Run, |_| {})?;
        Ok(trail)
    }

    /// A trail that is kept in memory, for a run that changes nothing.
    pub fn in_memory(memory: &Memory, subject: Subject) -> Result<Self, AuditError> {
        let mut trail = Self {
            sink: Sink::Memory(memory.clone()),
            path: PathBuf::new(),
            required: Required::Yes,
            lost: 0,
            journald: None,
            subject,
        };
        trail.write(Event::Run, |_| {})?;
        Ok(trail)
    }

    /// A trail that couldn't be opened and takes nothing, for a run that
    /// clears up all the same.
    pub fn lost(why: &AuditError, place: &Place, subject: Subject) -> Self {
        Self {
            sink: Sink::Lost(why.error.clone()),
            path: why.path.clone(),
            required: Required::Yes,
            lost: 0,
            journald: Journald::connect(&place.journald),
            subject,
        }
    }

    /// Records that a call was allowed: by how much of the grant's reach, and
    /// what the kernel answered.
    pub fn allowed(
        &mut self,
        call: &str,
        object: &str,
        reach: &Reach,
        errno: Option<i32>,
    ) -> Result<(), AuditError> {
        self.write(Event::Call, |line| {
            line.call = Some(call);
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.verdict = Some(Verdict::Allow);
            line.reach = (!reach.is_empty()).then_some(reach);
            line.errno = errno;
        })
    }

    /// Records that a call was denied, and which reach it lacked.
    pub fn denied(&mut self, call: &str, object: &str, reach: &Reach) -> Result<(), AuditError> {
        self.write(Event::Call, |line| {
            line.call = Some(call);
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.verdict = Some(Verdict::Deny);
            line.reach = (!reach.is_empty()).then_some(reach);
        })
    }

    /// Records that the host undid a change, or why it couldn't.
    pub fn undo(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Undo, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.error = error;
        })
    }

    /// Records that the host put something back, or why it couldn't.
    pub fn restore(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Restore, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.error = error;
        })
    }

    /// Records that the operator gave up what was to be undone.
    pub fn forget(&mut self, object: &str) -> Result<(), AuditError> {
        self.write(Event::Forget, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
        })
    }

    /// Records the end of the run and why it failed, if it did.
    pub fn end(&mut self, error: Option<&str>) -> Result<(), AuditError> {
        let written = self.write(Event::End, |line| line.error = error);
        if self.lost > 0 {
            tell(&format!(
                "{} missing in the audit trail {}",
                text::counted(self.lost.into(), "line"),
                self.path.display()
            ));
        }
        written
    }

    fn write<'a>(
        &'a mut self,
        event: Event,
        fill: impl FnOnce(&mut Line<'a>),
    ) -> Result<(), AuditError> {
        let mut line = Line::new(event, &self.subject);
        fill(&mut line);
        if let Some(journald) = &self.journald {
            journald.send(&line);
        }
        let written = line.text().and_then(|text| self.sink.append(&text));
        let Err(error) = written else {
            return Ok(());
        };
        if error.kind() == io::ErrorKind::TimedOut {
            // The next line would wait as long.
            self.sink = Sink::Lost(error.to_string());
        }
        if self.required == Required::Yes {
            return Err(unwritten(&self.path, &error));
        }
        if self.lost == 0 {
            tell(&format!(
                "can't write the audit trail {}: {error}; the run goes on without it, as the \
                 driver's grant says",
                self.path.display()
            ));
        }
        self.lost = self.lost.saturating_add(1);
        Ok(())
    }
}

fn unwritten(path: &Path, error: &io::Error) -> AuditError {
    AuditError {
        path: path.to_owned(),
        error: error.to_string(),
    }
}

/// Tells the operator something on standard error, where somebody reads it.
fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "wasmvark: {message}");
}
