//! The differences in options between two drivers, or between two versions of one. They give
//! no authority. But a network that has an option that's gone, or a value that isn't taken
//! any more, can't be set up.

use std::collections::BTreeMap;

use engine::driver::Description;
use request::DeclaredOption;
use serde::Serialize;

use super::inspect_options::place;
use super::output;

/// The kind of a difference. Those that can stop a network come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Removed,
    Changed,
    Added,
}

/// One difference.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    change: Change,
    name: String,
    was: Option<String>,
    now: Option<String>,
}

/// All differences.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct OptionChanges(Vec<Row>);

impl OptionChanges {
    /// Compares what two components declare. What isn't declared isn't refused, so there is
    /// nothing to compare.
    pub(super) fn between(old: &Description, new: &Description) -> Self {
        match (declared(old), declared(new)) {
            (Some(old), Some(new)) => Self::of(old, new),
            _ => Self(Vec::new()),
        }
    }

    fn of(old: &[DeclaredOption], new: &[DeclaredOption]) -> Self {
        let [old, new] = [old, new].map(shown);
        let names = old
            .keys()
            .chain(new.keys().filter(|name| !old.contains_key(*name)));
        let row = |name: &&str| {
            let (was, now) = (old.get(name).cloned(), new.get(name).cloned());
            let change = match (&was, &now) {
                (Some(_), None) => Change::Removed,
                (None, Some(_)) => Change::Added,
                (was, now) if was != now => Change::Changed,
                _ => return None,
            };
            Some(Row {
                change,
                name: (*name).to_owned(),
                was,
                now,
            })
        };
        let mut rows: Vec<Row> = names.filter_map(row).collect();
        rows.sort_by(|one, other| (one.change, &one.name).cmp(&(other.change, &other.name)));
        Self(rows)
    }

    /// Returns the differences as text for people, or nothing if there are none.
    pub(super) fn text(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let head = ["CHANGE", "OPTION", "WAS", "NOW"].map(str::to_owned);
        let rows = self.0.iter().map(Row::cells);
        let table = output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
        format!("\nOPTIONS\n{table}")
    }
}

fn declared(component: &Description) -> Option<&[DeclaredOption]> {
    component.manifest.as_ref()?.options.options()
}

/// Returns what each option takes, by its name.
fn shown(options: &[DeclaredOption]) -> BTreeMap<&str, String> {
    let text = |option: &DeclaredOption| {
        let place = place(option);
        let default = option.default().map(|it| format!(", default {it}"));
        format!(
            "{} ({place}{})",
            option.expected(),
            default.unwrap_or_default()
        )
    };
    let options = options.iter();
    options
        .map(|option| (option.name().as_str(), text(option)))
        .collect()
}

impl Row {
    fn cells(&self) -> [String; 4] {
        let change = match self.change {
            Change::Removed => "- removed",
            Change::Changed => "~ changed",
            Change::Added => "+ added",
        };
        let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        [
            change.to_owned(),
            self.name.clone(),
            cell(&self.was),
            cell(&self.now),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::driver::Manifest;

    fn options(text: &str) -> Vec<DeclaredOption> {
        let head = "name = \"n\"\nversion = \"1\"\ndescription = \"d\"\nlicence = \"MIT\"\n";
        let manifest = Manifest::parse(format!("{head}{text}").as_bytes()).unwrap();
        manifest.options.options().unwrap().to_vec()
    }

    fn option(name: &str, rest: &str) -> String {
        format!("[[options]]\nname = \"{name}\"\ndescription = \"d\"\n{rest}\n")
    }

    #[test]
    fn what_can_stop_a_network_comes_first() {
        let old =
            option("gone", "") + &option("mode", "values = [\"a\", \"b\"]") + &option("s", "");
        let new = option("fresh", "") + &option("mode", "values = [\"a\"]") + &option("s", "");
        let changes = OptionChanges::of(&options(&old), &options(&new));
        let found: Vec<_> = changes
            .0
            .iter()
            .map(|it| (it.change, it.name.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (Change::Removed, "gone"),
                (Change::Changed, "mode"),
                (Change::Added, "fresh")
            ]
        );
        let text = changes.text();
        assert!(text.starts_with("\nOPTIONS\nCHANGE     OPTION"), "{text}");
    }

    #[test]
    fn a_scope_and_a_default_count() {
        let plain = option("metric", "type = \"integer\"");
        for other in ["scope = \"network\"", "default = \"7\"", "max = 7"] {
            let other = option("metric", &format!("type = \"integer\"\n{other}"));
            let changes = OptionChanges::of(&options(&plain), &options(&other));
            assert_eq!(changes.0.len(), 1, "{other}");
            assert_eq!(changes.0[0].change, Change::Changed);
        }
        assert_eq!(
            OptionChanges::of(&options(&plain), &options(&plain)).text(),
            ""
        );
    }
}
