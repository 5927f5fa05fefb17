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

#![deny(unsafe_code)]

mod file;
mod journald;
mod line;
mod memory;
mod read;
mod rotation;
mod since;
mod summary;

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use policy::Reach;
use types::text;

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

/// Patterns of a reach in a line: of each kind so many, in one of a denial and in one
/// of a call that was allowed.
const LACKING_MAX: usize = 16;
const USED_MAX: usize = 64;

/// Bytes of the longest error.
const ERROR_MAX: usize = 4096;

/// Denials of a run that have a line each. Those behind them are counted: whoever
/// asks again and again for what it doesn't get says nothing new, and must not push
/// out what others did.
const DENIALS_MAX: u64 = 128;

/// Bytes of what a run does. Each change has its line, so a run that needs more is
/// ended.
const RUN_MAX: u64 = 6 << 20;
/// The same where the operator keeps little.
const RUN_MIN: u64 = 64 << 10;
/// How many such runs there is room for in what the operator keeps.
const RUNS_KEPT: u64 = 4;

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
    quota: Quota,
    subject: Subject,
}

/// What of a trail a run may still take.
#[derive(Debug)]
struct Quota {
    /// Bytes of calls.
    bytes: u64,
    /// Denials.
    denials: u64,
    /// Denials beyond that.
    unrecorded: u64,
}

impl Quota {
    fn of(rotation: Option<Rotation>) -> Self {
        let rotation = rotation.unwrap_or_default();
        let kept = rotation.size.saturating_mul(rotation.keep.into());
        Self {
            bytes: (kept / RUNS_KEPT).clamp(RUN_MIN, RUN_MAX),
            denials: DENIALS_MAX,
            unrecorded: 0,
        }
    }
}

impl Trail {
    /// Opens the trail and records that the run begins.
    pub fn open(place: &Place, required: Required, subject: Subject) -> Result<Self, AuditError> {
        let mut trail = Self::resume(place, required, subject);
        trail.write(Event::Run, |_| {})?;
        Ok(trail)
    }

    /// Goes on with the trail of a run whose own one can't be used any more; where
    /// it can't be opened nothing is recorded.
    pub fn resume(place: &Place, required: Required, subject: Subject) -> Self {
        let opened = place.rotation.clone().and_then(|rotation| {
            Writer::open(&place.file, rotation).map_err(|error| error.to_string())
        });
        Self {
            sink: opened.map_or_else(Sink::Lost, Sink::File),
            path: place.file.clone(),
            required,
            lost: 0,
            journald: Journald::connect(&place.journald),
            quota: Quota::of(place.rotation.clone().ok()),
            subject,
        }
    }

    /// A trail that is kept in memory, for a run that changes nothing.
    pub fn in_memory(memory: &Memory, subject: Subject) -> Result<Self, AuditError> {
        let mut trail = Self {
            sink: Sink::Memory(memory.clone()),
            path: PathBuf::new(),
            required: Required::Yes,
            lost: 0,
            journald: None,
            quota: Quota::of(None),
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
            quota: Quota::of(None),
            subject,
        }
    }

    /// Whether the run may still do something: what it does gets into the trail.
    pub fn has_room(&self) -> bool {
        self.quota.bytes > 0
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
            line.reach = shortened(reach, USED_MAX);
            line.errno = errno;
        })
    }

    /// Records that a call was denied, and which reach it lacked.
    pub fn denied(&mut self, call: &str, object: &str, reach: &Reach) -> Result<(), AuditError> {
        let Some(left) = self.quota.denials.checked_sub(1) else {
            self.quota.unrecorded = self.quota.unrecorded.saturating_add(1);
            return Ok(());
        };
        self.quota.denials = left;
        self.write(Event::Call, |line| {
            line.call = Some(call);
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.verdict = Some(Verdict::Deny);
            line.reach = shortened(reach, LACKING_MAX);
        })
    }

    /// Records a change of a network's document that `create` returned.
    pub fn change(&mut self, object: &str) -> Result<(), AuditError> {
        self.write(Event::Change, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
        })
    }

    /// Records that the host undid a change, or why it couldn't.
    pub fn undo(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Undo, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.error = cut(error);
        })
    }

    /// Records that the host put something back, or why it couldn't.
    pub fn restore(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Restore, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.error = cut(error);
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
        let denials = self.quota.unrecorded;
        if denials > 0 {
            let further = text::counted(denials, "further denied call");
            self.write(Event::Unrecorded, |line| line.object = Some(further.into()))?;
        }
        let written = self.write(Event::End, |line| line.error = cut(error));
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
        let written = line.text().and_then(|text| {
            if event == Event::Call {
                let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
                self.quota.bytes = self.quota.bytes.saturating_sub(size);
            }
            self.sink.append(&text)
        });
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

/// An error that isn't longer than anyone would read.
fn cut(error: Option<&str>) -> Option<Cow<'_, str>> {
    error.map(|error| text::shortened(error, ERROR_MAX))
}

/// A reach as a line has it, unless there is none.
fn shortened(reach: &Reach, max: usize) -> Option<Cow<'_, Reach>> {
    (!reach.is_empty()).then(|| reach.shortened(max))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Trail {
        let place = Place {
            file: folder.join("audit.jsonl"),
            rotation: Ok(Rotation {
                size: 32 << 10,
                keep: 12,
            }),
            journald: folder.join("none"),
        };
        let subject = Subject {
            command: "setup",
            driver: "d".to_owned(),
            digest: "sha256:0".to_owned(),
            network: "n".to_owned(),
            container: Some("c".to_owned()),
        };
        Trail::open(&place, Required::Yes, subject).unwrap()
    }

    fn lines(folder: &Path) -> Vec<Record> {
        let mut tail = Tail::open(&folder.join("audit.jsonl")).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = tail.line().unwrap() {
            lines.push(Record::parse(&line).unwrap());
        }
        lines
    }

    #[test]
    fn a_run_takes_a_part_of_the_trail_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut trail = open(folder.path());
        let object = "x".repeat(10_000);
        let mut calls = 0;
        while trail.has_room() {
            let reach = Reach::default();
            trail.allowed("links.get", &object, &reach, None).unwrap();
            calls += 1;
        }
        trail.end(None).unwrap();
        let lines = lines(folder.path());
        assert_eq!(lines.len(), calls + 2);
        // A quarter of 12 files, with a bit more than 1 KiB a line.
        assert!((70..97).contains(&calls), "{calls}");
    }

    #[test]
    fn denials_are_recorded_up_to_a_number_and_counted_from_there_on() {
        let folder = tempfile::tempdir().unwrap();
        for further in [0, 3] {
            let mut trail = open(folder.path());
            for _ in 0..DENIALS_MAX + further {
                let reach = Reach::default();
                trail.denied("links.get", "link host:x0", &reach).unwrap();
            }
            trail.end(None).unwrap();
        }
        let lines = lines(folder.path());
        let denials = lines
            .iter()
            .filter(|line| line.verdict == Some(Verdict::Deny));
        assert_eq!(denials.count(), 256);
        let unrecorded: Vec<_> = lines
            .iter()
            .filter(|line| line.event == Event::Unrecorded)
            .collect();
        assert_eq!(unrecorded.len(), 1);
        let object = unrecorded[0].object.as_deref();
        assert_eq!(object, Some("3 further denied calls"));
    }
}
