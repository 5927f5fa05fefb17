//! The widenings of a grant: objects beyond the driver's own and the
//! request's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use types::{HostPlace, LinkName, Namespace, NumberRange, PortRange, SettingKey};

use super::pattern::Pattern;
use super::{
    InvalidPattern, KeyPattern, LinkPattern, NetworkPattern, PlacePattern, PortPattern, ReachKey,
    SecretPattern, TablePattern, VlanPattern, VniPattern,
};

/// What a call may touch beyond own objects and the request. As JSON it is a
/// map from its keys to lists of patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Links by name.
    pub link: Vec<LinkPattern>,
    /// Where on the host new links may be.
    pub place: Vec<PlacePattern>,
    /// Networks that addresses, and sources of rules, may come from.
    pub address: Vec<NetworkPattern>,
    /// Networks that routes may lead to, and rules be about.
    pub destination: Vec<NetworkPattern>,
    /// Routing tables of the host.
    pub table: Vec<TablePattern>,
    /// VLANs by their numbers.
    pub vlan: Vec<VlanPattern>,
    /// VXLANs by their numbers.
    pub vni: Vec<VniPattern>,
    /// Kernel settings by name.
    pub key: Vec<KeyPattern>,
    /// Secrets by name.
    pub secret: Vec<SecretPattern>,
    /// Ports of the host.
    pub port: Vec<PortPattern>,
}

/// Why a pattern can't join a reach.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// It is none.
    #[error(transparent)]
    Invalid(#[from] InvalidPattern),
    /// It is there twice.
    #[error("{key} {pattern:?} is there twice")]
    Twice {
        /// What it's about.
        key: &'static str,
        /// The pattern.
        pattern: String,
    },
    /// Two that say different things about the same.
    #[error("{key} {narrow:?} and {wide:?} contradict each other: {wide:?} has the other as well")]
    Covered {
        /// What they are about.
        key: &'static str,
        /// The one that says nothing.
        narrow: String,
        /// The one that says it already.
        wide: String,
    },
    /// It isn't there, so that it can't be taken away.
    #[error("there is no {key} {pattern:?} to take away: there is {}", shown(.there))]
    Absent {
        /// What it's about.
        key: &'static str,
        /// The pattern.
        pattern: String,
        /// The patterns that are there.
        there: Vec<String>,
    },
}

fn shown(patterns: &[String]) -> String {
    match patterns {
        [] => "none at all".to_owned(),
        patterns => {
            let quoted: Vec<_> = patterns.iter().map(|text| format!("{text:?}")).collect();
            quoted.join(", ")
        }
    }
}

/// Does something with the list of a key, whichever kind of pattern it has.
macro_rules! with_list {
    ([$($borrow:tt)+] $reach:expr, $key:expr, $list:ident => $do:expr) => {
        match $key {
            ReachKey::Link => {
                let $list = $($borrow)+ $reach.link;
                $do
            }
            ReachKey::Place => {
                let $list = $($borrow)+ $reach.place;
                $do
            }
            ReachKey::Address => {
                let $list = $($borrow)+ $reach.address;
                $do
            }
            ReachKey::Destination => {
                let $list = $($borrow)+ $reach.destination;
                $do
            }
            ReachKey::Table => {
                let $list = $($borrow)+ $reach.table;
                $do
            }
            ReachKey::Vlan => {
                let $list = $($borrow)+ $reach.vlan;
                $do
            }
            ReachKey::Vni => {
                let $list = $($borrow)+ $reach.vni;
                $do
            }
            ReachKey::Key => {
                let $list = $($borrow)+ $reach.key;
                $do
            }
            ReachKey::Secret => {
                let $list = $($borrow)+ $reach.secret;
                $do
            }
            ReachKey::Port => {
                let $list = $($borrow)+ $reach.port;
                $do
            }
        }
    };
}

