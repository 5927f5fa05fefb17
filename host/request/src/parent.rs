//! The parent of a network, as the request names it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use types::{LinkName, LinkProperty};

use super::{Given, RequestError, link_name};

/// The option for the parent's name.
const NAME: &str = "parent";
/// The options for the parent's properties. CNI's host-device has the same names, except
/// for `pciBusID`.
const MAC: &str = "hwaddr";
const PCI: &str = "pci";
const PATH: &str = "kernelpath";

/// A parent, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// The parent's name.
    Name(LinkName),
    /// A property of the parent.
    With(LinkProperty),
}

impl Parent {
    /// Returns the parent's name, if the request names it by that.
    pub fn name(&self) -> Option<&LinkName> {
        match self {
            Self::Name(name) => Some(name),
            Self::With(_) => None,
        }
    }

    /// Returns the parent's property, if the request names it by one.
    pub fn property(&self) -> Option<&LinkProperty> {
        match self {
            Self::Name(_) => None,
            Self::With(property) => Some(property),
        }
    }

    /// Parses the parent of a network. The network's `interface` goes before the option
    /// `parent`. Empty options name nothing.
    pub(super) fn resolve(
        interface: Option<&str>,
        options: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, RequestError> {
        let interface = interface.filter(|name| !name.is_empty());
        let name = interface.or_else(|| given(options, NAME));
        let name = name.map(|name| link_name::parse("the parent interface", name));
        match (name.transpose()?, property(options)?) {
            (Some(_), Some(_)) => Err(RequestError::SeveralParents),
            (Some(name), None) => Ok(Some(Self::Name(name))),
            (None, property) => Ok(property.map(Self::With)),
        }
    }
}

/// Parses the options for a parent's properties.
pub(super) fn property(
    options: &BTreeMap<String, String>,
) -> Result<Option<LinkProperty>, RequestError> {
    let mac = parse(options, MAC)?.map(LinkProperty::Mac);
    let pci = parse(options, PCI)?.map(LinkProperty::Pci);
    let path = parse(options, PATH)?.map(LinkProperty::Path);
    let mut named = [mac, pci, path].into_iter().flatten();
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(RequestError::SeveralParents),
        (property, None) => Ok(property),
    }
}

fn given<'a>(options: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    let value = options.get(key).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

fn parse<T: FromStr<Err: Display>>(
    options: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<T>, RequestError> {
    let parsed = given(options, key).map(str::parse).transpose();
    parsed.map_err(|error: T::Err| RequestError::Option {
        key,
        error: error.to_string(),
        given: Given::Network,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(interface: Option<&str>, options: &[(&str, &str)]) -> String {
        let options = options.iter();
        let options = options.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        match Parent::resolve(interface, &options.collect()) {
            Ok(None) => "none".to_owned(),
            Ok(Some(Parent::Name(name))) => name.to_string(),
            Ok(Some(Parent::With(property))) => property.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_parent_is_named_in_one_way() {
        let mac = ("hwaddr", "AA:bb:cc:dd:ee:01");
        let pci = ("pci", "00:1f.6");
        let path = ("kernelpath", "/sys/devices/pci0000:00/0000:00:1f.6");
        assert_eq!(resolve(None, &[]), "none");
        assert_eq!(resolve(Some(""), &[("parent", ""), ("pci", "")]), "none");
        assert_eq!(resolve(Some("eth1"), &[("parent", "eth2")]), "eth1");
        assert_eq!(resolve(None, &[("parent", "eth2")]), "eth2");
        assert_eq!(resolve(None, &[mac]), "the MAC address aa:bb:cc:dd:ee:01");
        assert_eq!(resolve(None, &[pci]), "the PCI address 0000:00:1f.6");
        assert_eq!(resolve(None, &[path]), format!("the device {}", path.1));
        let several = RequestError::SeveralParents.to_string();
        assert_eq!(resolve(Some("eth1"), &[mac]), several);
        assert_eq!(resolve(None, &[("parent", "eth1"), pci]), several);
        assert_eq!(resolve(None, &[mac, path]), several);
    }

    #[test]
    fn mistakes_name_the_option() {
        for (key, value) in [
            ("hwaddr", "aa:bb"),
            ("pci", "eth1"),
            ("kernelpath", "/sys/class/net/eth1"),
        ] {
            let error = resolve(None, &[(key, value)]);
            let start = format!("unable to parse {key:?}: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
