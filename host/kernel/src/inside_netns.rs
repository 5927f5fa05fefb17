//! The thread inside a namespace. It enters once and stays, because a confined run can't
//! enter again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::{Netns, NetnsError};

type Work = Box<dyn FnOnce() + Send>;

/// A thread inside a namespace. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Inside {
    work: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Inside {
    /// Starts a thread that enters the namespace.
    pub(super) fn enter(netns: &Netns) -> Result<Self, NetnsError> {
        let file = netns.file().try_clone().map_err(|error| failed(&error))?;
        let (work, next) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new()
            .spawn(move || next.into_iter().for_each(|work| work()))
            .map_err(|error| failed(&error))?;
        let inside = Self {
            work: Some(work),
            thread: Some(thread),
        };
        let entered = inside.run(move || setns(file, CloneFlags::CLONE_NEWNET));
        match entered.unwrap_or(Err(Errno::EFAULT)) {
            Ok(()) => Ok(inside),
            // A thread without the right to enter may be in this namespace already.
            Err(Errno::EPERM) if Netns::current()?.id() == netns.id() => Ok(inside),
            // setns(2): the file is a namespace of another kind.
            Err(Errno::EINVAL) => Err(NetnsError::NotNetns {
                path: netns.path().to_owned(),
            }),
            Err(errno) => Err(NetnsError::Enter { errno }),
        }
    }

    /// Runs work on the thread. Returns `None` if the work panics.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, result) = mpsc::sync_channel(1);
        let work: Work = Box::new(move || {
            // Nobody uses what the work has left halfway.
            let done = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(done.ok());
        });
        self.work.as_ref()?.send(work).ok()?;
        result.recv().ok()?
    }
}

impl Drop for Inside {
    /// Ends the thread, which would keep the namespace alive.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn failed(error: &std::io::Error) -> NetnsError {
    NetnsError::Enter {
        errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
    }
}
