//! The output of converted networks, as text for a shell and as JSON.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use types::text::plain;

use super::conversion::{Conversion, Failure};
use crate::convert::{NoteKind, Plan, quoted};

/// The output for programs.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) networks: &'a [Conversion],
    pub(super) errors: &'a [Failure],
}

/// Returns the commands. All other lines are comments.
pub(super) fn text(conversions: &[Conversion]) -> String {
    let texts: Vec<_> = conversions.iter().map(one).collect();
    texts.join("\n")
}

/// Returns the command that makes a network, quoted for a shell.
pub(super) fn command(plan: &Plan) -> String {
    let words: Vec<_> = plan.command().iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn one(conversion: &Conversion) -> String {
    let plan = &conversion.plan;
    let file = conversion.file.file_name().unwrap_or_default();
    let mut text = String::new();
    // A line feed in a document must not end the comment.
    let comment = |words: &str| format!("# {}\n", plain(words));
    text.push_str(&comment(&file.to_string_lossy()));
    text.push_str(&command(plan));
    text.push('\n');
    for note in &plan.notes {
        let kind = match note.kind {
            NoteKind::NoCounterpart => "no counterpart: ",
            NoteKind::Remark => "",
        };
        text.push_str(&comment(&format!("{kind}{}: {}", note.key, note.text)));
    }
    for one in &plan.at_run_time {
        text.push_str(&comment(&format!(
            "{}: podman run {} …",
            one.key, one.flags
        )));
    }
    if !conversion.widening.is_empty() {
        let grant = conversion.grant.display();
        text.push_str(&comment(&format!("add to {grant} under [calls]:")));
        for line in conversion.widening.lines() {
            text.push_str(&comment(&format!("  {line}")));
        }
    }
    text
}

impl Serialize for Conversion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = &self.plan;
        let mut fields = serializer.serialize_struct("Network", 8)?;
        fields.serialize_field("file", &self.file.to_string_lossy())?;
        fields.serialize_field("network", &plan.network)?;
        fields.serialize_field("driver", plan.driver)?;
        fields.serialize_field("command", &plan.command())?;
        fields.serialize_field("notes", &plan.notes)?;
        fields.serialize_field("at_run_time", &plan.at_run_time)?;
        fields.serialize_field("grant", &self.grant.to_string_lossy())?;
        fields.serialize_field("grant_lines", &self.widening.lines())?;
        fields.end()
    }
}
