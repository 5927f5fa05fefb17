//! A real browser, controlled by the Chrome DevTools Protocol. The protocol sends JSON
//! documents through a pipe, each followed by a zero byte.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{patience, poll};

/// Debian's browser Chromium.
pub const CHROMIUM: &str = "/usr/bin/chromium";

/// The time limit of an answer, which includes the browser's start.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one page. It ends when this value is dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    folder: PathBuf,
    stdin: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
}

impl Browser {
    /// Opens a page. The browser keeps its files in a folder, which is removed at the
    /// end.
    pub fn open(command: &mut Command, folder: &Path, url: &str) -> Self {
        // The browser reads commands from file descriptor 3, and writes answers to 4.
        let start = "exec 3<&0 4>&1 >/dev/null 2>&1 </dev/null; exec \"$0\" \"$@\"";
        let mut child = command
            .args(["-c", start, CHROMIUM])
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--remote-debugging-pipe", "--window-size=1300,900"])
            .arg(format!("--user-data-dir={}", folder.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be run");
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for document in stdout.split(0) {
                let document = document.expect("the pipe can be read");
                let value = serde_json::from_slice(&document).expect("an answer is JSON");
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            folder: folder.to_owned(),
            stdin,
            answers,
            session: None,
            last_id: 0,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.go(url);
        browser
    }

    /// Opens another page, and waits until it's loaded.
    pub fn go(&mut self, url: &str) {
        let gone = self.call("Page.navigate", &json!({"url": url}));
        assert!(gone.get("errorText").is_none(), "{url}: {gone}");
        let loaded = "new Promise(done => document.readyState === 'complete' ? done() : \
                      addEventListener('load', () => done()))";
        self.evaluate(loaded);
    }

    /// Returns the value of a JavaScript expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let evaluate =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &evaluate);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Types a text into the element that has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Emulates a medium and a colour scheme.
    pub fn emulate(&mut self, media: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"media": media, "features": features}),
        );
    }

    /// Returns a screenshot of the page, as a PNG file in base64.
    pub fn picture(&mut self) -> String {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        picture["data"].as_str().expect("a picture").to_owned()
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let text = format!("{message}\0");
        let written = self.stdin.write_all(text.as_bytes());
        written.expect("the browser takes orders");
        loop {
            let answer = self.answers.recv_timeout(patience::of(LIMIT));
            let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With this command, the browser ends its helper processes first.
        let asked = self
            .stdin
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if asked.is_err() || !poll::until(|| ended(&mut self.child), |ended| *ended) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // Some helper processes may still be writing.
        let gone = || fs::remove_dir_all(&self.folder).is_ok() || !self.folder.exists();
        poll::until(gone, |gone| *gone);
    }
}
