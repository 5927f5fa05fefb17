//! A line of the trail, as it's written and as it's read.

use std::borrow::Cow;

use policy::Reach;
use serde::{Deserialize, Serialize};
use types::text;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The run begins.
    Run,
    /// A call was decided on.
    Call,
    /// A driver's `create` changed the network's document.
    Change,
    /// The host undid a change.
    Undo,
    /// The host put back what somebody has removed.
    Restore,
    /// Denials that have no line of their own.
    Unrecorded,
    /// The operator gave up what was to be undone.
    Forget,
    /// The run is over.
    End,
}

impl Event {
    /// Its name in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Call => "call",
            Self::Change => "change",
            Self::Undo => "undo",
            Self::Restore => "restore",
            Self::Unrecorded => "unrecorded",
            Self::Forget => "forget",
            Self::End => "end",
        }
    }
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went to the kernel.
    Allow,
    /// It went nowhere.
    Deny,
}

impl Verdict {
    /// Its name in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// What a reach is to a decision: `by { link = "lo" }`, or `lacks …`; `None` where
/// there is none.
pub fn reach_in_words(verdict: Option<Verdict>, reach: &Reach) -> Option<String> {
    let word = match verdict {
        Some(Verdict::Deny) => "lacks",
        _ => "by",
    };
    (!reach.is_empty()).then(|| format!("{word} {}", text::plain(&reach.to_string())))
}

/// A line to be written.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    time: String,
    pub(super) event: Event,
    #[serde(flatten)]
    pub(super) subject: &'a Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reach: Option<Cow<'a, Reach>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errno: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    /// A line of this moment.
    pub(super) fn new(event: Event, subject: &'a Subject) -> Self {
        Self {
            time: jiff::Timestamp::now().to_string(),
            event,
            subject,
            call: None,
            object: None,
            verdict: None,
            reach: None,
            errno: None,
            error: None,
        }
    }

    /// The JSON, with its line end.
    pub(super) fn text(&self) -> std::io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// A line that was read. What it holds may come from drivers and callers, so it
/// isn't for terminals as it stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// When, in UTC.
    pub time: String,
    /// What it's about.
    pub event: Event,
    /// The subcommand.
    pub command: String,
    /// The driver's name; empty where the host acts without one.
    pub driver: String,
    /// The component's digest.
    pub digest: String,
    /// The network's name.
    pub network: String,
    /// The container's id.
    pub container: Option<String>,
    /// The call.
    pub call: Option<String>,
    /// What it touched, or would have.
    pub object: Option<String>,
    /// The answer to the call.
    pub verdict: Option<Verdict>,
    /// The reach beyond own objects and the request that the call needed.
    #[serde(default)]
    pub reach: Reach,
    /// The kernel's error number.
    pub errno: Option<i32>,
    /// Why the run failed, or what couldn't be undone.
    pub error: Option<String>,
}

impl Record {
    /// Reads a line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as readers outside of this program know them (docs/audit.schema.json).
    const GOLDEN: &str = include_str!("golden.jsonl");

    fn subject(container: Option<&str>) -> Subject {
        Subject {
            command: "setup",
            driver: "wasm-macvlan".to_owned(),
            digest: "sha256:00".to_owned(),
            network: "lan".to_owned(),
            container: container.map(str::to_owned),
        }
    }

    fn line(event: Event, subject: &Subject) -> Line<'_> {
        Line {
            time: "2026-01-02T03:04:05.000000006Z".to_owned(),
            ..Line::new(event, subject)
        }
    }

    fn call<'a>(subject: &'a Subject, verdict: Verdict, reach: &str) -> Line<'a> {
        Line {
            call: Some("links.get"),
            object: Some("link host:eth0".into()),
            verdict: Some(verdict),
            reach: Some(Cow::Owned(serde_json::from_str(reach).unwrap())),
            ..line(Event::Call, subject)
        }
    }

    #[test]
    fn lines_keep_their_form() {
        let (of_container, of_network) = (subject(Some("c0ffee")), subject(None));
        let failed = Line {
            reach: None,
            errno: Some(16),
            ..call(&of_container, Verdict::Allow, "{}")
        };
        let ended = Line {
            error: Some("it failed".into()),
            ..line(Event::End, &of_network)
        };
        let about = |event| Line {
            object: Some("the host:br0".into()),
            ..line(event, &of_container)
        };
        let lines = [
            line(Event::Run, &of_container),
            call(&of_container, Verdict::Deny, r#"{"link":["eth0"]}"#),
            call(&of_container, Verdict::Allow, r#"{"link":["eth0"]}"#),
            failed,
            about(Event::Change),
            about(Event::Undo),
            about(Event::Restore),
            about(Event::Unrecorded),
            about(Event::Forget),
            ended,
        ];
        let texts = lines.map(|line| String::from_utf8(line.text().unwrap()).unwrap());
        assert_eq!(texts.concat(), GOLDEN);
        for text in GOLDEN.lines() {
            assert!(Record::parse(text.as_bytes()).is_some(), "{text}");
        }
    }
}
