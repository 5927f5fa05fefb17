//! Editing an existing grant file, which keeps its comments and its order.

mod list;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};
use types::Digest;

use super::{Call, Grant, GrantError, Problem, Reach, ReachKey};

/// A grant file that is being edited.
#[derive(Debug, Clone)]
pub struct Edit {
    path: PathBuf,
    text: String,
    document: DocumentMut,
}

impl Edit {
    /// Parses the text of a grant file. `path` is for messages.
    pub fn new(path: &Path, text: &str) -> Result<Self, GrantError> {
        let wrong = |error: toml_edit::TomlError| GrantError::Invalid {
            path: path.to_owned(),
            problem: Box::new(Problem::new(
                text,
                error.span().unwrap_or_default(),
                &error.message(),
            )),
        };
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            document: DocumentMut::from_str(text).map_err(wrong)?,
        })
    }

    /// Sets the digest of the component that the grant is for.
    pub fn set_digest(&mut self, digest: &Digest) {
        let item = self.document.entry("digest").or_insert(Item::None);
        replace(item, Value::from(digest.to_string()));
    }

    /// Sets the reach of a call. Existing patterns stay as they are written. A new call is
    /// added at the end.
    pub fn set_call(&mut self, call: Call, reach: &Reach) -> Result<(), GrantError> {
        let calls = self.calls()?;
        match calls.get_mut(call.name()) {
            Some(item) => set_reach(item, reach),
            None => {
                calls.insert(call.name(), Item::Value(inline(reach)));
            }
        }
        Ok(())
    }

    /// Removes a call. The comments above its line stay, because they may be about more
    /// than this line.
    pub fn remove_call(&mut self, call: Call) -> Result<(), GrantError> {
        let name = call.name();
        let Some(table) = self.document.get_mut("calls").and_then(Item::as_table_mut) else {
            self.calls()?.remove(name);
            return Ok(());
        };
        let names: Vec<_> = table.iter().map(|(key, _)| key.to_owned()).collect();
        let next = names.iter().skip_while(|key| *key != name).nth(1);
        let position = table.position();
        let Some((key, _)) = table.remove_entry(name) else {
            return Ok(());
        };
        let above = key.leaf_decor().prefix().and_then(|prefix| prefix.as_str());
        let above = above.unwrap_or_default().to_owned();
        if above.trim().is_empty() {
            return Ok(());
        }
        if let Some(mut next) = next.and_then(|next| table.key_mut(next)) {
            put_above(next.leaf_decor_mut(), &above);
            return Ok(());
        }
        self.put_below(position, &above);
        Ok(())
    }

    /// Returns the edited text.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    fn calls(&mut self) -> Result<&mut dyn TableLike, GrantError> {
        let Self {
            path,
            text,
            document,
        } = self;
        document
            .entry("calls")
            .or_insert_with(|| Item::Table(Table::new()))
            .as_table_like_mut()
            .ok_or_else(|| GrantError::Invalid {
                path: path.clone(),
                problem: Box::new(Problem::new(
                    text,
                    0..0,
                    &"calls is not a table: write [calls]",
                )),
            })
    }

    /// Puts comments after the table at a position.
    fn put_below(&mut self, position: Option<isize>, comments: &str) {
        let tables = self.document.iter_mut();
        let tables = tables.filter_map(|(_, item)| item.as_table_mut());
        let below = tables.filter(|table| table.position() > position);
        match below.min_by_key(|table| table.position()) {
            Some(table) => put_above(table.decor_mut(), comments),
            None => {
                let trailing = self.document.trailing().as_str().unwrap_or_default();
                let trailing = format!("{comments}{trailing}");
                self.document.set_trailing(trailing);
            }
        }
    }
}

fn put_above(decor: &mut toml_edit::Decor, comments: &str) {
    let own = decor.prefix().and_then(|prefix| prefix.as_str());
    let both = format!("{comments}{}", own.unwrap_or_default());
    decor.set_prefix(both);
}

