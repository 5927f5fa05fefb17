//! The widenings of a grant: objects beyond the driver's own and the
//! request's.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ReachKey;
use crate::net::{
    InvalidLinkName, InvalidSettingKey, LinkName, Namespace, PortRange, Protocol, SettingKey,
    is_part,
};

/// What stands before the name of a link in the container.
const CONTAINER_PREFIX: &str = "container:";

/// What a call may touch beyond own objects and the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Links by name.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<LinkPattern>,
    /// Networks that addresses, and sources of rules, may come from.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<NetworkPattern>,
    /// Networks that routes may lead to, and rules be about.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub destination: Vec<NetworkPattern>,
    /// Routing tables of the host.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<TablePattern>,
    /// Kernel settings by name.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<KeyPattern>,
    /// Secrets by name, or `*` for all.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<String>,
    /// Ports of the host.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub port: Vec<PortPattern>,
}

impl Reach {
    /// The keys that it uses.
    pub fn keys(&self) -> impl Iterator<Item = ReachKey> {
        [
            (ReachKey::Link, self.link.is_empty()),
            (ReachKey::Address, self.address.is_empty()),
            (ReachKey::Destination, self.destination.is_empty()),
            (ReachKey::Table, self.table.is_empty()),
            (ReachKey::Key, self.key.is_empty()),
            (ReachKey::Secret, self.secret.is_empty()),
            (ReachKey::Port, self.port.is_empty()),
        ]
        .into_iter()
        .filter_map(|(key, empty)| (!empty).then_some(key))
    }

    /// How many patterns it has.
    pub fn count(&self) -> usize {
        [
            self.link.len(),
            self.address.len(),
            self.destination.len(),
            self.table.len(),
            self.key.len(),
            self.secret.len(),
            self.port.len(),
        ]
        .iter()
        .sum()
    }

    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// The reach with that of another, where it hasn't got it.
    pub fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        join(&mut joined.link, &other.link, LinkPattern::covers);
        join(&mut joined.address, &other.address, NetworkPattern::covers);
        let destinations = (&mut joined.destination, &other.destination);
        join(destinations.0, destinations.1, NetworkPattern::covers);
        join(&mut joined.table, &other.table, TablePattern::covers);
        join(&mut joined.key, &other.key, KeyPattern::covers);
        join(&mut joined.secret, &other.secret, has_secret);
        join(&mut joined.port, &other.port, PortPattern::covers);
        joined
    }

    /// Whether it has all that another has.
    pub fn covers(&self, other: &Self) -> bool {
        has_all(&self.link, &other.link, LinkPattern::covers)
            && has_all(&self.address, &other.address, NetworkPattern::covers)
            && has_all(
                &self.destination,
                &other.destination,
                NetworkPattern::covers,
            )
            && has_all(&self.table, &other.table, TablePattern::covers)
            && has_all(&self.key, &other.key, KeyPattern::covers)
            && has_all(&self.secret, &other.secret, has_secret)
            && has_all(&self.port, &other.port, PortPattern::covers)
    }

    /// The patterns that have a star in them, and so reach what isn't there yet.
    pub fn stars(&self) -> Vec<String> {
        let all = |network: &&NetworkPattern| network.0.is_none_or(|own| own.prefix_len() == 0);
        let links = self.link.iter().filter(|link| link.name.is_none());
        let networks = self.address.iter().chain(&self.destination).filter(all);
        let tables = self.table.iter().filter(|table| table.0.is_none());
        let keys = self.key.iter().filter(|key| key.text.contains('*'));
        let ports = self.port.iter().filter(|port| port.0.is_none());
        let secrets = self.secret.iter().filter(|secret| *secret == "*");
        let mut stars: Vec<String> = links.map(ToString::to_string).collect();
        stars.extend(networks.map(ToString::to_string));
        stars.extend(tables.map(ToString::to_string));
        stars.extend(keys.map(ToString::to_string));
        stars.extend(ports.map(ToString::to_string));
        stars.extend(secrets.cloned());
        stars
    }

    /// The patterns for links of a namespace.
    pub fn links_of(&self, namespace: Namespace) -> impl Iterator<Item = LinkPattern> {
        let links = self.link.iter();
        links
            .filter(move |pattern| pattern.namespace == namespace)
            .cloned()
    }

    /// Whether a link is among them.
    pub fn has_link(&self, namespace: Namespace, name: &LinkName) -> bool {
        self.link
            .iter()
            .any(|pattern| pattern.matches(namespace, name))
    }

    /// Whether any link of a namespace is.
    pub fn has_links_of(&self, namespace: Namespace) -> bool {
        let mut patterns = self.link.iter();
        patterns.any(|pattern| pattern.namespace == namespace)
    }

    /// Whether every link of the host is.
    pub fn has_all_links(&self) -> bool {
        self.link
            .iter()
            .any(|pattern| pattern.namespace == Namespace::Host && pattern.name.is_none())
    }

    /// Whether an address and its whole network are among them.
    pub fn has_address(&self, address: IpNet) -> bool {
        self.address.iter().any(|pattern| pattern.contains(address))
    }

    /// Whether every address is.
    pub fn has_all_addresses(&self) -> bool {
        self.address.contains(&NetworkPattern::all())
    }

    /// Whether a kernel setting is among them.
    pub fn has_key(&self, namespace: Namespace, key: &SettingKey) -> bool {
        let mut patterns = self.key.iter();
        patterns.any(|pattern| pattern.matches(namespace, key))
    }

    /// Whether a secret is among them.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secret.iter().any(|own| own == "*" || own == name)
    }

    /// Whether ports of the host are all among them.
    pub fn has_ports(&self, ports: &PortRange) -> bool {
        self.port.iter().any(|pattern| pattern.contains(ports))
    }

    /// Whether a destination is among them.
    pub fn has_destination(&self, destination: IpNet) -> bool {
        let mut patterns = self.destination.iter();
        patterns.any(|pattern| pattern.contains(destination))
    }

    /// Whether every destination is among them.
    pub fn has_all_destinations(&self) -> bool {
        self.destination.contains(&NetworkPattern::all())
    }

    /// Whether a table of the host is among them.
    pub fn has_table(&self, table: u32) -> bool {
        let mut patterns = self.table.iter();
        patterns.any(|pattern| pattern.0.is_none_or(|own| own == table))
    }
}