impl Reach {
    /// The keys that it uses.
    pub fn keys(&self) -> impl Iterator<Item = ReachKey> {
        let keys = ReachKey::ALL.into_iter();
        keys.filter(|key| !with_list!([&] self, key, list => list.is_empty()))
    }

    /// How many patterns it has.
    pub fn count(&self) -> usize {
        let keys = ReachKey::ALL.into_iter();
        keys.map(|key| with_list!([&] self, key, list => list.len()))
            .sum()
    }

    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// The patterns of a key, as they are written.
    pub fn patterns(&self, key: ReachKey) -> Vec<String> {
        with_list!([&] self, key, list => list.iter().map(ToString::to_string).collect())
    }

    /// Adds a pattern. One that has another, or is had by it, is an error: only
    /// one of them can be meant.
    pub fn add(&mut self, key: ReachKey, text: &str) -> Result<(), PatternError> {
        with_list!([&mut] self, key, list => add(list, key, text))
    }

    /// The reach without a pattern, which must be there as it is.
    pub fn without(mut self, key: ReachKey, text: &str) -> Result<Self, PatternError> {
        with_list!([&mut] &mut self, key, list => take(list, key, text))?;
        Ok(self)
    }

    /// The reach with all of another, where it hasn't got it.
    pub fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        join_all(&mut joined.link, &other.link);
        join_all(&mut joined.place, &other.place);
        join_all(&mut joined.address, &other.address);
        join_all(&mut joined.destination, &other.destination);
        join_all(&mut joined.table, &other.table);
        join_all(&mut joined.vlan, &other.vlan);
        join_all(&mut joined.vni, &other.vni);
        join_all(&mut joined.key, &other.key);
        join_all(&mut joined.secret, &other.secret);
        join_all(&mut joined.port, &other.port);
        joined
    }

    /// The reach with at most so many patterns of each kind, where it's to be
    /// written down.
    pub fn shortened(&self, max: usize) -> Cow<'_, Self> {
        if self.count() <= max {
            return Cow::Borrowed(self);
        }
        let mut shortened = self.clone();
        for key in ReachKey::ALL {
            with_list!([&mut] shortened, key, list => list.truncate(max));
        }
        Cow::Owned(shortened)
    }

    /// Whether it has all that another has, pattern by pattern.
    pub fn covers(&self, other: &Self) -> bool {
        has_all(&self.link, &other.link)
            && has_all(&self.place, &other.place)
            && has_all(&self.address, &other.address)
            && has_all(&self.destination, &other.destination)
            && has_all(&self.table, &other.table)
            && has_all(&self.vlan, &other.vlan)
            && has_all(&self.vni, &other.vni)
            && has_all(&self.key, &other.key)
            && has_all(&self.secret, &other.secret)
            && has_all(&self.port, &other.port)
    }

    /// The patterns that reach what isn't there yet.
    pub fn stars(&self) -> Vec<String> {
        let patterns = self.keys().flat_map(|key| self.patterns(key));
        patterns
            .filter(|pattern| pattern.contains('*') || pattern.ends_with("/0"))
            .collect()
    }

    /// The patterns for links of a namespace.
    pub fn links_of(&self, namespace: Namespace) -> impl Iterator<Item = LinkPattern> {
        let links = self.link.iter();
        links
            .filter(move |pattern| pattern.namespace() == namespace)
            .cloned()
    }

    /// Whether it has anything that is there on the host: all but what is said
    /// to be the container's, and places for new links.
    pub(crate) fn is_of_host(&self) -> bool {
        let on_host = |namespace| namespace == Namespace::Host;
        let mut others = self.keys();
        others.any(|key| !matches!(key, ReachKey::Link | ReachKey::Place | ReachKey::Key))
            || self.link.iter().any(|link| on_host(link.namespace()))
            || self.key.iter().any(|key| on_host(key.namespace()))
    }

    /// Whether a link is among them.
    pub fn has_link(&self, namespace: Namespace, name: &LinkName) -> bool {
        let mut links = self.link.iter();
        links.any(|pattern| pattern.matches(namespace, name))
    }

    /// Whether new links may be at a place of the host.
    pub(crate) fn has_place(&self, place: HostPlace) -> bool {
        self.place.contains(&PlacePattern::one(place))
    }

    /// Whether VLANs are all among them.
    pub(crate) fn has_vlans(&self, numbers: NumberRange) -> bool {
        self.vlan.iter().any(|pattern| pattern.contains(numbers))
    }

    /// Whether a VXLAN is among them.
    pub(crate) fn has_vni(&self, number: u32) -> bool {
        let number = NumberRange::one(number);
        self.vni.iter().any(|pattern| pattern.contains(number))
    }

    /// Whether any link of a namespace is.
    pub(crate) fn has_links_of(&self, namespace: Namespace) -> bool {
        let mut links = self.link.iter();
        links.any(|pattern| pattern.namespace() == namespace)
    }

    /// Whether every link of the host is.
    pub(crate) fn has_all_links(&self) -> bool {
        let mut links = self.link.iter();
        links.any(|pattern| pattern.namespace() == Namespace::Host && pattern.has_all())
    }

    /// Whether an address and its whole network are among them.
    pub fn has_address(&self, address: IpNet) -> bool {
        self.address.iter().any(|pattern| pattern.contains(address))
    }

    /// Whether every address is.
    pub(crate) fn has_all_addresses(&self) -> bool {
        self.address.contains(&NetworkPattern::all())
    }

    /// Whether a kernel setting is among them.
    pub fn has_key(&self, namespace: Namespace, key: &SettingKey) -> bool {
        let mut patterns = self.key.iter();
        patterns.any(|pattern| pattern.matches(namespace, key))
    }

    /// Whether a kernel setting is among them by its own name, whichever link's
    /// it is.
    pub(crate) fn names_key(&self, namespace: Namespace, key: &SettingKey) -> bool {
        let mut patterns = self.key.iter();
        patterns.any(|pattern| pattern.names(namespace, key))
    }

    /// Whether a secret is among them.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secret.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether ports of the host are all among them.
    pub(crate) fn has_ports(&self, ports: &PortRange) -> bool {
        self.port.iter().any(|pattern| pattern.contains(ports))
    }

    /// Whether a destination is among them.
    pub(crate) fn has_destination(&self, destination: IpNet) -> bool {
        let mut patterns = self.destination.iter();
        patterns.any(|pattern| pattern.contains(destination))
    }

    /// Whether every destination is among them.
    pub(crate) fn has_all_destinations(&self) -> bool {
        self.destination.contains(&NetworkPattern::all())
    }

    /// Whether a table of the host is among them.
    pub fn has_table(&self, table: u32) -> bool {
        self.table.iter().any(|pattern| pattern.matches(table))
    }
}

