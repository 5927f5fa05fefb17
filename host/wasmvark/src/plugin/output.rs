//! The output of a run's document.
//!
//! Podman reads a plugin's output only after the plugin has ended. So an answer must
//! fit into the pipe between them, or both would wait for ever.

use std::io::{IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;

use nix::fcntl::{FcntlArg, fcntl};
use request::protocol::{ANSWER_MAX, error_document};

use super::PluginError;

/// Checks the length of an answer.
pub(super) fn check(answer: &str) -> Result<(), PluginError> {
    match answer.len() <= ANSWER_MAX {
        true => Ok(()),
        false => Err(PluginError::TooLong {
            bytes: answer.len(),
            max: ANSWER_MAX,
        }),
    }
}

/// Checks the length of the answer to `create`, which contains the user's document. If
/// that document alone is too long, any answer passes, because the driver's additions
/// are bounded.
pub(super) fn check_network(input: &[u8], answer: &str) -> Result<(), PluginError> {
    match input.len() <= ANSWER_MAX {
        true => check(answer),
        false => Ok(()),
    }
}

/// Writes the document of a run, and returns the exit code.
pub(super) fn write(result: Result<String, PluginError>) -> i32 {
    let mut stdout = std::io::stdout().lock();
    let has_room = |document: &String| has_room(stdout.as_fd(), document.len());
    let result = result.and_then(|document| match has_room(&document) {
        true => Ok(document),
        false => Err(PluginError::NoRoom {
            bytes: document.len(),
        }),
    });
    let (document, code) = match result {
        Ok(document) => (document, 0),
        Err(error) => {
            let document = error_document(&error.to_string());
            // An error document fits into a usual pipe. A smaller pipe is enlarged if
            // possible.
            let _ = has_room(&document);
            (document, 1)
        }
    };
    // If nobody reads the answer, the exit code still tells the result.
    let _ = stdout.write_all(document.as_bytes());
    let _ = stdout.flush();
    code
}

/// Whether so many bytes can be written at once. A pipe that is too small is enlarged.
/// At most [`ANSWER_MAX`] bytes are written in any case.
fn has_room(to: BorrowedFd<'_>, bytes: usize) -> bool {
    if bytes == 0 || to.is_terminal() || !is_pipe(to) {
        return true;
    }
    let wanted = i32::try_from(bytes).unwrap_or(i32::MAX);
    let is_large = |size: i32| size >= wanted;
    fcntl(to, FcntlArg::F_GETPIPE_SZ).is_ok_and(is_large)
        || fcntl(to, FcntlArg::F_SETPIPE_SZ(wanted)).is_ok_and(is_large)
        || bytes <= ANSWER_MAX
}

fn is_pipe(file: BorrowedFd<'_>) -> bool {
    let copy = file.try_clone_to_owned().map(std::fs::File::from);
    let metadata = copy.and_then(|file| file.metadata());
    metadata.is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_so_long_and_no_longer() {
        let text = |bytes| "x".repeat(bytes);
        assert!(check(&text(ANSWER_MAX)).is_ok());
        let error = check(&text(ANSWER_MAX + 1)).unwrap_err().to_string();
        assert!(error.contains("16385"), "{error}");
    }

    #[test]
    fn a_users_own_document_may_be_longer() {
        let text = |bytes| "x".repeat(bytes);
        assert!(check_network(&[b'x'; ANSWER_MAX], &text(ANSWER_MAX)).is_ok());
        assert!(check_network(&[b'x'; ANSWER_MAX], &text(ANSWER_MAX + 1)).is_err());
        assert!(check_network(&[b'x'; ANSWER_MAX + 1], &text(2 * ANSWER_MAX)).is_ok());
    }

    #[test]
    fn a_pipe_is_made_as_large_as_the_answer() {
        let (_reader, writer) = std::io::pipe().unwrap();
        let size = || fcntl(&writer, FcntlArg::F_GETPIPE_SZ).unwrap();
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
        assert!(has_room(writer.as_fd(), 4096));
        assert_eq!(size(), 4096);
        assert!(has_room(writer.as_fd(), 100_000));
        assert!(size() >= 100_000);
    }
}
