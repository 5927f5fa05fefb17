//! The reader of grants, and of the calls in a driver's manifest. An error has the
//! position in the text and, for an unknown name, the most similar known one.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use types::nearest;

use super::place::Problem;
use super::{Call, Limits, Reach, ReachKey};

/// A key of a table.
type Key<'t> = Spanned<DeString<'t>>;
/// A value of a table.
type Value<'t> = Spanned<DeValue<'t>>;

/// A reader of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'t> {
    text: &'t str,
}

/// The manifest's entry for a call that the driver needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The reason, for the operator.
    pub reason: String,
    /// The reach that the call needs beyond own objects and the request.
    pub reach: Reach,
}

/// Reads the table `calls` of a manifest.
pub fn read_wishes(text: &str) -> Result<BTreeMap<Call, Wish>, Problem> {
    let reader = Reader { text };
    let document = reader.document()?;
    let mut wishes = BTreeMap::new();
    let Some(calls) = document.get("calls") else {
        return Ok(wishes);
    };
    for (name, value) in reader.table("calls", calls)? {
        let call = reader.call(name)?;
        let table = reader.table(call.name(), value)?;
        let reason = match table.get("reason") {
            Some(reason) => reader.text_of("reason", reason)?.to_owned(),
            None => {
                let what =
                    format!("{call} is requested without a reason: write {{ reason = \"…\" }}");
                return Err(reader.wrong(name.span(), &what));
            }
        };
        let reach = reader.reach(call, table, &["reason"])?;
        wishes.insert(call, Wish { reason, reach });
    }
    Ok(wishes)
}

/// Parses a text, and adds the position to the parser's error.
pub fn read_plain<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| Reader { text }.parser_error(&error))
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text }
    }

    /// Parses the whole text.
    pub(super) fn document(self) -> Result<DeTable<'t>, Problem> {
        let document = DeTable::parse(self.text).map_err(|error| self.parser_error(&error))?;
        Ok(document.into_inner())
    }

    fn parser_error(self, error: &toml::de::Error) -> Problem {
        self.wrong(error.span().unwrap_or_default(), &error.message())
    }

    /// Returns an error at a position of the text.
    pub(super) fn wrong(self, span: Range<usize>, what: &impl fmt::Display) -> Problem {
        Problem::new(self.text, span, what)
    }

    /// Refuses unknown keys. `owner` says in the error what has the keys.
    pub(super) fn check_keys(
        self,
        owner: &str,
        table: &DeTable<'_>,
        known: &[&'static str],
    ) -> Result<(), Problem> {
        let mut keys = table.keys();
        match keys.find(|key| !known.contains(&&**key.get_ref())) {
            Some(key) => Err(self.unknown(owner, key, known)),
            None => Ok(()),
        }
    }

    fn unknown(self, owner: &str, key: &Key<'_>, known: &[&'static str]) -> Problem {
        let near = nearest::name(key.get_ref(), known.iter().copied());
        let hint = match near {
            Some(_) => nearest::did_you_mean(near),
            None => format!("; use one of {}", known.join(", ")),
        };
        let what = format!("{owner} has no {:?}{hint}", key.get_ref());
        self.wrong(key.span(), &what)
    }

    fn wrong_type(self, what: &str, value: &Value<'_>, expected: &str) -> Problem {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let what = format!("{what} must be {expected}, not {found}");
        self.wrong(value.span(), &what)
    }

    /// Returns a value that must be a table.
    pub(super) fn table<'a>(
        self,
        what: &str,
        value: &'a Value<'t>,
    ) -> Result<&'a DeTable<'t>, Problem> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong_type(what, value, "a table, as in `{}`")),
        }
    }

    /// Returns a value that must be a string.
    pub(super) fn text_of<'a>(self, what: &str, value: &'a Value<'_>) -> Result<&'a str, Problem> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type(what, value, "a string")),
        }
    }

    fn number(self, what: &str, value: &Value<'_>) -> Result<u64, Problem> {
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(self.wrong_type(what, value, "a number"));
        };
        u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
            let what = format!(
                "{what} must be from 0 to {}, and is {}",
                u64::MAX,
                number.as_str()
            );
            self.wrong(value.span(), &what)
        })
    }

    fn call(self, name: &Key<'_>) -> Result<Call, Problem> {
        let call = name.get_ref().parse();
        call.map_err(|error| self.wrong(name.span(), &error))
    }

    /// Reads the table `calls` of a grant.
    pub(super) fn calls(self, value: &Value<'t>) -> Result<BTreeMap<Call, Reach>, Problem> {
        let calls = self.table("calls", value)?.iter();
        calls
            .map(|(name, value)| {
                let call = self.call(name)?;
                let table = self.table(call.name(), value)?;
                Ok((call, self.reach(call, table, &[])?))
            })
            .collect()
    }

    /// Reads the reach of a call from a table that may also have the keys `others`.
    fn reach(self, call: Call, table: &DeTable<'t>, others: &[&str]) -> Result<Reach, Problem> {
        let mut reach = Reach::default();
        for (key, value) in table {
            if others.contains(&&**key.get_ref()) {
                continue;
            }
            let reach_key = self.reach_key(call, key)?;
            let values = match value.get_ref() {
                DeValue::Array(values) => values.iter().collect(),
                _ => vec![value],
            };
            for value in values {
                let pattern = self.pattern(reach_key, value)?;
                reach
                    .add(reach_key, &pattern)
                    .map_err(|error| self.wrong(value.span(), &error))?;
            }
        }
        Ok(reach)
    }

    /// Reads the key of a reach. A key that the call can't have is refused, because it
    /// would never apply.
    fn reach_key(self, call: Call, key: &Key<'_>) -> Result<ReachKey, Problem> {
        let name: &str = key.get_ref();
        let all = ReachKey::ALL.into_iter();
        match all.clone().find(|known| known.name() == name) {
            Some(known) => {
                let checked = call.check_reach_key(known);
                checked.map_err(|error| self.wrong(key.span(), &error))?;
                Ok(known)
            }
            None => {
                let known: Vec<_> = all.map(ReachKey::name).collect();
                Err(self.unknown("a reach", key, &known))
            }
        }
    }

    /// Reads the text of a pattern. Numbers need no quotes.
    fn pattern(self, key: ReachKey, value: &Value<'_>) -> Result<String, Problem> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(_) if key.has_numbers() => {
                Ok(self.number(key.name(), value)?.to_string())
            }
            _ => Err(self.wrong_type(key.name(), value, "a string or a list of strings")),
        }
    }

    /// Reads a table of a grant that says only whether something is required. Without a
    /// line for that, `unless_said` holds.
    pub(super) fn is_required(
        self,
        name: &'static str,
        value: &Value<'t>,
        unless_said: bool,
    ) -> Result<bool, Problem> {
        let table = self.table(name, value)?;
        self.check_keys(name, table, &["required"])?;
        match table.get("required") {
            None => Ok(unless_said),
            Some(value) => match value.get_ref() {
                DeValue::Boolean(required) => Ok(*required),
                _ => Err(self.wrong_type("required", value, "true or false")),
            },
        }
    }

    /// Reads the table `limits` of a grant.
    pub(super) fn limits(self, value: &Value<'t>) -> Result<Limits, Problem> {
        let table = self.table("limits", value)?;
        self.check_keys("limits", table, &Limits::NAMES)?;
        let mut limits = Limits::default();
        for (key, value) in table {
            let number = self.number(key.get_ref(), value)?;
            limits
                .set(key.get_ref(), number)
                .map_err(|error| self.wrong(value.span(), &error))?;
        }
        Ok(limits)
    }
}
