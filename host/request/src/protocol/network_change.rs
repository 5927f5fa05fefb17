//! The changes that a driver can make to the document of `create`, field by field. A
//! field without a variant can't be changed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::unique::Unique;
use super::{OverlayError, Route, Subnet};

/// The fields of a network, as netavark's and Podman's types name them.
pub(super) const FIELDS: [&str; 14] = [
    "name",
    "id",
    "driver",
    "network_interface",
    "created",
    "subnets",
    "routes",
    "ipv6_enabled",
    "internal",
    "dns_enabled",
    "network_dns_servers",
    "labels",
    "options",
    "ipam_options",
];

/// The keys of a subnet.
const SUBNET: [&str; 3] = ["subnet", "gateway", "lease_range"];
/// The keys of a route.
const ROUTE: [&str; 4] = ["destination", "gateway", "metric", "route_type"];

/// A change of a network's document. `None` removes a value.
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentChange {
    /// `network_interface`: the name of the network's parent.
    NetworkInterface(Option<String>),
    /// `dns_enabled`: name resolution.
    DnsEnabled(bool),
    /// `ipv6_enabled`: IPv6.
    Ipv6Enabled(bool),
    /// `ipam_options.driver`: the ipam driver.
    IpamDriver(Option<String>),
    /// One of `options`.
    Option(String, Option<String>),
    /// One of `labels`.
    Label(String, Option<String>),
    /// All `subnets`.
    Subnets(Vec<Subnet>),
    /// All `routes`.
    Routes(Vec<Route>),
    /// All `network_dns_servers`.
    NameServers(Vec<IpAddr>),
}

impl DocumentChange {
    /// Parses a merge patch (RFC 7386).
    pub fn of_patch(patch: &str) -> Result<Vec<Self>, OverlayError> {
        let Unique(patch) = serde_json::from_str(patch).map_err(OverlayError::Patch)?;
        let Value::Object(fields) = patch else {
            return Err(OverlayError::NoObject);
        };
        let mut changes = Vec::new();
        for (field, value) in fields {
            changes.extend(of_field(&field, value)?);
        }
        Ok(changes)
    }
}

fn of_field(field: &str, value: Value) -> Result<Vec<DocumentChange>, OverlayError> {
    let one = |change| Ok(vec![change]);
    match field {
        "network_interface" => one(DocumentChange::NetworkInterface(read(field, value)?)),
        "dns_enabled" => one(DocumentChange::DnsEnabled(read(field, value)?)),
        "ipv6_enabled" => one(DocumentChange::Ipv6Enabled(read(field, value)?)),
        "subnets" => one(DocumentChange::Subnets(read_list(field, value, &SUBNET)?)),
        "routes" => one(DocumentChange::Routes(read_list(field, value, &ROUTE)?)),
        "network_dns_servers" => one(DocumentChange::NameServers(read_list(field, value, &[])?)),
        "options" => read_texts(field, value, DocumentChange::Option),
        "labels" => read_texts(field, value, DocumentChange::Label),
        "ipam_options" => read_ipam(field, value),
        _ => Err(unchangeable(field)),
    }
}

/// Returns the error for a field that a driver can't change.
fn unchangeable(field: &str) -> OverlayError {
    let field = field.to_owned();
    match known_as(&field) {
        None => OverlayError::Unknown(field),
        Some(known) if known == field => OverlayError::Fixed(field),
        Some(known) => OverlayError::Alias { field, known },
    }
}

/// Returns the field that Go's decoder takes a key for. The decoder compares as
/// `strings.EqualFold`, which ignores case and takes U+017F for `s` and U+212A for `k`.
pub(super) fn known_as(key: &str) -> Option<&'static str> {
    let folded: String = key
        .chars()
        .map(|letter| match letter {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            letter => letter.to_ascii_lowercase(),
        })
        .collect();
    FIELDS.into_iter().find(|known| *known == folded)
}

fn read<T: DeserializeOwned>(field: &str, value: Value) -> Result<T, OverlayError> {
    serde_json::from_value(value).map_err(|error| OverlayError::Value {
        field: field.to_owned(),
        error,
    })
}

/// Reads a list. `null` is an empty one. Unknown keys of an item are errors, because
/// another reader could know them.
fn read_list<T: DeserializeOwned>(
    field: &str,
    value: Value,
    keys: &[&str],
) -> Result<Vec<T>, OverlayError> {
    let given: Vec<Value> = read::<Option<_>>(field, value)?.unwrap_or_default();
    let has_only = |item: &Value, keys: &[&str]| {
        let mut given = item.as_object().into_iter().flat_map(|item| item.keys());
        given.all(|key| keys.contains(&key.as_str()))
    };
    let mut list = Vec::new();
    for item in given {
        let lease_range = item.get("lease_range").unwrap_or(&Value::Null);
        if !has_only(&item, keys) || !has_only(lease_range, &["start_ip", "end_ip"]) {
            return Err(OverlayError::Extra(field.to_owned()));
        }
        list.push(read(field, item)?);
    }
    Ok(list)
}

