//! The patterns of a grant, by which a reach names links, places, networks, tables, VLANs,
//! VNIs, kernel settings, secrets and ports.
//!
//! A `*` alone stands for all objects of a kind. In the name of a kernel setting it can
//! also stand for one part between dots. Anywhere else it is an error, because it would
//! only look like a wildcard.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use types::{
    HostPlace, InvalidLinkName, InvalidSettingKey, LinkName, Namespace, NumberRange, PortRange,
    Protocol, SettingKey, is_part,
};

/// The prefix of a pattern for the container's namespace.
const CONTAINER_PREFIX: &str = "container:";

/// A text that isn't a pattern of its kind.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum InvalidPattern {
    /// The text can't be the name of a link.
    #[error(transparent)]
    Link(#[from] InvalidLinkName),
    /// The text can't be the name of a kernel setting.
    #[error(transparent)]
    Key(#[from] InvalidSettingKey),
    /// The text has a wildcard in a wrong position.
    #[error("{text:?} has a \"*\" that means nothing: {rule}")]
    Wildcard {
        /// The text.
        text: String,
        /// The rule for wildcards.
        rule: &'static str,
    },
    /// The text isn't a network.
    #[error("{0:?} is not a network: write \"192.0.2.0/24\", \"2001:db8::/32\", or \"*\" for all")]
    Network(String),
    /// The text is an address without a prefix length.
    #[error("{0:?} is an address, not a network: write \"{0}/{1}\" for the address alone")]
    Address(String, u8),
    /// The text is an address inside a network, with the network's prefix length.
    #[error(
        "{text:?} is an address inside the network {network}: write \"{network}\", or \"{alone}\""
    )]
    HostBits {
        /// The text.
        text: String,
        /// The network.
        network: IpNet,
        /// The address alone, as a network.
        alone: IpNet,
    },
    /// The text isn't a place on the host.
    #[error(
        "{0:?} is not a place of a new link: write \"host\" for a link on the host, or \"shared\" \
         for one on the host for all containers of the network; a link in the container needs no \
         place"
    )]
    Place(String),
    /// The text isn't a number or a range.
    #[error("{text:?} is not a {what}: write \"7\", \"10-20\" (at most {max}), or \"*\" for all")]
    Number {
        /// The text.
        text: String,
        /// The expected number.
        what: &'static str,
        /// The highest number.
        max: u32,
    },
    /// The text isn't the number of a table.
    #[error("{0:?} is not the number of a routing table: write 100, or \"*\" for all")]
    Table(String),
    /// The text can't be the name of a secret.
    #[error(
        "{0:?} can't be the name of a secret: use 1 to 64 letters, digits, '_', '.' and '-', and \
         begin with a letter or a digit"
    )]
    Secret(String),
    /// The text names no ports.
    #[error(
        "{0:?} names no ports: write \"8080/tcp\", \"8000-8100/udp\" (tcp, udp or sctp), or \"*\" \
         for all"
    )]
    Ports(String),
}

/// The rule for wildcards in the names of secrets.
const ALONE: &str = "write the whole name, or \"*\" alone for all";
/// The rule for wildcards in the names of links.
const LINK_WILDCARDS: &str =
    "write the whole name, \"*\" for all links of the host, or \"container:*\" for the container's";
/// The rule for wildcards in the names of kernel settings.
const KEY_WILDCARDS: &str = "write it for a whole part between two dots, as in \"net.ipv4.conf.*.rp_filter\", or \"*\" \
     alone for all";

/// A pattern. A reach has a list of them for each kind.
pub(super) trait Pattern: Sized + Clone + fmt::Display {
    /// Parses a pattern.
    fn read(text: &str) -> Result<Self, InvalidPattern>;

    /// Whether the pattern matches all objects that another one matches.
    fn covers(&self, other: &Self) -> bool;
}

/// Refuses wildcards in a part of a pattern.
fn refuse_wildcard(text: &str, part: &str, rule: &'static str) -> Result<(), InvalidPattern> {
    match part.contains('*') {
        false => Ok(()),
        true => Err(InvalidPattern::Wildcard {
            text: text.to_owned(),
            rule,
        }),
    }
}

/// A pattern for links: `NAME` or `*` for the host's, `container:NAME` or `container:*` for
/// the container's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPattern {
    namespace: Namespace,
    name: Option<LinkName>,
}

impl LinkPattern {
    /// Returns the narrowest pattern for one link. It is the link's name. If the name has a
    /// `*`, which the kernel allows, only the pattern for all links matches it.
    pub fn one(namespace: Namespace, name: LinkName) -> Self {
        Self {
            namespace,
            name: Some(name).filter(|name| !name.as_str().contains('*')),
        }
    }

