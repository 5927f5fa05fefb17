//! The audit trail: a JSON line for each decision, and for the start and the end of
//! each run. The crate knows nothing of the kernel.
//!
//! A run that can't write its first line does nothing. A decision that can't be
//! recorded ends the run. The operator's grant can say that the trail isn't required
//! for a driver. A rollback always goes on without it.
//!
//! A full file is rotated ([`Rotation`]). [`Tail`] reads the newest and the old files
//! in order. Each line is sent to systemd's journal as well, if there is one.

#![deny(unsafe_code)]

mod file;
mod journald;
mod line;
mod memory;
mod newest;
mod read;
mod rotation;
mod since;
mod summary;

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::Reach;
use types::text;

use file::Writer;
use journald::Journald;
use line::Line;

pub use line::{Event, Record, Subject, Verdict, reach_in_words};
pub use memory::{Memory, Operation};
pub use newest::{Newest, Rotator};
pub use read::Tail;
pub use rotation::Rotation;
pub use since::{InvalidSince, Since};
pub use summary::{CallUsage, Summary, Usage};

/// The longest description of a call's objects, in bytes. A driver must not push
/// other lines out of the trail with long names.
const OBJECT_MAX: usize = 1024;

/// The number of patterns of each kind in the reach of a denied call.
const LACKING_MAX: usize = 16;
/// The number of patterns of each kind in the reach of an allowed call.
const USED_MAX: usize = 64;

/// The longest error, in bytes.
const ERROR_MAX: usize = 4096;

/// The number of denials of a run that have a line each. Further ones are counted. A
/// driver that repeats a denied call must not push other lines out of the trail.
const DENIALS_MAX: u64 = 128;

/// The longest lines of a run's calls together, in bytes. Each change has a line, so a
/// run that needs more is ended.
const RUN_MAX: u64 = 6 << 20;
/// The same bound if the operator keeps a small trail.
const RUN_MIN: u64 = 64 << 10;
/// The number of longest runs that the operator's trail has space for.
const RUNS_KEPT: u64 = 4;

/// Why the trail can't be written.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "can't write the audit trail {}: {error}; no driver runs without it, so make it writable first",
    path.display()
)]
pub struct AuditError {
    path: PathBuf,
    error: String,
}

/// The place of the trail.
#[derive(Debug, Clone)]
pub struct Place {
    /// The newest file. The old ones are beside it, with a number behind the name.
    pub file: PathBuf,
    /// The bounds of the files, or the error in the operator's file that sets them.
    pub rotation: Result<Rotation, String>,
    /// The socket of systemd's journal. It may not exist.
    pub journald: PathBuf,
}

impl Place {
    /// Whether the newest file may be full once so many bytes are added. A file that can't
    /// be looked at isn't rotated.
    pub fn may_fill(&self, bytes: u64) -> bool {
        let length = std::fs::metadata(&self.file).map_or(0, |newest| newest.len());
        let rotation = self.rotation.as_ref();
        rotation.is_ok_and(|rotation| length.saturating_add(bytes) > rotation.size)
    }
}

/// Whether a run needs the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// The run ends if a line can't be written.
    Yes,
    /// The run goes on without the line, and standard error says so.
    No,
}

/// The destination of the lines.
#[derive(Debug, Clone)]
enum Sink {
    File(Writer),
    Memory(Memory),
    /// The file can't be used, for this reason.
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
    /// The number of lines that couldn't be written, if the trail isn't required.
    lost: u32,
    journald: Option<Journald>,
    quota: Quota,
    subject: Subject,
}

/// The part of the trail that a run may still use.
#[derive(Debug)]
struct Quota {
    /// The remaining bytes for lines of calls.
    bytes: u64,
    /// The remaining lines of denials.
    denials: u64,
    /// The number of denials without a line.
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

    /// Returns the same open trail for a rollback, if the run's own can't be used any more.
    /// The rollback is confined if the run is.
    pub fn spare(&self) -> Self {
        let mut sink = self.sink.clone();
        if let Sink::File(writer) = &mut sink {
            writer.confine();
        }
        Self {
            sink,
            path: self.path.clone(),
            required: Required::Yes,
            lost: 0,
            journald: self.journald.clone(),
            quota: Quota::of(None),
            subject: self.subject.clone(),
        }
    }

