//! The audit trail: one JSON line for each decision, and one for the start and
//! the end of each run. It knows nothing of the kernel.
//!
//! A run that can't write its first line does nothing at all, and a decision
//! that can't be recorded ends the run. Only clearing up goes on without it.

mod memory;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use memory::{Memory, Operation};

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

/// Whom a run is for; the same in each of its lines.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// The subcommand.
    pub command: &'static str,
    /// The driver's name.
    pub driver: String,
    /// The component's digest.
    pub digest: String,
    /// The network's name.
    pub network: String,
    /// The container's id; absent in `create`.
    pub container: Option<String>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    /// The run begins.
    Run,
    /// A call was decided on.
    Call,
    /// The host undid a change.
    Undo,
    /// The host put back what somebody has removed.
    Restore,
    /// The run is over.
    End,
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went to the kernel.
    Allow,
    /// It went nowhere.
    Deny,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: Event,
    #[serde(flatten)]
    subject: &'a Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Where lines go.
#[derive(Debug)]
enum Sink {
    File(File),
    Memory(Memory),
    /// Nowhere: why the file can't be opened.
    Lost(String),
}

impl Sink {
    fn append(&self, line: &[u8]) -> Result<(), String> {
        match self {
            Self::File(file) => {
                let mut file = file;
                file.write_all(line).map_err(|error| error.to_string())
            }
            Self::Memory(memory) => {
                memory.append(line);
                Ok(())
            }
            Self::Lost(why) => Err(why.clone()),
        }
    }
}

/// The open trail of one run.
#[derive(Debug)]
pub struct Trail {
    sink: Sink,
    path: PathBuf,
    subject: Subject,
}

impl Trail {
    /// Opens the trail and records that the run begins.
    pub fn open(path: &Path, subject: Subject) -> Result<Self, AuditError> {
        let failed = |error: std::io::Error| AuditError {
            path: path.to_owned(),
            error: error.to_string(),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let mut trail = Self {
            sink: Sink::File(file),
            path: path.to_owned(),
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
            subject,
        };
        trail.write(Event::Run, |_| {})?;
        Ok(trail)
    }

    /// A trail that couldn't be opened and takes nothing, for a run that
    /// clears up all the same.
    pub fn lost(why: &AuditError, subject: Subject) -> Self {
        Self {
            sink: Sink::Lost(why.error.clone()),
            path: why.path.clone(),
            subject,
        }
    }

    /// Records a decision and, where the kernel was asked, its answer.
    pub fn call(
        &mut self,
        call: &str,
        object: &str,
        verdict: Verdict,
        errno: Option<i32>,
    ) -> Result<(), AuditError> {
        self.write(Event::Call, |line| {
            line.call = Some(call);
            line.object = Some(object);
            line.verdict = Some(verdict);
            line.errno = errno;
        })
    }

    /// Records that the host undid a change, or why it couldn't.
    pub fn undo(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Undo, |line| {
            line.object = Some(object);
            line.error = error;
        })
    }

    /// Records that the host put something back, or why it couldn't.
    pub fn restore(&mut self, object: &str, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::Restore, |line| {
            line.object = Some(object);
            line.error = error;
        })
    }

    /// Records the end of the run and why it failed, if it did.
    pub fn end(&mut self, error: Option<&str>) -> Result<(), AuditError> {
        self.write(Event::End, |line| line.error = error)
    }

    /// Appends one line in one write, so that runs at the same time don't mix
    /// theirs.
    fn write<'a>(
        &'a mut self,
        event: Event,
        fill: impl FnOnce(&mut Line<'a>),
    ) -> Result<(), AuditError> {
        let mut line = Line {
            time: jiff::Timestamp::now().to_string(),
            event,
            subject: &self.subject,
            call: None,
            object: None,
            verdict: None,
            errno: None,
            error: None,
        };
        fill(&mut line);
        let failed = |error: String| AuditError {
            path: self.path.clone(),
            error,
        };
        let mut text = serde_json::to_vec(&line).map_err(|error| failed(error.to_string()))?;
        text.push(b'\n');
        self.sink.append(&text).map_err(failed)
    }
}