fn add<P: Pattern>(list: &mut Vec<P>, key: ReachKey, text: &str) -> Result<(), PatternError> {
    let pattern = P::read(text)?;
    for other in list.iter() {
        let (wide, narrow) = match (other.covers(&pattern), pattern.covers(other)) {
            (false, false) => continue,
            (true, true) => {
                return Err(PatternError::Twice {
                    key: key.name(),
                    pattern: pattern.to_string(),
                });
            }
            (true, false) => (other, &pattern),
            (false, true) => (&pattern, other),
        };
        return Err(PatternError::Covered {
            key: key.name(),
            narrow: narrow.to_string(),
            wide: wide.to_string(),
        });
    }
    list.push(pattern);
    Ok(())
}

fn take<P: Pattern>(list: &mut Vec<P>, key: ReachKey, text: &str) -> Result<(), PatternError> {
    let pattern = P::read(text)?;
    let is_it = |other: &P| other.covers(&pattern) && pattern.covers(other);
    match list.iter().position(is_it) {
        Some(index) => {
            list.remove(index);
            Ok(())
        }
        None => Err(PatternError::Absent {
            key: key.name(),
            pattern: pattern.to_string(),
            there: list.iter().map(ToString::to_string).collect(),
        }),
    }
}

/// Adds a pattern where none has it yet; those that it has go.
pub(super) fn join<P: Pattern>(list: &mut Vec<P>, pattern: &P) {
    if list.iter().any(|own| own.covers(pattern)) {
        return;
    }
    list.retain(|own| !pattern.covers(own));
    list.push(pattern.clone());
}

