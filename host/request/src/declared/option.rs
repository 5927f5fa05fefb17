//! One option, as a manifest declares it.

use serde::{Deserialize, Serialize};

use super::kind::{Bounds, Kind};
use super::name::OptionName;
use super::of_host;
use crate::options::{names_secret, truth};

/// The longest description, in bytes.
const DESCRIPTION_MAX: usize = 1024;
/// The longest default and the longest of an option's values, in bytes.
const TEXT_MAX: usize = 256;
/// The most values that an option can list.
const VALUES_MAX: usize = 64;
/// The most items of a list, unless the manifest says another number.
const ITEMS: u32 = 128;
/// The largest such number.
const ITEMS_MAX: u32 = 1024;

/// Where an option can be given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// For a network.
    Network,
    /// For one container of a network.
    Container,
    /// For a network, and for one container in its place.
    #[default]
    Both,
    /// Nowhere. The driver sets it in `create`, for its later runs.
    Driver,
}

/// The text between the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Separator {
    /// A comma. Spaces beside it don't count.
    Comma,
    /// White space.
    Space,
}

/// An option that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct DeclaredOption {
    name: OptionName,
    description: String,
    kind: Kind,
    values: Vec<String>,
    min: Option<i64>,
    max: Option<i64>,
    list: Option<Separator>,
    max_items: Option<u32>,
    default: Option<String>,
    scope: Scope,
}

/// The table of an option.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    description: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<Separator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_items: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default)]
    scope: Scope,
}

/// Why an option can't be declared so.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("the option {name:?}: {what}")]
pub struct DeclarationError {
    pub(super) name: String,
    pub(super) what: String,
}

impl TryFrom<Raw> for DeclaredOption {
    type Error = DeclarationError;

    fn try_from(raw: Raw) -> Result<Self, DeclarationError> {
        let wrong = |what: String| DeclarationError {
            name: types::text::shortened(&raw.name, TEXT_MAX).into_owned(),
            what,
        };
        let name = OptionName::parse(&raw.name).map_err(wrong)?;
        let kind = kind(&name, raw.kind).map_err(wrong)?;
        let option = Self {
            name,
            kind,
            description: raw.description,
            values: raw.values,
            min: raw.min,
            max: raw.max,
            list: raw.list,
            max_items: raw.max_items,
            default: raw.default,
            scope: raw.scope,
        };
        let wrong = |what: String| DeclarationError {
            name: option.name.as_str().to_owned(),
            what,
        };
        option.check().map_err(wrong)?;
        Ok(option)
    }
}

impl From<DeclaredOption> for Raw {
    fn from(option: DeclaredOption) -> Self {
        Self {
            name: option.name.as_str().to_owned(),
            description: option.description,
            kind: Some(option.kind),
            values: option.values,
            min: option.min,
            max: option.max,
            list: option.list,
            max_items: option.max_items,
            default: option.default,
            scope: option.scope,
        }
    }
}

/// Returns the type of an option. The host reads some itself, with types of its own.
fn kind(name: &OptionName, given: Option<Kind>) -> Result<Kind, String> {
    let hosts = match names_secret(name.as_str()) {
        true => Some(Kind::Secret),
        false => of_host::kind(name.as_str()),
    };
    match (given, hosts) {
        (Some(Kind::Secret), None) => {
            Err("options that name a secret end with \"_secret\": the host goes by that".to_owned())
        }
        (Some(given), Some(hosts)) if given != hosts => Err(format!(
            "the host reads it as {}: take out the type",
            hosts.expected(hosts.bounds()).0
        )),
        (given, hosts) => Ok(given.or(hosts).unwrap_or_default()),
    }
}

impl DeclaredOption {
    /// Declares an option that the host reads for every driver.
    pub(super) fn of_host(name: OptionName, kind: Kind) -> Self {
        Self {
            name,
            description: String::new(),
            kind,
            values: Vec::new(),
            min: None,
            max: None,
            list: None,
            max_items: None,
            default: None,
            scope: Scope::Both,
        }
    }

    /// Returns the option's name.
    pub fn name(&self) -> &OptionName {
        &self.name
    }

    /// Returns the option's effect, for people.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the value that has the same effect as no option. The host doesn't pass it
    /// on.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Returns where the option can be given.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns the option without the texts that no run needs.
    pub(super) fn without_texts(&self) -> Self {
        Self {
            description: String::new(),
            default: None,
            ..self.clone()
        }
    }