    /// Returns the pattern for all links of a namespace.
    pub(crate) fn all_of(namespace: Namespace) -> Self {
        Self {
            namespace,
            name: None,
        }
    }

    /// Returns the namespace of the links.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Whether the pattern matches every link of its namespace.
    pub(super) fn has_all(&self) -> bool {
        self.name.is_none()
    }

    pub(super) fn matches(&self, namespace: Namespace, name: &LinkName) -> bool {
        self.namespace == namespace && self.name.as_ref().is_none_or(|own| own == name)
    }
}

impl Pattern for LinkPattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        let (namespace, name) = split_namespace(text);
        if name == "*" {
            return Ok(Self::all_of(namespace));
        }
        refuse_wildcard(text, name, LINK_WILDCARDS)?;
        Ok(Self::one(namespace, name.parse()?))
    }

    fn covers(&self, other: &Self) -> bool {
        match &other.name {
            Some(name) => self.matches(other.namespace, name),
            None => self == other,
        }
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

/// Splits a pattern into its namespace and the rest.
fn split_namespace(text: &str) -> (Namespace, &str) {
    match text.strip_prefix(CONTAINER_PREFIX) {
        Some(rest) => (Namespace::Container, rest),
        None => (Namespace::Host, text),
    }
}

/// A pattern for kernel settings: a name in which `*` stands for one part, or `*` for all.
/// It has the prefix `container:` for the container's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    namespace: Namespace,
    text: String,
}

impl KeyPattern {
    /// Returns the pattern for one setting.
    pub fn one(namespace: Namespace, key: &SettingKey) -> Self {
        Self {
            namespace,
            text: key.to_string(),
        }
    }

    /// Returns the namespace of the settings.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Returns the pattern for the same settings of another link, if it names a link.
    pub(super) fn with_other_link(&self, link: &LinkName, other: &LinkName) -> Option<Self> {
        // As in sysctl(8), a dot in a name is written as a slash.
        let [link, other] = [link, other].map(|name| name.as_str().replace('.', "/"));
        let parts = self.text.split('.');
        let text: Vec<&str> = parts
            .map(|part| if part == link { other.as_str() } else { part })
            .collect();
        let text = text.join(".");
        (text != self.text).then_some(Self {
            namespace: self.namespace,
            text,
        })
    }

    pub(super) fn matches(&self, namespace: Namespace, key: &SettingKey) -> bool {
        self.namespace == namespace && self.has(&key.to_string())
    }

    /// Whether the pattern matches a setting, and its last part isn't a wildcard.
    pub(super) fn names(&self, namespace: Namespace, key: &SettingKey) -> bool {
        let is_written = self.text.rsplit('.').next().is_some_and(|last| last != "*");
        is_written && self.matches(namespace, key)
    }

    /// Whether the pattern matches each part of a key, or of another pattern.
    fn has(&self, key: &str) -> bool {
        let same_length = self.text.split('.').count() == key.split('.').count();
        let mut parts = self.text.split('.').zip(key.split('.'));
        let is_same = |(own, part): (&str, &str)| own == "*" || own == part;
        self.text == "*" || (same_length && key != "*" && parts.all(is_same))
    }
}

impl Pattern for KeyPattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        let (namespace, pattern) = split_namespace(text);
        let mut parts = pattern.split('.');
        let below_net = parts.next() == Some("net") && pattern.contains('.');
        let plain = parts.clone().all(|part| part == "*" || is_part(part));
        if pattern != "*" && !(below_net && plain) {
            let wildcard = parts.find(|part| part.contains('*') && *part != "*");
            refuse_wildcard(text, wildcard.unwrap_or_default(), KEY_WILDCARDS)?;
            // The error says how a key is written.
            pattern.parse::<SettingKey>()?;
        }
        Ok(Self {
            namespace,
            text: pattern.to_owned(),
        })
    }

    fn covers(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.has(&other.text)
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

/// A pattern for networks: a network, or `*` for all networks of both families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPattern(Option<IpNet>);

impl NetworkPattern {
    /// Returns the pattern for one network.
    pub fn one(network: IpNet) -> Self {
        Self(Some(network.trunc()))
    }

    /// Returns the pattern for all networks.
    pub fn all() -> Self {
        Self(None)
    }

    pub(super) fn contains(&self, network: IpNet) -> bool {
        self.0.is_none_or(|own| own.contains(&network))
    }
}

impl Pattern for NetworkPattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self::all());
        }
        refuse_wildcard(text, text, "write a network, or \"*\" alone for all")?;
        if let Ok(address) = std::net::IpAddr::from_str(text) {
            let length = IpNet::from(address).max_prefix_len();
            return Err(InvalidPattern::Address(text.to_owned(), length));
        }
        let network =
            IpNet::from_str(text).map_err(|_| InvalidPattern::Network(text.to_owned()))?;
        if network.trunc() != network {
            return Err(InvalidPattern::HostBits {
                text: text.to_owned(),
                network: network.trunc(),
                alone: IpNet::from(network.addr()),
            });
        }
        Ok(Self::one(network))
    }

    fn covers(&self, other: &Self) -> bool {
        other
            .0
            .map_or(self == other, |network| self.contains(network))
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

/// A pattern for the place of a new link on the host. There is no `*`, because each place
/// needs a different trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacePattern(HostPlace);

impl PlacePattern {
    /// Returns the pattern for a place.
    pub fn one(place: HostPlace) -> Self {
        Self(place)
    }
}

impl Pattern for PlacePattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        let mut places = HostPlace::ALL.into_iter();
        let place = places.find(|place| place.name() == text);
        place
            .map(Self)
            .ok_or_else(|| InvalidPattern::Place(text.to_owned()))
    }

    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