/// Adds patterns, each where it isn't covered.
fn join_all<P: Pattern>(list: &mut Vec<P>, patterns: &[P]) {
    for pattern in patterns {
        join(list, pattern);
    }
}

/// Whether each of the others is covered.
fn has_all<P: Pattern>(own: &[P], others: &[P]) -> bool {
    let mut others = others.iter();
    others.all(|other| own.iter().any(|own| own.covers(other)))
}

impl fmt::Display for Reach {
    /// The inline table of the grant file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("{}");
        }
        let parts: Vec<_> = self.keys().map(|key| self.entry(key)).collect();
        write!(f, "{{ {} }}", parts.join(", "))
    }
}

impl Reach {
    /// What stands in the grant file for a key: `link = "eth1"`.
    fn entry(&self, key: ReachKey) -> String {
        let values: Vec<_> = self
            .patterns(key)
            .into_iter()
            .map(|text| key.value(&text))
            .collect();
        match values.as_slice() {
            [one] => format!("{} = {one}", key.name()),
            _ => format!("{} = [{}]", key.name(), values.join(", ")),
        }
    }
}

impl Serialize for Reach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for key in self.keys() {
            map.serialize_entry(key.name(), &self.patterns(key))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Reach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lists: BTreeMap<String, Vec<String>> = Deserialize::deserialize(deserializer)?;
        let mut reach = Self::default();
        for (name, patterns) in lists {
            let mut keys = ReachKey::ALL.into_iter();
            let key = keys.find(|key| key.name() == name);
            let key = key.ok_or_else(|| D::Error::custom(format!("there is no reach {name:?}")))?;
            for pattern in patterns {
                let mut one = Self::default();
                one.add(key, &pattern).map_err(D::Error::custom)?;
                reach = reach.joined(&one);
            }
        }
        Ok(reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(texts: &[&str]) -> Reach {
        let mut reach = Reach::default();
        for text in texts {
            reach.add(ReachKey::Link, text).unwrap();
        }
        reach
    }

    #[test]
    fn what_is_joined_says_nothing_twice() {
        let joined = links(&["a", "b"]).joined(&links(&["*"]));
        assert_eq!(joined, links(&["*"]));
        assert_eq!(joined.joined(&links(&["c"])), joined);
        assert!(joined.covers(&links(&["a"])));
        assert!(!links(&["a"]).covers(&joined));
    }

    #[test]
    fn patterns_that_contradict_are_refused() {
        let says = |reach: &Reach, text: &str| {
            let error = reach.clone().add(ReachKey::Link, text).unwrap_err();
            error.to_string()
        };
        assert!(says(&links(&["a"]), "a").contains("is there twice"));
        assert!(says(&links(&["a"]), "*").contains("contradict each other: \"*\" has"));
        assert!(says(&links(&["*"]), "a").contains("contradict each other: \"*\" has"));
        assert!(links(&["*"]).add(ReachKey::Link, "container:a").is_ok());
    }

    #[test]
    fn only_what_is_there_is_taken_away() {
        let all = links(&["a", "b"]);
        assert_eq!(all.clone().without(ReachKey::Link, "a"), Ok(links(&["b"])));
        let error = links(&["*"]).without(ReachKey::Link, "a").unwrap_err();
        assert!(error.to_string().contains("there is \"*\""), "{error}");
    }
}