/// Whether each is covered by one of the own.
fn has_all<T>(own: &[T], others: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    let mut others = others.iter();
    others.all(|other| own.iter().any(|own| covers(own, other)))
}

/// Whether the name of a secret, or `*`, has all that another has.
fn has_secret(own: &String, other: &String) -> bool {
    own == "*" || own == other
}

/// Adds what isn't covered yet.
fn join<T: Clone>(own: &mut Vec<T>, others: &[T], covers: impl Fn(&T, &T) -> bool) {
    for other in others {
        if !own.iter().any(|own| covers(own, other)) {
            own.push(other.clone());
        }
    }
}

impl fmt::Display for Reach {
    /// The inline table of the grant file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        push(&mut parts, ReachKey::Link, &self.link);
        push(&mut parts, ReachKey::Address, &self.address);
        push(&mut parts, ReachKey::Destination, &self.destination);
        push(&mut parts, ReachKey::Table, &self.table);
        push(&mut parts, ReachKey::Key, &self.key);
        push(&mut parts, ReachKey::Secret, &self.secret);
        push(&mut parts, ReachKey::Port, &self.port);
        if parts.is_empty() {
            return f.write_str("{}");
        }
        write!(f, "{{ {} }}", parts.join(", "))
    }
}

fn push(parts: &mut Vec<String>, key: ReachKey, values: &[impl fmt::Display]) {
    let quoted = |value: String| match value.parse::<u32>() {
        Ok(_) if key == ReachKey::Table => value,
        _ => toml::Value::String(value).to_string(),
    };
    let values: Vec<_> = values
        .iter()
        .map(|value| quoted(value.to_string()))
        .collect();
    match values.as_slice() {
        [] => {}
        [one] => parts.push(format!("{} = {one}", key.name())),
        _ => parts.push(format!("{} = [{}]", key.name(), values.join(", "))),
    }
}

