//! The wall: first around each thread that is there, and then around the process.

use std::sync::Arc;

use landlock::{RulesetCreated, RulesetError};
use nix::errno::Errno;
use seccompiler::BpfProgram;

use crate::alarm::Alarm;
use crate::filter::FilterError;
use crate::{Gap, Needs, capabilities, files, filter, limits};

/// Why the wall can't be made. Each is a bug or a lack of memory: what a kernel doesn't
/// know is a [`Gap`].
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The rules for files can't be made.
    #[error("can't confine the run's files: {0}")]
    Files(#[from] RulesetError),
    /// The filter of system calls can't be made.
    #[error("can't confine the run's system calls: {0}")]
    Filter(#[from] FilterError),
    /// The list of threads can't be read.
    #[error("can't count the run's threads: {0}")]
    Threads(std::io::Error),
    /// A thread would stay outside.
    #[error("{there} threads run and only {held} are confined; please report it")]
    Outside {
        /// The threads that there are.
        there: usize,
        /// Those that are confined.
        held: usize,
    },
    /// The handler of SIGSYS can't be set.
    #[error("can't handle SIGSYS: {0}")]
    Alarm(Errno),
}

/// A wall that stands ready. Clones are the same wall.
#[derive(Debug, Clone)]
pub struct Wall(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    needs: Needs,
    rules: RulesetCreated,
    program: BpfProgram,
}

impl Wall {
    /// Makes the wall. From then on, what is below its folders counts, also if it changes.
    ///
    /// # Errors
    ///
    /// A part can't be made.
    pub fn new(needs: Needs) -> Result<Self, ConfineError> {
        let rules = files::rules(&needs)?;
        let program = filter::program(&needs)?;
        Ok(Self(Arc::new(Parts {
            needs,
            rules,
            program,
        })))
    }

    /// Confines this thread's capabilities and files, for good. Threads that it starts
    /// later inherit that.
    ///
    /// # Errors
    ///
    /// The kernel knows Landlock and refuses the rules.
    pub fn around_thread(&self) -> Result<Vec<Gap>, ConfineError> {
        let mut gaps = Vec::new();
        let rules = self.0.rules.try_clone().map_err(ConfineError::Threads)?;
        gaps.extend(files::hold(rules)?);
        if let Err(error) = capabilities::give_up(&self.0.needs) {
            gaps.push(Gap::Capabilities(error.to_string()));
        }
        Ok(gaps)
    }

    /// Confines the process, for good: this thread, and `others`, which [`Self::around_thread`]
    /// has confined already. A forbidden system call rings the alarm.
    ///
    /// # Errors
    ///
    /// There are other threads, or a part of the wall can't be made.
    pub fn around_process(&self, others: usize, alarm: Alarm) -> Result<Vec<Gap>, ConfineError> {
        let (there, held) = (threads()?, others.saturating_add(1));
        if there != held {
            return Err(ConfineError::Outside { there, held });
        }
        let mut gaps = self.around_thread()?;
        if let Err(errno) = limits::set(&self.0.needs) {
            gaps.push(Gap::Limits(errno));
        }
        alarm.set().map_err(ConfineError::Alarm)?;
        if let Err(error) = filter::hold(&self.0.program) {
            gaps.push(Gap::NoSeccomp(filter::errno(&error)));
        }
        Ok(gaps)
    }
}

/// Counts the threads of this process.
fn threads() -> Result<usize, ConfineError> {
    let tasks = std::fs::read_dir("/proc/self/task").map_err(ConfineError::Threads)?;
    Ok(tasks.count())
}
