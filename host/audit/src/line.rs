//! The lines of the trail, for writing and for reading.

use std::borrow::Cow;

use policy::Reach;
use serde::{Deserialize, Serialize};
use types::text;

/// The subject of a run. Each of its lines has it.
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
    /// The container's id. It is absent in `create`.
    pub container: Option<String>,
}

/// The event of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The run begins.
    Run,
    /// A call was allowed or denied.
    Call,
    /// A driver's `create` changed the network's document.
    Change,
    /// The host undid a change.
    Undo,
    /// The host restored an object that somebody had removed.
    Restore,
    /// Further calls were denied, without a line each.
    Unrecorded,
    /// The operator gave up an undo record.
    Forget,
    /// A part of the run's confinement is missing.
    Unconfined,
    /// A forbidden system call ended the run.
    Violation,
    /// The run ended.
    End,
}

impl Event {
    /// Returns the event's name in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Call => "call",
            Self::Change => "change",
            Self::Undo => "undo",
            Self::Restore => "restore",
            Self::Unrecorded => "unrecorded",
            Self::Forget => "forget",
            Self::Unconfined => "unconfined",
            Self::Violation => "violation",
            Self::End => "end",
        }
    }
}

/// The verdict on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The call was made.
    Allow,
    /// The call wasn't made.
    Deny,
}

impl Verdict {
    /// Returns the verdict's name in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Writes the reach of a call for people: `by { link = "lo" }`, or `lacks …` after a
/// denial. Returns `None` if it's empty.
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
    /// Begins a line with the current time.
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

    /// Writes the line as JSON, with its line end.
    pub(super) fn text(&self) -> std::io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// A line that was read. Its text may come from drivers and callers, and can contain
/// control characters.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// The time, in UTC.
    pub time: String,
    /// The event.
    pub event: Event,
    /// The subcommand.
    pub command: String,
    /// The driver's name. It is empty if the host acts without a driver.
    pub driver: String,
    /// The component's digest.
    pub digest: String,
    /// The network's name.
    pub network: String,
    /// The container's id.
    pub container: Option<String>,
    /// The call.
    pub call: Option<String>,
    /// The objects that were touched, or would have been.
    pub object: Option<String>,
    /// The verdict on the call.
    pub verdict: Option<Verdict>,
    /// The reach that the call needed or lacked, without own objects and the request.
    #[serde(default)]
    pub reach: Reach,
    /// The kernel's error number.
    pub errno: Option<i32>,
    /// Why the run failed, or why an object couldn't be undone or restored.
    pub error: Option<String>,
}

impl Record {
    /// Parses a line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in the form that readers outside of this program know
    /// (docs/audit.schema.json).
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
            about(Event::Unconfined),
            about(Event::Violation),
            ended,
        ];
        let texts = lines.map(|line| String::from_utf8(line.text().unwrap()).unwrap());
        assert_eq!(texts.concat(), GOLDEN);
        for text in GOLDEN.lines() {
            assert!(Record::parse(text.as_bytes()).is_some(), "{text}");
        }
    }
}