fn read_texts(
    field: &str,
    value: Value,
    change: impl Fn(String, Option<String>) -> DocumentChange,
) -> Result<Vec<DocumentChange>, OverlayError> {
    let texts: BTreeMap<String, Option<String>> = read(field, value)?;
    let texts = texts.into_iter();
    Ok(texts.map(|(key, value)| change(key, value)).collect())
}

fn read_ipam(field: &str, value: Value) -> Result<Vec<DocumentChange>, OverlayError> {
    let options: BTreeMap<String, Option<String>> = read(field, value)?;
    let change = |(key, value): (String, Option<String>)| match &*key {
        "driver" => Ok(DocumentChange::IpamDriver(value)),
        _ => Err(OverlayError::Unknown(format!("{field}.{key}"))),
    };
    options.into_iter().map(change).collect()
}

impl fmt::Display for DocumentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| match value {
            Some(value) => format!("set to {value:?}"),
            None => "removed".to_owned(),
        };
        match self {
            Self::NetworkInterface(name) => write!(f, "network_interface {}", text(name)),
            Self::DnsEnabled(on) => write!(f, "dns_enabled set to {on}"),
            Self::Ipv6Enabled(on) => write!(f, "ipv6_enabled set to {on}"),
            Self::IpamDriver(name) => write!(f, "ipam driver {}", text(name)),
            Self::Option(key, value) => write!(f, "option {key:?} {}", text(value)),
            Self::Label(key, value) => write!(f, "label {key:?} {}", text(value)),
            Self::Subnets(subnets) => {
                let subnets: Vec<_> = subnets.iter().map(|it| it.subnet.to_string()).collect();
                write!(f, "subnets set to [{}]", subnets.join(", "))
            }
            Self::Routes(routes) => {
                let routes: Vec<_> = routes.iter().map(|it| it.destination.to_string()).collect();
                write!(f, "routes set to [{}]", routes.join(", "))
            }
            Self::NameServers(servers) => {
                let servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
                write!(f, "network_dns_servers set to [{}]", servers.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(patch: &str) -> String {
        match DocumentChange::of_patch(patch) {
            Err(error) => error.to_string(),
            Ok(changes) => panic!("{patch} is taken as {changes:?}"),
        }
    }

    #[test]
    fn a_patch_becomes_changes_of_known_fields() {
        let patch = r#"{"options":{"a":"1","b":null},"labels":{"c":"2"},"dns_enabled":false,
            "ipam_options":{"driver":"none"},"network_interface":null,"routes":null,
            "subnets":[{"subnet":"10.0.0.0/24","lease_range":{"start_ip":"10.0.0.9"}}]}"#;
        let changes = DocumentChange::of_patch(patch).unwrap();
        let words: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "dns_enabled set to false",
                "ipam driver set to \"none\"",
                "label \"c\" set to \"2\"",
                "network_interface removed",
                "option \"a\" set to \"1\"",
                "option \"b\" removed",
                "routes set to []",
                "subnets set to [10.0.0.0/24]",
            ]
        );
    }

    #[test]
    fn what_another_reader_would_take_for_a_field_is_refused() {
        for alias in [
            "Subnets",
            "SUBNETS",
            "\u{17f}ubnets",
            "Network_Interface",
            "networ\u{212a}_interface",
            "\\u017fubnets",
            "Name",
        ] {
            let error = refused(&format!(r#"{{"{alias}":null}}"#));
            assert!(error.contains("would take for"), "{error}");
        }
    }

    #[test]
    fn fields_that_no_driver_can_change_are_refused() {
        for field in ["name", "id", "driver", "created", "internal"] {
            let error = refused(&format!(r#"{{"{field}":"x"}}"#));
            assert!(error.contains("no driver can change"), "{error}");
        }
        assert!(refused(r#"{"tomorrow":1}"#).contains("no field"));
        assert!(refused(r#"{"ipam_options":{"Driver":"x"}}"#).contains("ipam_options.Driver"));
    }

    #[test]
    fn nested_keys_and_types_are_checked() {
        for patch in [
            r#"{"subnets":[{"subnet":"10.0.0.0/24","Gateway":"10.0.0.1"}]}"#,
            r#"{"subnets":[{"subnet":"10.0.0.0/24","lease_range":{"Start_IP":"10.0.0.1"}}]}"#,
            r#"{"routes":[{"destination":"10.0.0.0/24","gateway":"10.0.0.1","x":1}]}"#,
        ] {
            assert!(refused(patch).contains("keys that such items"), "{patch}");
        }
        for patch in [
            r#"{"subnets":"10.0.0.0/24"}"#,
            r#"{"subnets":[{}]}"#,
            r#"{"options":{"a":1}}"#,
            r#"{"options":null}"#,
            r#"{"dns_enabled":null}"#,
            r#"{"network_interface":["a"]}"#,
        ] {
            assert!(
                refused(patch).contains("a value that it can't have"),
                "{patch}"
            );
        }
        assert!(refused("[]").contains("not a JSON object"));
        assert!(refused(r#"{"options":{"a":"1","a":"2"}}"#).contains("twice"));
    }
}
