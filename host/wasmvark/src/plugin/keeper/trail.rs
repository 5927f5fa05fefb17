//! The trail of a confined run, as its keeper opens it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit::Newest;
use confine::Alarm;

use super::link::Link;
use super::task::Task;

/// The time that a keeper has to open and rotate the trail. It waits for its lock.
const TRAIL_TIME: Duration = Duration::from_secs(10);

/// The newest file of the trail, which the run's keeper opens.
#[derive(Debug)]
pub(super) struct RemoteTrail {
    link: Link,
    /// The file that was opened last. The alarm writes to it, so it stays open.
    last: Mutex<Option<Arc<File>>>,
}

impl RemoteTrail {
    /// Returns the trail behind a connection.
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            last: Mutex::new(None),
        }
    }
}

impl Newest for RemoteTrail {
    fn open(&self, line: u64) -> io::Result<Arc<File>> {
        let deadline = Instant::now() + TRAIL_TIME;
        let opened = self.link.have_opened(Task::OpenTrail { line }, deadline);
        let file = Arc::new(opened.map_err(io::Error::other)?);
        Alarm::follow(file.as_fd());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::clone(&file));
        Ok(file)
    }
}