impl fmt::Display for PlacePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Defines a pattern for a number, a range, or `*` for all.
macro_rules! numbers {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $type(Option<NumberRange>);

        impl $type {
            /// Returns the pattern for a range.
            pub fn one(numbers: NumberRange) -> Self {
                Self(Some(numbers))
            }

            pub(super) fn contains(&self, numbers: NumberRange) -> bool {
                self.0.is_none_or(|own| own.contains(numbers))
            }
        }

        impl Pattern for $type {
            fn read(text: &str) -> Result<Self, InvalidPattern> {
                if text == "*" {
                    return Ok(Self(None));
                }
                refuse_wildcard(text, text, "write numbers, or \"*\" alone for all")?;
                let plain = text.chars().all(|c| c.is_ascii_digit() || c == '-');
                let numbers = NumberRange::parse(text).filter(|numbers| numbers.last() <= $max);
                numbers
                    .filter(|_| plain)
                    .map(Self::one)
                    .ok_or_else(|| InvalidPattern::Number {
                        text: text.to_owned(),
                        what: $what,
                        max: $max,
                    })
            }

            fn covers(&self, other: &Self) -> bool {
                other.0.map_or(self == other, |numbers| self.contains(numbers))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    Some(numbers) => write!(f, "{numbers}"),
                    None => f.write_str("*"),
                }
            }
        }
    };
}

numbers! {
    /// A pattern for VLAN ids (12 bits): `7`, `10-20`, or `*` for all.
    VlanPattern, "VLAN id", 4094
}

numbers! {
    /// A pattern for VNIs (24 bits): `7`, `10-20`, or `*` for all.
    VniPattern, "VNI", 0x00ff_ffff
}

/// A pattern for routing tables: a number, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePattern(Option<u32>);

impl TablePattern {
    /// Returns the pattern for one table.
    pub fn one(table: u32) -> Self {
        Self(Some(table))
    }

    pub(super) fn matches(&self, table: u32) -> bool {
        self.0.is_none_or(|own| own == table)
    }
}

impl Pattern for TablePattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self(None));
        }
        refuse_wildcard(text, text, "write a number, or \"*\" alone for all")?;
        let number = text.parse();
        number
            .map(Self::one)
            .map_err(|_| InvalidPattern::Table(text.to_owned()))
    }

    fn covers(&self, other: &Self) -> bool {
        other.0.map_or(self == other, |table| self.matches(table))
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

/// A pattern for secrets: a name, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPattern(Option<String>);

impl SecretPattern {
    /// Returns the pattern for one secret.
    pub fn one(name: &str) -> Self {
        Self(Some(name.to_owned()))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|own| own == name)
    }
}

impl Pattern for SecretPattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self(None));
        }
        refuse_wildcard(text, text, ALONE)?;
        if !types::is_secret_name(text) {
            return Err(InvalidPattern::Secret(text.to_owned()));
        }
        Ok(Self::one(text))
    }

    fn covers(&self, other: &Self) -> bool {
        match &other.0 {
            Some(name) => self.matches(name),
            None => self == other,
        }
    }
}

impl fmt::Display for SecretPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("*"))
    }
}

/// A pattern for ports of the host: `8080/tcp`, `8000-8100/udp`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortPattern(Option<Ports>);

/// Consecutive ports of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    first: u16,
    last: u16,
    protocol: Protocol,
}

impl PortPattern {
    /// Returns the pattern for a range of ports.
    pub fn one(ports: &PortRange) -> Self {
        Self(Some(Ports {
            first: ports.first,
            last: ports.last,
            protocol: ports.protocol,
        }))
    }

    pub(super) fn contains(&self, ports: &PortRange) -> bool {
        self.covers(&Self::one(ports))
    }
}

