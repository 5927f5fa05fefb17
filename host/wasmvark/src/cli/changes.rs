//! The differences in authority between two drivers, or between two versions of one.

use std::collections::BTreeMap;

use policy::{Call, Grant, Limits, Reach, Risk};
use serde::Serialize;

use super::output;

/// The list that a difference is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum List {
    /// The calls that the component imports.
    Can,
    /// The calls that the manifest asks for.
    Asks,
    /// The calls that the operator granted.
    Granted,
    /// The limits of a run.
    Limit,
    /// Whether a run needs the audit trail.
    Trail,
}

/// The kind of a difference. Those that give more authority come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Added,
    Wider,
    Raised,
    Removed,
    Narrower,
    Lowered,
}

impl Change {
    fn grows(self) -> bool {
        matches!(self, Self::Added | Self::Wider | Self::Raised)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Added => "+ added",
            Self::Wider => "+ wider",
            Self::Raised => "+ raised",
            Self::Removed => "- removed",
            Self::Narrower => "- narrower",
            Self::Lowered => "- lowered",
        }
    }
}

/// One difference.
#[derive(Serialize)]
struct Row {
    change: Change,
    grows: bool,
    list: List,
    /// The call, the limit or the key.
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Risk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'static str>,
    was: Option<String>,
    now: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// All differences.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Changes(Vec<Row>);

impl Changes {
    /// Adds the differences between two lists of calls. `reason` returns the purpose of
    /// a call.
    pub(super) fn calls<'a>(
        &mut self,
        list: List,
        [old, new]: [&BTreeMap<Call, Reach>; 2],
        reason: impl Fn(Call) -> Option<&'a str>,
    ) {
        for call in Call::ALL {
            let (was, now) = (old.get(call), new.get(call));
            let Some(change) = compare(was, now) else {
                continue;
            };
            if list == List::Asks && self.says(*call, change, was.or(now)) {
                continue;
            }
            let reach = now.or(was).cloned().unwrap_or_default();
            self.0.push(Row {
                change,
                grows: change.grows(),
                list,
                name: call.name(),
                risk: Some(Risk::of(*call, &reach)),
                effect: Some(call.effect()),
                was: was.map(ToString::to_string),
                now: now.map(ToString::to_string),
                reason: reason(*call).map(str::to_owned),
            });
        }
        self.0.sort_by_key(|row| row.change);
    }

    /// Whether an earlier row shows the same change of a call, and there is no reach to
    /// add.
    fn says(&self, call: Call, change: Change, reach: Option<&Reach>) -> bool {
        let mut rows = self.0.iter();
        reach.is_some_and(Reach::is_empty)
            && rows.any(|row| row.name == call.name() && row.change == change)
    }

    /// Adds the differences between two grants besides their calls.
    pub(super) fn terms(&mut self, old: &Grant, new: &Grant) {
        self.limits(old.limits(), new.limits());
        self.trail(old.requires_trail(), new.requires_trail());
    }

    fn trail(&mut self, was: bool, now: bool) {
        let change = match (was, now) {
            (true, false) => Change::Wider,
            (false, true) => Change::Narrower,
            _ => return,
        };
        self.0.push(Row {
            change,
            grows: change.grows(),
            list: List::Trail,
            name: "required",
            risk: None,
            effect: None,
            was: Some(was.to_string()),
            now: Some(now.to_string()),
            reason: None,
        });
        self.0.sort_by_key(|row| row.change);
    }

    fn limits(&mut self, old: &Limits, new: &Limits) {
        let pairs = old.entries().into_iter().zip(new.entries());
        for ((name, was), (_, now)) in pairs.filter(|((_, was), (_, now))| was != now) {
            let change = match now > was {
                true => Change::Raised,
                false => Change::Lowered,
            };
            self.0.push(Row {
                change,
                grows: change.grows(),
                list: List::Limit,
                name,
                risk: None,
                effect: None,
                was: Some(was.to_string()),
                now: Some(now.to_string()),
                reason: None,
            });
        }
        self.0.sort_by_key(|row| row.change);
    }

