//! Widening a grant that is there: the file keeps its comments and its order.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml_edit::{DocumentMut, Item, Table, Value};

use super::{Call, Grant, GrantError, Problem, Reach};

/// What a grant must allow besides what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Widening(Vec<(Call, Reach)>);

impl Widening {
    /// What of these calls, with their reaches, a grant lacks; without a grant,
    /// all. Each call comes with all of its reach.
    pub fn needed(grant: Option<&Grant>, calls: &[(Call, Reach)]) -> Self {
        let mut lacking: Vec<(Call, Reach)> = Vec::new();
        for (call, reach) in calls {
            let granted = grant.and_then(|grant| grant.calls().get(call));
            let mut planned = lacking.iter_mut();
            if let Some((_, planned)) = planned.find(|(planned, _)| planned == call) {
                *planned = planned.joined(reach);
                continue;
            }
            match granted {
                Some(granted) if granted.joined(reach) == *granted => {}
                granted => {
                    let granted = granted.cloned().unwrap_or_default();
                    lacking.push((*call, granted.joined(reach)));
                }
            }
        }
        Self(lacking)
    }

    /// Whether nothing is lacking.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines that the grant file gets.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.iter();
        lines
            .map(|(call, reach)| super::file::line(*call, reach))
            .collect()
    }

    /// The text of a grant file with these lines in it; `path` is for messages.
    pub fn write_into(&self, path: &Path, text: &str) -> Result<String, GrantError> {
        let invalid = |error: &dyn std::fmt::Display| GrantError::Invalid {
            path: PathBuf::from(path),
            problem: Box::new(Problem::new(text, 0..0, &error)),
        };
        let mut document = DocumentMut::from_str(text).map_err(|error| GrantError::Invalid {
            path: path.to_owned(),
            problem: Box::new(Problem::new(
                text,
                error.span().unwrap_or_default(),
                &error.message(),
            )),
        })?;
        let calls = document
            .entry("calls")
            .or_insert_with(|| Item::Table(Table::new()))
            .as_table_like_mut()
            .ok_or_else(|| invalid(&"calls is no table"))?;
        for (call, reach) in &self.0 {
            let value = Value::from_str(&reach.to_string()).map_err(|error| invalid(&error))?;
            match calls.get_mut(call.name()) {
                // What stands around it stays.
                Some(item) => {
                    let around = item.as_value().map(|value| value.decor().clone());
                    let mut value = value;
                    if let Some(around) = around {
                        *value.decor_mut() = around;
                    }
                    *item = Item::Value(value);
                }
                None => {
                    calls.insert(call.name(), Item::Value(value));
                }
            }
        }
        Ok(document.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Namespace, SettingKey};

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
            key: vec![crate::grant::KeyPattern::one(Namespace::Container, &key)],
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