/// Replaces a value, and keeps the text around it.
fn replace(item: &mut Item, mut value: Value) {
    if let Some(old) = item.as_value() {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
}

/// Writes a reach as an inline table.
fn inline(reach: &Reach) -> Value {
    let mut table = InlineTable::new();
    for key in reach.keys() {
        table.insert(key.name(), values(key, &reach.patterns(key)));
    }
    Value::InlineTable(table)
}

fn values(key: ReachKey, patterns: &[String]) -> Value {
    match patterns {
        [one] => value(key, one),
        patterns => Value::Array(patterns.iter().map(|text| value(key, text)).collect()),
    }
}

fn value(key: ReachKey, pattern: &str) -> Value {
    match pattern.parse::<i64>() {
        Ok(number) if key.has_numbers() => Value::from(number),
        _ => Value::from(pattern),
    }
}

fn set_reach(item: &mut Item, reach: &Reach) {
    let is_inline = item.is_inline_table();
    let table = item.as_table_like_mut().filter(|table| !table.is_empty());
    let Some(table) = table.filter(|_| !reach.is_empty()) else {
        replace(item, inline(reach));
        return;
    };
    // The space before the closing brace belongs to the last value.
    let space = match is_inline {
        true => last_suffix(table, ""),
        false => None,
    };
    for key in ReachKey::ALL {
        set_key(table, key, &reach.patterns(key));
    }
    if let Some(space) = space {
        last_suffix(table, &space);
    }
}

/// Sets the text after the last value of a table, and returns the old one.
fn last_suffix(table: &mut dyn TableLike, new: &str) -> Option<String> {
    let (_, item) = table.iter_mut().last()?;
    let decor = item.as_value_mut()?.decor_mut();
    let old = decor.suffix().and_then(|suffix| suffix.as_str());
    let old = old.map(str::to_owned);
    decor.set_suffix(new);
    old
}

fn set_key(table: &mut dyn TableLike, key: ReachKey, wanted: &[String]) {
    match table.get_mut(key.name()) {
        _ if wanted.is_empty() => {
            table.remove(key.name());
        }
        Some(Item::Value(Value::Array(array))) => set_patterns(array, key, wanted),
        Some(item) => {
            let is_same = item.as_value().and_then(|value| read(key, value));
            if is_same.is_none_or(|own| wanted != [own]) {
                replace(item, values(key, wanted));
            }
        }
        None => {
            table.insert(key.name(), Item::Value(values(key, wanted)));
        }
    }
}

fn set_patterns(array: &mut Array, key: ReachKey, wanted: &[String]) {
    let mut there = Vec::new();
    let mut index = 0;
    while let Some(value) = array.get(index) {
        match read(key, value).filter(|own| wanted.contains(own)) {
            Some(own) => {
                there.push(own);
                index += 1;
            }
            None => list::remove(array, index),
        }
    }
    for pattern in wanted.iter().filter(|pattern| !there.contains(pattern)) {
        list::push(array, value(key, pattern));
    }
}

/// Reads a pattern, in the form of [`Reach::patterns`].
fn read(key: ReachKey, value: &Value) -> Option<String> {
    let text = match (value.as_str(), value.as_integer()) {
        (Some(text), _) => text.to_owned(),
        (None, number) => number?.to_string(),
    };
    let mut reach = Reach::default();
    reach.add(key, &text).ok()?;
    reach.patterns(key).pop()
}

/// The calls that a grant must list in addition, with their reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Widening(Vec<(Call, Reach)>);

impl Widening {
    /// Returns those of the calls that a grant doesn't allow, each with all of its reach.
    /// Without a grant, these are all calls.
    pub fn needed(grant: Option<&Grant>, calls: &[(Call, Reach)]) -> Self {
        let mut missing: Vec<(Call, Reach)> = Vec::new();
        for (call, reach) in calls {
            let granted = grant.and_then(|grant| grant.calls().get(call));
            let mut planned = missing.iter_mut();
            if let Some((_, planned)) = planned.find(|(planned, _)| planned == call) {
                *planned = planned.joined(reach);
                continue;
            }
            match granted {
                Some(granted) if granted.joined(reach) == *granted => {}
                granted => {
                    let granted = granted.cloned().unwrap_or_default();
                    missing.push((*call, granted.joined(reach)));
                }
            }
        }
        Self(missing)
    }

    /// Whether the grant already allows all calls.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the new lines of the grant file.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.iter();
        lines
            .map(|(call, reach)| super::file::line(*call, reach))
            .collect()
    }

    /// Adds the lines to the text of a grant file. `path` is for messages.
    pub fn write_into(&self, path: &Path, text: &str) -> Result<String, GrantError> {
        let mut edit = Edit::new(path, text)?;
        for (call, reach) in &self.0 {
            edit.set_call(*call, reach)?;
        }
        Ok(edit.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Namespace, SettingKey};

    const GRANT: &str = "driver = \"d\" # whose\n\
        digest = \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n\
        \n[calls]\n# why\n\"sysctl.set\" = { key = \"net.ipv4.ip_forward\" } # and so\n\
        \"links.get\" = {}\n";

    fn parse(text: &str) -> Grant {
        Grant::parse("d", Path::new("d.toml"), text).unwrap()
    }

    fn setting(key: &str) -> (Call, Reach) {
        let key: SettingKey = key.parse().unwrap();
        let reach = Reach {
            key: vec![crate::KeyPattern::one(Namespace::Container, &key)],
            ..Reach::default()
        };
        (Call::SysctlSet, reach)
    }

    #[test]
    fn a_grant_is_widened_by_what_it_lacks_and_keeps_its_words() {
        let calls = [
            setting("net.core.somaxconn"),
            setting("net.core.optmem_max"),
        ];
        let widening = Widening::needed(Some(&parse(GRANT)), &calls);
        let line = "\"sysctl.set\" = { key = [\"net.ipv4.ip_forward\", \
                    \"container:net.core.somaxconn\", \"container:net.core.optmem_max\"] }";
        assert_eq!(widening.lines(), [line]);
        let text = widening.write_into(Path::new("d.toml"), GRANT).unwrap();
        let old = "\"sysctl.set\" = { key = \"net.ipv4.ip_forward\" }";
        assert_eq!(text, GRANT.replace(old, line));
        assert!(Widening::needed(Some(&parse(&text)), &calls).is_empty());
    }

    fn edit(text: &str) -> Edit {
        Edit::new(Path::new("d.toml"), text).unwrap()
    }

    fn links(texts: &[&str]) -> Reach {
        let mut reach = Reach::default();
        for text in texts {
            reach.add(ReachKey::Link, text).unwrap();
        }
        reach
    }

    #[track_caller]
    fn becomes(before: &str, reach: &Reach, after: &str) {
        let head = "[calls]\n# First.\n\"links.get\" = ";
        let end = " # Kept.\n\n[limits] # Last.\n";
        let mut edit = edit(&format!("{head}{before}{end}"));
        edit.set_call(Call::LinksGet, reach).unwrap();
        assert_eq!(edit.text(), format!("{head}{after}{end}"));
    }

    #[test]
    fn patterns_come_and_go_where_they_are() {
        becomes("{}", &links(&["a"]), "{ link = \"a\" }");
        becomes(
            "{ link = \"a\" }",
            &links(&["a", "b"]),
            "{ link = [\"a\", \"b\"] }",
        );
        becomes(
            "{ link = [\"a\"] }",
            &links(&["a", "b"]),
            "{ link = [\"a\", \"b\"] }",
        );
        becomes("{link=['a','b']}", &links(&["a"]), "{link=['a']}");
        becomes("{ link = \"a\" }", &links(&["*"]), "{ link = \"*\" }");
        becomes("{ link = \"a\" }", &Reach::default(), "{}");
        let lines = "{ link = [\n  \"a\", # Why a.\n  \"b\",\n] }";
        let more = "{ link = [\n  \"a\", # Why a.\n  \"b\",\n  \"c\",\n] }";
        becomes(lines, &links(&["a", "b", "c"]), more);
    }

    #[test]
    fn a_call_in_a_table_of_its_own_is_changed_there() {
        let text = "[calls.\"links.get\"] # Its own.\nlink = \"a\" # Why.\n";
        let mut edit = edit(text);
        edit.set_call(Call::LinksGet, &links(&["a", "b"])).unwrap();
        edit.set_call(Call::LinksInfo, &Reach::default()).unwrap();
        let text = edit.text();
        assert!(
            text.contains("# Its own.\nlink = [\"a\", \"b\"] # Why.\n"),
            "{text}"
        );
        let head = GRANT.split("[calls]").next().unwrap();
        let grant = parse(&format!("{head}{text}"));
        assert_eq!(grant.calls().len(), 2);
        edit.remove_call(Call::LinksGet).unwrap();
        assert_eq!(parse(&format!("{head}{}", edit.text())).calls().len(), 1);
    }

    #[test]
    fn comments_outlive_the_line_below_them() {
        let mut first = edit(GRANT);
        first.remove_call(Call::SysctlSet).unwrap();
        let line = "\"sysctl.set\" = { key = \"net.ipv4.ip_forward\" } # and so\n";
        assert_eq!(first.text(), GRANT.replace(line, ""));
        first.remove_call(Call::LinksGet).unwrap();
        assert!(
            first.text().ends_with("[calls]\n# why\n"),
            "{}",
            first.text()
        );
        let below = format!(
            "{}\n[limits]\ncalls = 1\n",
            GRANT.replace("\"links.get\" = {}\n", "")
        );
        let mut edit = edit(&below);
        edit.remove_call(Call::SysctlSet).unwrap();
        assert!(
            edit.text()
                .ends_with("[calls]\n# why\n\n[limits]\ncalls = 1\n"),
            "{}",
            edit.text()
        );
        edit.remove_call(Call::SysctlSet).unwrap();
    }

    #[test]
    fn the_digest_changes_in_its_place() {
        let digest = Digest::of(b"x");
        let mut edit = edit("digest = \"sha256:0\" # Whose.\ndriver = \"d\"\n");
        edit.set_digest(&digest);
        assert_eq!(
            edit.text(),
            format!("digest = \"{digest}\" # Whose.\ndriver = \"d\"\n")
        );
    }

    #[test]
    fn a_call_that_is_new_comes_last() {
        let (_, reach) = setting("net.core.somaxconn");
        let bare = GRANT.split("# why").next().unwrap();
        for text in [bare, bare.trim_end().trim_end_matches("[calls]")] {
            let widening =
                Widening::needed(Some(&parse(text)), &[(Call::SysctlSet, reach.clone())]);
            let wide = widening.write_into(Path::new("d.toml"), text).unwrap();
            assert!(wide.starts_with(text.trim_end()), "{wide}");
            let expected = "\"sysctl.set\" = { key = \"container:net.core.somaxconn\" }";
            assert!(wide.trim_end().ends_with(expected), "{wide}");
            assert_eq!(parse(&wide).calls()[&Call::SysctlSet], reach);
        }
    }

    #[test]
    fn what_a_star_covers_is_there_already() {
        let wide = GRANT.replace("net.ipv4.ip_forward", "container:net.core.*");
        let calls = [setting("net.core.somaxconn")];
        assert!(Widening::needed(Some(&parse(&wide)), &calls).is_empty());
        let host = GRANT.replace("net.ipv4.ip_forward", "*");
        assert!(!Widening::needed(Some(&parse(&host)), &calls).is_empty());
    }
}