/// `NAME` or `*` for the host's links, `container:NAME` or `container:*` for
/// the container's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinkPattern {
    namespace: Namespace,
    name: Option<LinkName>,
}

impl LinkPattern {
    /// The pattern for one link.
    pub fn one(namespace: Namespace, name: LinkName) -> Self {
        Self {
            namespace,
            name: Some(name),
        }
    }

    /// The pattern for all links of a namespace.
    pub fn all_of(namespace: Namespace) -> Self {
        Self {
            namespace,
            name: None,
        }
    }

    fn matches(&self, namespace: Namespace, name: &LinkName) -> bool {
        self.namespace == namespace && self.name.as_ref().is_none_or(|own| own == name)
    }

    /// Whether it has all that another has.
    fn covers(&self, other: &Self) -> bool {
        match &other.name {
            Some(name) => self.matches(other.namespace, name),
            None => self == other,
        }
    }
}

impl TryFrom<String> for LinkPattern {
    type Error = InvalidLinkName;

    fn try_from(text: String) -> Result<Self, InvalidLinkName> {
        let (namespace, name) = split_namespace(&text);
        let name = match name {
            "*" => None,
            name => Some(name.parse()?),
        };
        Ok(Self { namespace, name })
    }
}

impl From<LinkPattern> for String {
    fn from(pattern: LinkPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for LinkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == Namespace::Container {
            f.write_str(CONTAINER_PREFIX)?;
        }
        match &self.name {
            Some(name) => write!(f, "{name}"),
            None => f.write_str("*"),
        }
    }
}

/// Where a pattern holds, and what is left of it.
fn split_namespace(text: &str) -> (Namespace, &str) {
    match text.strip_prefix(CONTAINER_PREFIX) {
        Some(rest) => (Namespace::Container, rest),
        None => (Namespace::Host, text),
    }
}

/// The name of a kernel setting, in which `*` stands for one part, or `*` for
/// all; after `container:` for the container's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPattern {
    namespace: Namespace,
    text: String,
}

impl KeyPattern {
    /// The pattern for one setting.
    pub fn one(namespace: Namespace, key: &SettingKey) -> Self {
        Self {
            namespace,
            text: key.to_string(),
        }
    }

    fn matches(&self, namespace: Namespace, key: &SettingKey) -> bool {
        if self.namespace != namespace {
            return false;
        }
        let has_same_parts = self.text.split('.').count() == key.parts().count();
        let mut parts = self.text.split('.').zip(key.parts());
        let is_same = |(own, part): (&str, &str)| own == "*" || own == part;
        self.text == "*" || (has_same_parts && parts.all(is_same))
    }

    /// Whether it has all that another has.
    fn covers(&self, other: &Self) -> bool {
        match other.text.parse() {
            Ok(key) => self.matches(other.namespace, &key),
            Err(_) => self == other,
        }
    }
}

impl TryFrom<String> for KeyPattern {
    type Error = InvalidSettingKey;

    fn try_from(text: String) -> Result<Self, InvalidSettingKey> {
        let (namespace, pattern) = split_namespace(&text);
        let mut parts = pattern.split('.');
        let below_net = parts.next() == Some("net") && pattern.contains('.');
        let plain = parts.all(|part| part == "*" || is_part(part));
        if pattern != "*" && !(below_net && plain) {
            // It says what a key looks like.
            pattern.parse::<SettingKey>()?;
        }
        Ok(Self {
            namespace,
            text: pattern.to_owned(),
        })
    }
}

impl From<KeyPattern> for String {
    fn from(pattern: KeyPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == Namespace::Container {
            f.write_str(CONTAINER_PREFIX)?;
        }
        f.write_str(&self.text)
    }
}

/// A network, or `*` for all of both families.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkPattern(Option<IpNet>);

impl NetworkPattern {
    /// The pattern for one network.
    pub fn one(network: IpNet) -> Self {
        Self(Some(network.trunc()))
    }