impl Pattern for PortPattern {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self(None));
        }
        refuse_wildcard(text, text, "write ports, or \"*\" alone for all")?;
        match ports(text) {
            Some(ports) if ports.first <= ports.last => Ok(Self(Some(ports))),
            _ => Err(InvalidPattern::Ports(text.to_owned())),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(ports)) => {
                own.protocol == ports.protocol && own.first <= ports.first && ports.last <= own.last
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn wildcard<P: Pattern + fmt::Debug>(text: &str) {
        let read = P::read(text);
        assert!(
            matches!(read, Err(InvalidPattern::Wildcard { .. })),
            "{text}: {read:?}"
        );
    }

    #[test]
    fn the_pattern_for_a_link_can_be_read_whatever_its_name() {
        for name in ["eth0", "odd*", "*"] {
            let pattern = LinkPattern::one(Namespace::Container, name.parse().unwrap());
            assert!(pattern.matches(Namespace::Container, &name.parse().unwrap()));
            assert_eq!(LinkPattern::read(&pattern.to_string()), Ok(pattern));
        }
    }

    #[test]
    fn wildcards_stand_alone_or_for_a_part_of_a_key() {
        for text in ["eth*", "*0", "container:eth*", "**"] {
            wildcard::<LinkPattern>(text);
        }
        for text in ["net.ipv4.conf.eth*.rp_filter", "net.*x"] {
            wildcard::<KeyPattern>(text);
        }
        wildcard::<NetworkPattern>("10.*");
        wildcard::<TablePattern>("1*");
        wildcard::<VlanPattern>("1*");
        wildcard::<SecretPattern>("home-*");
        wildcard::<PortPattern>("*/tcp");
        assert!(KeyPattern::read("net.ipv4.conf.*.rp_filter").is_ok());
        assert!(LinkPattern::read("container:*").is_ok());
    }

    #[test]
    fn addresses_are_no_networks() {
        let says = |text| NetworkPattern::read(text).unwrap_err().to_string();
        assert!(says("192.0.2.7").contains("\"192.0.2.7/32\""));
        assert!(says("2001:db8::1").contains("\"2001:db8::1/128\""));
        let inside = says("10.1.2.3/8");
        assert!(inside.contains("\"10.0.0.0/8\"") && inside.contains("\"10.1.2.3/32\""));
    }

    #[test]
    fn numbers_and_places_are_what_the_kernel_and_the_wit_have() {
        for text in ["0", "7", "10-20", "4094", "*"] {
            assert_eq!(VlanPattern::read(text).unwrap().to_string(), text);
        }
        for text in ["4095", "10-4095", "20-10", "", "x", " 7", "7 - 8"] {
            assert!(VlanPattern::read(text).is_err(), "{text}");
        }
        assert!(VniPattern::read("16777215").is_ok());
        assert!(VniPattern::read("16777216").is_err());
        for text in ["host", "shared"] {
            assert_eq!(PlacePattern::read(text).unwrap().to_string(), text);
        }
        for text in ["*", "container", "Host", ""] {
            let error = PlacePattern::read(text).unwrap_err().to_string();
            assert!(error.contains("needs no place"), "{error}");
        }
    }

    fn covers<P: Pattern>(one: &str, other: &str) -> bool {
        P::read(one).unwrap().covers(&P::read(other).unwrap())
    }

    #[test]
    fn what_covers_what() {
        assert!(covers::<KeyPattern>(
            "net.*.ip_forward",
            "net.ipv4.ip_forward"
        ));
        assert!(covers::<KeyPattern>("net.*.*", "net.ipv4.*"));
        assert!(!covers::<KeyPattern>("net.ipv4.*", "net.*.*"));
        assert!(!covers::<KeyPattern>("net.ipv4.*", "*"));
        assert!(!covers::<KeyPattern>("*", "container:net.ipv4.ip_forward"));
        assert!(covers::<LinkPattern>("*", "eth0"));
        assert!(!covers::<LinkPattern>("*", "container:eth0"));
        assert!(!covers::<LinkPattern>("eth0", "*"));
        assert!(covers::<NetworkPattern>("10.0.0.0/8", "10.1.0.0/16"));
        assert!(!covers::<NetworkPattern>("0.0.0.0/0", "*"));
        assert!(covers::<TablePattern>("*", "7"));
        assert!(covers::<VlanPattern>("*", "10-20"));
        assert!(covers::<VlanPattern>("10-20", "11"));
        assert!(!covers::<VniPattern>("10-20", "*"));
        assert!(!covers::<PlacePattern>("host", "shared"));
        assert!(covers::<PortPattern>("80-90/tcp", "80/tcp"));
        assert!(!covers::<PortPattern>("80-90/tcp", "80/udp"));
        assert!(!covers::<SecretPattern>("a", "*"));
    }
}
