//! A real browser, told what to do over its debugging pipe (the Chrome DevTools
//! Protocol: JSON documents with a zero byte behind each).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{patience, poll};

/// Debian's.
pub const CHROMIUM: &str = "/usr/bin/chromium";

/// Longer than it takes to start.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one page, which ends with this value.
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
    /// Opens a page; what the browser keeps goes into a folder, which goes with
    /// it.
    pub fn open(command: &mut Command, folder: &Path, url: &str) -> Self {
        // It reads its orders from the descriptor 3 and answers on 4.
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

    /// Goes to another page and waits until it's there.
    pub fn go(&mut self, url: &str) {
        let gone = self.call("Page.navigate", &json!({"url": url}));
        assert!(gone.get("errorText").is_none(), "{url}: {gone}");
        let loaded = "new Promise(done => document.readyState === 'complete' ? done() : \
                      addEventListener('load', () => done()))";
        self.evaluate(loaded);
    }

    /// The value of an expression in the page.
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

    /// Types a text where the focus is.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Shows the page as on another medium, or with other preferences.
    pub fn emulate(&mut self, media: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"media": media, "features": features}),
        );
    }

    /// A picture of the page: a PNG file in base64.
    pub fn picture(&mut self) -> String {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        picture["data"].as_str().expect("a picture").to_owned()
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut order = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            order["sessionId"] = session.as_str().into();
        }
        let text = format!("{order}\0");
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
        // Asked to, it ends its helpers before itself.
        let asked = self
            .stdin
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if asked.is_err() || !poll::until(|| ended(&mut self.child), |ended| *ended) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // Some helpers write a little longer.
        let gone = || fs::remove_dir_all(&self.folder).is_ok() || !self.folder.exists();
        poll::until(gone, |gone| *gone);
    }
}