    /// Opens the trail without a line. Nothing is recorded if that fails.
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

    /// Opens a trail in memory, for a run that changes nothing.
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

    /// Returns a trail that takes no lines, for a rollback after the trail couldn't be
    /// opened.
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

    /// Whether the run may still make calls, because the trail has space for them.
    pub fn has_room(&self) -> bool {
        self.quota.bytes > 0
    }

    /// Records that a call was allowed, with the part of the grant's reach that it
    /// needed and the kernel's answer.
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

    /// Records that a call was denied, with the reach that it lacked.
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

    /// Records a change that `create` made to the network's document.
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

    /// Records that the host restored an object, or why it couldn't.
    pub fn restore(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Restore, |line| {
            line.object = Some(text::shortened(object, OBJECT_MAX));
            line.error = cut(error);
        })
    }

    /// Gets the newest file from another process, once the run is confined.
    pub fn set_newest(&mut self, newest: Arc<dyn Newest>) {
        if let Sink::File(writer) = &mut self.sink {
            writer.set_newest(newest);
        }
    }

    /// Opens and rotates no file any more, because the run is confined from now on.
    pub fn confine(&mut self) {
        if let Sink::File(writer) = &mut self.sink {
            writer.confine();
        }
    }

    /// Returns the number of the trail's open file, and of the socket of systemd's journal.
    pub fn descriptors(&self) -> [Option<RawFd>; 2] {
        let trail = match &self.sink {
            Sink::File(writer) => Some(writer.descriptor()),
            Sink::Memory(_) | Sink::Lost(_) => None,
        };
        [trail, self.journald.as_ref().map(Journald::descriptor)]
    }

    /// Returns the open trail once more, for the line that a forbidden system call leaves.
    /// `None` if there is no file.
    ///
    /// # Errors
    ///
    /// The process has too many open files.
    pub fn another(&self) -> Result<Option<OwnedFd>, AuditError> {
        match &self.sink {
            Sink::File(writer) => {
                let another = writer.another();
                another
                    .map(Some)
                    .map_err(|error| unwritten(&self.path, &error))
            }
            Sink::Memory(_) | Sink::Lost(_) => Ok(None),
        }
    }

    /// Records that a part of the run's confinement is missing.
    ///
    /// # Errors
    ///
    /// The line can't be written.
    pub fn unconfined(&mut self, part: &str) -> Result<(), AuditError> {
        self.write(Event::Unconfined, |line| {
            line.object = Some(text::shortened(part, OBJECT_MAX));
        })
    }

    /// Returns the line that a forbidden system call leaves, without the call's name: what
    /// goes before it, and what goes after it.
    pub fn violation(&self) -> [String; 2] {
        let mut line = Line::new(Event::Violation, &self.subject);
        line.object = Some("system call \u{0}".into());
        let text = line.text().unwrap_or_default();
        let text = String::from_utf8(text).unwrap_or_default();
        let (before, after) = text.split_once("\\u0000").unwrap_or_default();
        [before.to_owned(), after.to_owned()]
    }

    /// Records that the operator gave up an undo record.
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
            warn(&format!(
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
            // Otherwise each further line would wait as long.
            self.sink = Sink::Lost(error.to_string());
        }
        if self.required == Required::Yes {
            return Err(unwritten(&self.path, &error));
        }
        if self.lost == 0 {
            warn(&format!(
                "can't write the audit trail {}: {error}; the run goes on without it, as the \
                 driver's grant says",
                self.path.display()
            ));
        }
        self.lost = self.lost.saturating_add(1);
        Ok(())
    }
}

/// Shortens an error for a line.
fn cut(error: Option<&str>) -> Option<Cow<'_, str>> {
    error.map(|error| text::shortened(error, ERROR_MAX))
}

/// Shortens a reach for a line. Returns `None` if it's empty.
fn shortened(reach: &Reach, max: usize) -> Option<Cow<'_, Reach>> {
    (!reach.is_empty()).then(|| reach.shortened(max))
}

fn unwritten(path: &Path, error: &io::Error) -> AuditError {
    AuditError {
        path: path.to_owned(),
        error: error.to_string(),
    }
}

/// Writes a warning for the operator to standard error, if somebody reads it.
fn warn(message: &str) {
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