    /// Whether nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any difference gives more authority.
    pub(super) fn grow(&self) -> bool {
        self.0.iter().any(|row| row.grows)
    }

    /// Returns the differences as text for people.
    pub(super) fn text(&self) -> String {
        let head = ["CHANGE", "LIST", "NAME", "RISK", "WAS", "NOW", "WHAT FOR"];
        let rows = self.0.iter().map(Row::cells);
        let head = head.map(str::to_owned);
        output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    }
}

/// Returns the kind of difference between two reaches of a call, if they differ.
fn compare(was: Option<&Reach>, now: Option<&Reach>) -> Option<Change> {
    match (was, now) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(was), Some(now)) => match (was.covers(now), now.covers(was)) {
            (true, true) => None,
            (true, false) => Some(Change::Narrower),
            (false, _) => Some(Change::Wider),
        },
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let list = match self.list {
            List::Can => "can",
            List::Asks => "asks",
            List::Granted => "granted",
            List::Limit => "limit",
            List::Trail => "trail",
        };
        let risk = match (self.risk, self.effect) {
            (Some(risk), Some(effect)) => output::risk(risk, effect),
            _ => "-".to_owned(),
        };
        let shown = |reach: &Option<String>| match reach.as_deref() {
            None => "-".to_owned(),
            Some("{}") => "yes".to_owned(),
            Some(reach) => reach.to_owned(),
        };
        [
            self.change.words().to_owned(),
            list.to_owned(),
            self.name.to_owned(),
            risk,
            shown(&self.was),
            shown(&self.now),
            self.reason.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::ReachKey;

    fn links(texts: &[&str]) -> BTreeMap<Call, Reach> {
        let mut reach = Reach::default();
        for text in texts {
            reach.add(ReachKey::Link, text).unwrap();
        }
        [(Call::LinksGet, reach)].into()
    }

    #[track_caller]
    fn expect(old: &BTreeMap<Call, Reach>, new: &BTreeMap<Call, Reach>, change: Option<Change>) {
        let mut changes = Changes::default();
        changes.calls(List::Granted, [old, new], |_| None);
        let found: Vec<_> = changes.0.iter().map(|row| row.change).collect();
        assert_eq!(found, Vec::from_iter(change));
        assert_eq!(changes.grow(), change.is_some_and(Change::grows));
    }

    #[test]
    fn more_of_anything_is_growth() {
        let none = BTreeMap::new();
        expect(&none, &links(&[]), Some(Change::Added));
        expect(&links(&[]), &none, Some(Change::Removed));
        expect(&links(&[]), &links(&["a"]), Some(Change::Wider));
        expect(&links(&["*"]), &links(&["a", "b"]), Some(Change::Narrower));
        // One link is removed, but another one is added.
        expect(
            &links(&["a", "b"]),
            &links(&["a", "c"]),
            Some(Change::Wider),
        );
        expect(&links(&["a", "b"]), &links(&["b", "a"]), None);
    }

    #[test]
    fn a_trail_that_is_not_required_is_growth() {
        for (was, now, grows) in [(true, false, true), (false, true, false)] {
            let mut changes = Changes::default();
            changes.trail(was, now);
            assert_eq!(changes.grow(), grows);
            assert!(!changes.is_empty());
        }
        let mut same = Changes::default();
        same.trail(false, false);
        assert!(same.is_empty());
    }

    #[test]
    fn limits_grow_one_by_one() {
        let old = Limits::default();
        let more = Limits {
            calls: 20_000,
            memory: 1,
            ..old.clone()
        };
        let mut changes = Changes::default();
        changes.limits(&old, &more);
        let found: Vec<_> = changes.0.iter().map(|row| (row.name, row.change)).collect();
        assert_eq!(
            found,
            [("calls", Change::Raised), ("memory", Change::Lowered)]
        );
    }
}