    /// The pattern for all networks.
    pub fn all() -> Self {
        Self(None)
    }

    fn contains(&self, network: IpNet) -> bool {
        self.0.is_none_or(|own| own.contains(&network))
    }

    /// Whether it has all that another has.
    fn covers(&self, other: &Self) -> bool {
        match other.0 {
            Some(network) => self.contains(network),
            None => self.0.is_none(),
        }
    }
}

impl TryFrom<String> for NetworkPattern {
    type Error = ipnet::AddrParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "*" => Ok(Self(None)),
            network => IpNet::from_str(network).map(Self::one),
        }
    }
}

impl From<NetworkPattern> for String {
    fn from(pattern: NetworkPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for NetworkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(network) => write!(f, "{network}"),
            None => f.write_str("*"),
        }
    }
}

/// The number of a routing table, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TablePattern(Option<u32>);

impl TablePattern {
    /// The pattern for one table.
    pub fn one(table: u32) -> Self {
        Self(Some(table))
    }

    /// Whether it has all that another has.
    fn covers(&self, other: &Self) -> bool {
        self.0.is_none() || self == other
    }
}

impl TryFrom<String> for TablePattern {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "*" => Ok(Self(None)),
            number => number.parse().map(Self::one),
        }
    }
}

impl From<TablePattern> for String {
    fn from(pattern: TablePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for TablePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(table) => write!(f, "{table}"),
            None => f.write_str("*"),
        }
    }
}

/// Ports of the host, as `8080/tcp` or `8000-8100/udp`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortPattern(Option<Ports>);

/// Ports in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    first: u16,
    last: u16,
    protocol: Protocol,
}

/// A text that names no ports.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} names no ports: write \"8080/tcp\", \"8000-8100/udp\" (tcp, udp or sctp), or \"*\" \
     for all"
)]
pub struct InvalidPortPattern {
    text: String,
}

impl PortPattern {
    /// The pattern for these ports.
    pub fn one(ports: &PortRange) -> Self {
        Self(Some(Ports {
            first: ports.first,
            last: ports.last,
            protocol: ports.protocol,
        }))
    }

    fn contains(&self, ports: &PortRange) -> bool {
        self.covers(&Self::one(ports))
    }

    /// Whether it has all that another has.
    fn covers(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => {
                own.protocol == other.protocol && own.first <= other.first && other.last <= own.last
            }
        }
    }
}

impl TryFrom<String> for PortPattern {
    type Error = InvalidPortPattern;

    fn try_from(text: String) -> Result<Self, InvalidPortPattern> {
        if text == "*" {
            return Ok(Self(None));
        }
        match ports(&text) {
            Some(ports) if ports.first <= ports.last => Ok(Self(Some(ports))),
            _ => Err(InvalidPortPattern { text }),
        }
    }
}

fn ports(text: &str) -> Option<Ports> {
    let (numbers, name) = text.split_once('/')?;
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let mut protocols = Protocol::ALL.into_iter();
    Some(Ports {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        protocol: protocols.find(|protocol| protocol.name() == name)?,
    })
}

impl From<PortPattern> for String {
    fn from(pattern: PortPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for PortPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Ports {
            first,
            last,
            protocol,
        }) = self.0
        else {
            return f.write_str("*");
        };
        match first == last {
            true => write!(f, "{first}/{protocol}"),
            false => write!(f, "{first}-{last}/{protocol}"),
        }
    }
}

/// A value by itself may stand for a list of one.
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(Value),
        Many(Vec<Value>),
    }

    /// Numbers need no quotes.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Number(u32),
        Text(String),
    }

    impl From<Value> for String {
        fn from(value: Value) -> Self {
            match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => text,
            }
        }
    }

    pub(super) fn serialize<S: Serializer>(
        values: &[impl Serialize],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<String, Error: std::fmt::Display>,
    {
        let values = match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        };
        let values = values
            .into_iter()
            .map(|value| T::try_from(String::from(value)));
        values
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}
