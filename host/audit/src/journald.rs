//! systemd's journal. Its native protocol has a datagram for each entry, with a line
//! for each field (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>). A failure to send is
//! ignored, because the trail's file is the record.

use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;

use types::text;

use super::line::Line;
use super::{Event, Verdict};

/// Syslog's priorities (`syslog(3)`).
const ERROR: u8 = 3;
const WARNING: u8 = 4;
const INFORMATION: u8 = 6;

/// A connection to the journal. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Journald {
    socket: Arc<UnixDatagram>,
}

impl Journald {
    /// Connects to the journal, if there is one.
    pub(super) fn connect(path: &Path) -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(path).ok()?;
        // A journal that is busy must not keep the run waiting.
        socket.set_nonblocking(true).ok()?;
        Some(Self {
            socket: Arc::new(socket),
        })
    }

    /// Returns the socket's number.
    pub(super) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Sends a line.
    pub(super) fn send(&self, line: &Line<'_>) {
        let _ = self.socket.send(&datagram(line));
    }
}

fn datagram(line: &Line<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut field = |name: &str, value: &str| push(&mut bytes, name, value);
    let subject = line.subject;
    field("MESSAGE", &message(line));
    field("PRIORITY", &priority(line).to_string());
    field("SYSLOG_IDENTIFIER", "wasmvark");
    field("WASMVARK_EVENT", line.event.name());
    field("WASMVARK_COMMAND", subject.command);
    field("WASMVARK_DRIVER", &subject.driver);
    field("WASMVARK_DIGEST", &subject.digest);
    field("WASMVARK_NETWORK", &subject.network);
    let verdict = line.verdict.map(Verdict::name);
    let reach = line.reach.as_ref().map(ToString::to_string);
    let errno = line.errno.map(|errno| errno.to_string());
    for (name, value) in [
        ("WASMVARK_CONTAINER", subject.container.as_deref()),
        ("WASMVARK_CALL", line.call),
        ("WASMVARK_OBJECT", line.object.as_deref()),
        ("WASMVARK_VERDICT", verdict),
        ("WASMVARK_REACH", reach.as_deref()),
        ("WASMVARK_ERROR", line.error.as_deref()),
        ("ERRNO", errno.as_deref()),
    ] {
        if let Some(value) = value {
            field(name, value);
        }
    }
    bytes
}

/// Appends a field. The length goes before a value that has a line end in it.
fn push(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend(name.as_bytes());
    if value.contains('\n') {
        let length = u64::try_from(value.len()).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend(length.to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend(value.as_bytes());
    bytes.push(b'\n');
}

fn priority(line: &Line<'_>) -> u8 {
    match (&line.error, line.verdict) {
        (Some(_), _) => ERROR,
        (None, Some(Verdict::Deny)) => WARNING,
        _ => INFORMATION,
    }
}

fn message(line: &Line<'_>) -> String {
    let subject = line.subject;
    let who = match subject.driver.as_str() {
        "" => "the host",
        driver => driver,
    };
    let what = match (line.event, line.verdict) {
        (Event::Call, Some(Verdict::Deny)) => "denied",
        (Event::Call, _) => "allowed",
        (Event::Run, _) => "begins",
        (Event::End, _) => "is over",
        (Event::Change, _) => "changes the network:",
        (Event::Undo, _) => "undone:",
        (Event::Restore, _) => "put back:",
        (Event::Unrecorded, _) => "not recorded:",
        (Event::Unconfined, _) => "not confined:",
        (Event::Violation, _) => "forbidden:",
        (Event::Forget, _) => "given up:",
    };
    let mut message = format!("{who}, {} on {}: {what}", subject.command, subject.network);
    for (before, part) in [
        (" ", line.call),
        (" ", line.object.as_deref()),
        (": ", line.error.as_deref()),
    ] {
        if let Some(part) = part {
            message.push_str(before);
            message.push_str(part);
        }
    }
    text::plain(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_can_not_forge_a_field() {
        let mut bytes = Vec::new();
        push(&mut bytes, "A", "b\nPRIORITY=0");
        let mut expected = b"A\n".to_vec();
        expected.extend([12, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend(b"b\nPRIORITY=0\n");
        assert_eq!(bytes, expected);
        push(&mut bytes, "C", "d");
        assert!(bytes.ends_with(b"\nC=d\n"));
    }
}
