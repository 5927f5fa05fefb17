//! Runs of programs on a terminal, with an answer to a question.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::pty::openpty;

use crate::patience;

/// The time limit for output.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of a run on a terminal.
#[derive(Debug)]
pub struct Seen {
    /// The exit code, or `None` after a signal.
    pub code: Option<i32>,
    /// The text on the terminal, including the answer.
    pub text: String,
}

/// Runs a program on a terminal of its own, and types `answer` when `question` is
/// shown.
pub fn answer(mut command: Command, question: &str, answer: &[u8]) -> Seen {
    let terminal = openpty(None, None).expect("there are terminals");
    let end = || Stdio::from(terminal.slave.try_clone().expect("it can be shared"));
    command.stdin(end()).stdout(end()).stderr(end());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("can't run {command:?}: {error}"));
    // Only the program has the terminal open now, so the terminal closes with it.
    drop(command);
    drop(terminal.slave);
    let mut keyboard = File::from(terminal.master.try_clone().expect("it can be shared"));
    let shown = screen(terminal.master);
    let mut text = String::new();
    let mut is_answered = false;
    loop {
        match shown.recv_timeout(patience::of(LIMIT)) {
            Ok(part) => text.push_str(&part),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("nothing more is shown after: {text}");
            }
        }
        if !is_answered && text.contains(question) {
            is_answered = true;
            keyboard.write_all(answer).expect("the answer can be typed");
        }
    }
    let status = child.wait().expect("the program can be waited for");
    Seen {
        code: status.code(),
        text: text.replace("\r\n", "\n"),
    }
}

/// Reads a terminal's output, part by part.
fn screen(terminal: OwnedFd) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut terminal = File::from(terminal);
        let mut part = [0; 4096];
        // At the end of a terminal, `read` fails.
        while let Ok(length @ 1..) = terminal.read(&mut part) {
            let text = String::from_utf8_lossy(&part[..length]).into_owned();
            if send.send(text).is_err() {
                return;
            }
        }
    });
    receive
}
