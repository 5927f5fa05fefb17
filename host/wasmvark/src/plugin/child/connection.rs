//! Messages over a stream socket: each has its length, and then JSON. An open file comes
//! with a byte of its own.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest message, in bytes.
pub(in crate::plugin) const MESSAGE_MAX: usize = 1 << 20;

/// The number of bytes that a message's length has.
const LENGTH: usize = size_of::<u32>();

/// One end of a connection between two processes. It only reads, writes and polls, but
/// for open files.
#[derive(Debug)]
pub(in crate::plugin) struct Connection {
    stream: UnixStream,
}

/// Why a message can't be sent or received.
#[derive(Debug, thiserror::Error)]
pub(in crate::plugin) enum ConnectionError {
    /// The other end is closed.
    #[error("it has ended")]
    Ended,
    /// The deadline passed.
    #[error("it didn't answer in time")]
    Late,
    /// A message is too large.
    #[error("a message has {0} bytes, and at most {MESSAGE_MAX} are allowed")]
    TooLarge(usize),
    /// A message has no open file.
    #[error("a message has no open file")]
    NoFile,
    /// A message can't be written or read as JSON.
    #[error("a message is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The socket fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Connection {
    /// Makes both ends of a connection.
    ///
    /// # Errors
    ///
    /// The process has too many open files.
    pub(in crate::plugin) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = UnixStream::pair()?;
        one.set_nonblocking(true)?;
        other.set_nonblocking(true)?;
        Ok((Self { stream: one }, Self { stream: other }))
    }

    /// Sends a message. Without a deadline, it waits for as long as it takes.
    ///
    /// # Errors
    ///
    /// The message is too large, the other end is closed, or the deadline passed.
    pub(in crate::plugin) fn send(
        &mut self,
        message: &impl Serialize,
        deadline: Option<Instant>,
    ) -> Result<(), ConnectionError> {
        let json = serde_json::to_vec(message)?;
        let too_large = || ConnectionError::TooLarge(json.len());
        let length = u32::try_from(json.len()).map_err(|_| too_large())?;
        if json.len() > MESSAGE_MAX {
            return Err(too_large());
        }
        let bytes = [&length.to_le_bytes()[..], &json].concat();
        self.write(&bytes, deadline)
    }

    /// Receives a message. Without a deadline, it waits for as long as it takes.
    ///
    /// # Errors
    ///
    /// The message is too large or malformed, the other end is closed, or the deadline
    /// passed.
    pub(in crate::plugin) fn receive<T: DeserializeOwned>(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<T, ConnectionError> {
        let mut length = [0; LENGTH];
        self.read(&mut length, deadline)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > MESSAGE_MAX {
            return Err(ConnectionError::TooLarge(length));
        }
        let mut json = vec![0; length];
        self.read(&mut json, deadline)?;
        Ok(serde_json::from_slice(&json)?)
    }

    /// Sends an open file (`SCM_RIGHTS` of unix(7)).
    ///
    /// # Errors
    ///
    /// The other end is closed, or the deadline passed.
    pub(in crate::plugin) fn send_file(
        &mut self,
        file: &File,
        deadline: Option<Instant>,
    ) -> Result<(), ConnectionError> {
        let files = [file.as_raw_fd()];
        let files = [ControlMessage::ScmRights(&files)];
        let byte = [IoSlice::new(&[0])];
        let flags = MsgFlags::MSG_NOSIGNAL;
        loop {
            match sendmsg::<()>(self.as_raw_fd(), &byte, &files, flags, None) {
                Ok(_) => return Ok(()),
                Err(error) => self.wait_after(error.into(), PollFlags::POLLOUT, deadline)?,
            }
        }
    }

    /// Receives an open file. It is closed in programs that the process starts.
    ///
    /// # Errors
    ///
    /// What comes is no file, the other end is closed, or the deadline passed.
    pub(in crate::plugin) fn receive_file(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<File, ConnectionError> {
        loop {
            match self.next_file() {
                Ok((Some(file), _)) => return Ok(file),
                Ok((None, 0)) => return Err(ConnectionError::Ended),
                Ok((None, _)) => return Err(ConnectionError::NoFile),
                Err(error) => self.wait_after(error.into(), PollFlags::POLLIN, deadline)?,
            }
        }
    }

    /// Receives at most one byte, with the file that comes with it. Returns the number of
    /// bytes, too.
    #[allow(unsafe_code, reason = "the kernel passes a file by its number")]
    fn next_file(&self) -> Result<(Option<File>, usize), Errno> {
        let mut byte = [0];
        let mut bytes = [IoSliceMut::new(&mut byte)];
        let mut space = nix::cmsg_space!(RawFd);
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let received = recvmsg::<()>(self.as_raw_fd(), &mut bytes, Some(&mut space), flags)?;
        let numbers = received.cmsgs()?.flat_map(|message| match message {
            ControlMessageOwned::ScmRights(numbers) => numbers,
            _ => Vec::new(),
        });
        // SAFETY: the kernel has just made each number for this process, and nothing else
        // has it.
        let mut files = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) });
        Ok((files.next().map(File::from), received.bytes))
    }

    fn write(&mut self, bytes: &[u8], deadline: Option<Instant>) -> Result<(), ConnectionError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(ConnectionError::Ended),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) => self.wait_after(error, PollFlags::POLLOUT, deadline)?,
            }
        }
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8], deadline: Option<Instant>) -> Result<(), ConnectionError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.read(rest) {
                Ok(0) => return Err(ConnectionError::Ended),
                Ok(read) => rest = rest.get_mut(read..).unwrap_or_default(),
                Err(error) => self.wait_after(error, PollFlags::POLLIN, deadline)?,
            }
        }
        Ok(())
    }

    /// Waits until an operation can be tried again, if its error only says that it would
    /// have to wait.
    fn wait_after(
        &self,
        error: io::Error,
        until: PollFlags,
        deadline: Option<Instant>,
    ) -> Result<(), ConnectionError> {
        match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            ErrorKind::WouldBlock => self.wait(until, deadline),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Err(ConnectionError::Ended),
            _ => Err(error.into()),
        }
    }

    fn wait(&self, until: PollFlags, deadline: Option<Instant>) -> Result<(), ConnectionError> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ConnectionError::Late);
        }
        let mut polled = [PollFd::new(self.stream.as_fd(), until)];
        match poll(&mut polled, timeout(left)) {
            // The deadline is checked when this is called again.
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

/// Returns the time as poll(2) takes it, in milliseconds. A part of one counts as one.
fn timeout(left: Option<Duration>) -> PollTimeout {
    match left {
        None => PollTimeout::NONE,
        Some(left) => {
            let left = left.saturating_add(Duration::from_millis(1));
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(20))
    }

    #[test]
    fn messages_arrive_whole_and_in_order() {
        let (mut one, mut other) = Connection::pair().unwrap();
        let large = "x".repeat(MESSAGE_MAX - 2);
        thread::scope(|scope| {
            scope.spawn(|| {
                one.send(&large, None).unwrap();
                one.send(&1, None).unwrap();
            });
            assert_eq!(other.receive::<String>(None).unwrap(), large);
            assert_eq!(other.receive::<u32>(None).unwrap(), 1);
        });
    }

    #[test]
    fn a_message_has_a_largest_size() {
        let (mut one, mut other) = Connection::pair().unwrap();
        let sent = one.send(&"x".repeat(MESSAGE_MAX - 1), None);
        assert!(matches!(sent, Err(ConnectionError::TooLarge(_))));
        let length = u32::try_from(MESSAGE_MAX + 1).unwrap();
        one.write(&length.to_le_bytes(), None).unwrap();
        let received = other.receive::<String>(None);
        assert!(matches!(received, Err(ConnectionError::TooLarge(_))));
    }

    #[test]
    fn nobody_waits_longer_than_the_deadline() {
        let (mut one, mut other) = Connection::pair().unwrap();
        let received = other.receive::<String>(soon());
        assert!(matches!(received, Err(ConnectionError::Late)));
        let large = "x".repeat(MESSAGE_MAX - 2);
        let sent = one.send(&large, soon());
        assert!(matches!(sent, Err(ConnectionError::Late)), "nobody reads");
    }

    #[test]
    fn a_closed_end_is_noticed() {
        let (mut one, other) = Connection::pair().unwrap();
        drop(other);
        assert!(matches!(one.send(&1, None), Err(ConnectionError::Ended)));
        let received = one.receive::<u32>(None);
        assert!(matches!(received, Err(ConnectionError::Ended)));
    }

    #[test]
    fn open_files_go_between_messages() {
        let (mut one, mut other) = Connection::pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        one.send(&1, None).unwrap();
        one.send_file(&file, None).unwrap();
        one.send(&2, None).unwrap();
        drop(file);
        assert_eq!(other.receive::<u32>(None).unwrap(), 1);
        let mut file = other.receive_file(None).unwrap();
        assert_eq!(other.receive::<u32>(None).unwrap(), 2);
        file.write_all(b"text").unwrap();
        let flags = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, nix::libc::FD_CLOEXEC);
    }

    #[test]
    fn a_file_that_never_comes_is_an_error() {
        let (mut one, mut other) = Connection::pair().unwrap();
        let received = other.receive_file(soon());
        assert!(matches!(received, Err(ConnectionError::Late)));
        one.write(b"x", None).unwrap();
        let received = other.receive_file(None);
        assert!(matches!(received, Err(ConnectionError::NoFile)));
        drop(one);
        let received = other.receive_file(None);
        assert!(matches!(received, Err(ConnectionError::Ended)));
    }

    #[test]
    fn a_malformed_message_is_an_error() {
        let (mut one, mut other) = Connection::pair().unwrap();
        one.send(&"text", None).unwrap();
        let received = other.receive::<u32>(None);
        assert!(matches!(received, Err(ConnectionError::Malformed(_))));
    }
}