    /// Whether the value is the name of a secret, which errors don't repeat: it may be the
    /// secret by mistake.
    pub(super) fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether the option can have a value.
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self.list {
            None => self.accepts_one(text),
            Some(separator) => {
                let items = separator.split(text);
                let most = usize::try_from(self.items_max()).unwrap_or(usize::MAX);
                items.len() <= most && items.iter().all(|item| self.accepts_item(item))
            }
        }
    }

    fn accepts_one(&self, text: &str) -> bool {
        let may_be_empty = self.kind.may_be_empty() || !self.values.is_empty();
        (text.is_empty() && may_be_empty) || self.accepts_item(text)
    }

    fn accepts_item(&self, text: &str) -> bool {
        let word = match self.kind {
            Kind::Bool => text.trim(),
            _ => text,
        };
        if self.values.iter().any(|value| value == word) {
            return true;
        }
        let is_listed = self.kind == Kind::String && !self.values.is_empty();
        !is_listed && self.kind.accepts(text, self.bounds())
    }

    /// Returns the normal form of a value. `create` stores it.
    pub(super) fn normal(&self, text: &str) -> Option<String> {
        if self.list.is_some() {
            return None;
        }
        let word = text.trim();
        match self.kind == Kind::Bool && self.values.iter().any(|value| value == word) {
            true => Some(word.to_owned()),
            false => self.kind.normal(text),
        }
    }

    /// Returns the values that are possible, for people: "VALUE is not …".
    pub fn expected(&self) -> String {
        let (one, several) = self.kind.expected(self.bounds());
        let words = match self.kind {
            Kind::Bool if !self.values.is_empty() => ["true", "false"].as_slice(),
            _ => &[],
        };
        let words = words.iter().copied();
        let words: Vec<&str> = words
            .chain(self.values.iter().map(String::as_str))
            .collect();
        let one = if words.is_empty() { one } else { or(&words) };
        let Some(separator) = self.list else {
            return one;
        };
        let items = if words.is_empty() { several } else { one };
        format!(
            "a list of at most {} {items}, with {} between them",
            self.items_max(),
            separator.plural()
        )
    }

    fn bounds(&self) -> Bounds {
        let whole = self.kind.bounds();
        Bounds {
            min: self.min.unwrap_or(whole.min),
            max: self.max.unwrap_or(whole.max),
        }
    }

    fn items_max(&self) -> u32 {
        self.max_items.unwrap_or(ITEMS)
    }

    /// Checks what the keys of the option's table say together.
    fn check(&self) -> Result<(), String> {
        if self.description.len() > DESCRIPTION_MAX {
            return Err(format!(
                "its description has more than {DESCRIPTION_MAX} bytes"
            ));
        }
        self.check_bounds()?;
        self.check_values()?;
        self.check_list()?;
        let Some(default) = &self.default else {
            return Ok(());
        };
        match default.len() <= TEXT_MAX && (self.kind == Kind::String || !default.is_empty()) {
            true if self.accepts(default) => Ok(()),
            _ => Err(format!(
                "its default is not {}",
                match self.kind {
                    Kind::String if self.values.is_empty() =>
                        format!("a text of at most {TEXT_MAX} bytes"),
                    _ => self.expected(),
                }
            )),
        }
    }

    fn check_bounds(&self) -> Result<(), String> {
        let has_bounds = self.min.is_some() || self.max.is_some();
        let Bounds { min, max } = self.bounds();
        if has_bounds && !self.kind.is_number() {
            return Err("min and max are for numbers".to_owned());
        }
        if min > max {
            return Err(format!("no number is from {min} to {max}"));
        }
        // A `-` is between the numbers of a range.
        match self.kind {
            Kind::IntegerRange if min < 0 => Err("ranges have no negative numbers".to_owned()),
            _ => Ok(()),
        }
    }

    fn check_values(&self) -> Result<(), String> {
        if self.values.is_empty() {
            return Ok(());
        }
        if !matches!(self.kind, Kind::String | Kind::Bool) {
            return Err("values are for the types string and bool".to_owned());
        }
        if self.values.len() > VALUES_MAX {
            return Err(format!("it has more than {VALUES_MAX} values"));
        }
        let is_word = |text: &String| {
            (1..=TEXT_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if let Some(value) = self.values.iter().find(|value| !is_word(value)) {
            return Err(format!(
                "the value {value:?} is not 1 to {TEXT_MAX} letters, digits and signs"
            ));
        }
        for (at, value) in self.values.iter().enumerate() {
            let is_again = self.values.iter().take(at).any(|other| other == value);
            if is_again || (self.kind == Kind::Bool && truth(value).is_some()) {
                return Err(format!("the value {value:?} is there twice"));
            }
        }
        Ok(())
    }

    fn check_list(&self) -> Result<(), String> {
        match (self.list, self.max_items) {
            (None, Some(_)) => Err("max_items is for a list".to_owned()),
            (Some(_), Some(most)) if !(1..=ITEMS_MAX).contains(&most) => {
                Err(format!("max_items is from 1 to {ITEMS_MAX}"))
            }
            (Some(_), _) if matches!(self.kind, Kind::Bool | Kind::Secret) => {
                Err("there are no lists of this type".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl Separator {
    fn split(self, text: &str) -> Vec<&str> {
        match self {
            Self::Comma => text.split(',').map(str::trim).collect(),
            Self::Space => text.split_whitespace().collect(),
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Space => "spaces",
        }
    }
}

/// Writes words with commas, and `or` before the last one.
fn or(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
