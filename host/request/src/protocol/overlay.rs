//! A driver's changes, laid over the document of `create`. The caller gets all other
//! fields back as they were, even if the host doesn't know them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::network_change::{DocumentChange, known_as};
use super::unique::UniqueMap;
use super::{Network, ProtocolError};

/// The document of `create`: its fields, byte for byte, and the network that they
/// describe.
#[derive(Debug, Clone)]
pub struct NetworkDocument {
    fields: BTreeMap<String, Box<RawValue>>,
    network: Network,
}

/// Why a change can't be made to the document.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// No driver can change this field.
    #[error("the driver wants to change the network's field {0:?}, which no driver can change")]
    Fixed(String),
    /// Networks have no such field.
    #[error("the driver wants to change {0:?}, but a network has no field of that name")]
    Unknown(String),
    /// Another reader would take the key for a field.
    #[error(
        "the driver wants to change {field:?}, which Podman would take for {known:?}: only a field's \
         own name can be changed"
    )]
    Alias {
        /// The key.
        field: String,
        /// The field's own name.
        known: &'static str,
    },
    /// The value has a wrong type.
    #[error("the driver gives the network's field {field:?} a value that it can't have: {error}")]
    Value {
        /// The field.
        field: String,
        /// The parser's error.
        error: serde_json::Error,
    },
    /// An item has unknown keys.
    #[error("the driver gives items of the network's field {0:?} keys that such items don't have")]
    Extra(String),
    /// The patch isn't JSON.
    #[error("the driver returned a merge patch that can't be read: {0}")]
    Patch(serde_json::Error),
    /// The patch isn't an object.
    #[error("the driver returned a merge patch that is not a JSON object")]
    NoObject,
    /// The changed document isn't a network.
    #[error("the network would not be valid after the driver's changes: {0}")]
    Result(serde_json::Error),
}

impl NetworkDocument {
    /// Parses the input of `create`. It is an error if a key is there twice, or if another
    /// reader would take it for a field, because the user's meaning isn't known.
    pub(super) fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        let malformed = |error| ProtocolError::Malformed {
            document: "network",
            error,
        };
        let network = serde_json::from_slice(json).map_err(malformed)?;
        let UniqueMap(fields) = serde_json::from_slice(json).map_err(malformed)?;
        for key in fields.keys() {
            if let Some(known) = known_as(key).filter(|known| known != key) {
                let key = key.clone();
                return Err(ProtocolError::Alias { key, known });
            }
        }
        Ok(Self { fields, network })
    }

    /// Returns the network that the unchanged document describes.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Makes a change.
    pub fn apply(&mut self, change: &DocumentChange) -> Result<(), OverlayError> {
        match change {
            DocumentChange::NetworkInterface(name) => self.set("network_interface", name.as_ref()),
            DocumentChange::DnsEnabled(on) => self.set("dns_enabled", Some(on)),
            DocumentChange::Ipv6Enabled(on) => self.set("ipv6_enabled", Some(on)),
            DocumentChange::IpamDriver(name) => self.set_key("ipam_options", "driver", name),
            DocumentChange::Option(key, value) => self.set_key("options", key, value),
            DocumentChange::Label(key, value) => self.set_key("labels", key, value),
            DocumentChange::Subnets(subnets) => self.set("subnets", Some(subnets)),
            DocumentChange::Routes(routes) => self.set("routes", Some(routes)),
            DocumentChange::NameServers(servers) => self.set("network_dns_servers", Some(servers)),
        }
    }

    /// Replaces or removes a field.
    fn set<T: Serialize>(&mut self, field: &str, value: Option<&T>) -> Result<(), OverlayError> {
        let Some(value) = value else {
            self.fields.remove(field);
            return Ok(());
        };
        let value = serde_json::value::to_raw_value(value).map_err(OverlayError::Result)?;
        self.fields.insert(field.to_owned(), value);
        Ok(())
    }

    /// Changes one key of a field that maps strings to strings.
    fn set_key(
        &mut self,
        field: &str,
        key: &str,
        value: &Option<String>,
    ) -> Result<(), OverlayError> {
        let mut map: BTreeMap<String, String> = self
            .fields
            .get(field)
            .map(|raw| serde_json::from_str::<Option<_>>(raw.get()))
            .transpose()
            .map_err(OverlayError::Result)?
            .flatten()
            .unwrap_or_default();
        match value {
            Some(value) => map.insert(key.to_owned(), value.clone()),
            None => map.remove(key),
        };
        self.set(field, Some(&map))
    }

    /// Returns the network that the changed document describes.
    pub fn changed(&self) -> Result<Network, OverlayError> {
        serde_json::from_str(&self.json()?).map_err(OverlayError::Result)
    }

    /// Returns the changed document as JSON.
    pub fn json(&self) -> Result<String, OverlayError> {
        serde_json::to_string(&self.fields).map_err(OverlayError::Result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"name":"n","id":"i","driver":"d","options":null,"big":1e400,
        "nested":{"a":{"b":1,"c":2}},"subnets":[{"subnet":"10.0.0.0/24","new":[1.50]}]}"#;

    fn document() -> NetworkDocument {
        NetworkDocument::parse(DOCUMENT.as_bytes()).unwrap()
    }

    fn option(key: &str, value: Option<&str>) -> DocumentChange {
        DocumentChange::Option(key.to_owned(), value.map(str::to_owned))
    }

    #[test]
    fn unknown_fields_come_back_byte_for_byte() {
        let json = document().json().unwrap();
        assert!(json.contains(r#""big":1e400"#), "{json}");
        assert!(json.contains(r#"{"subnet":"10.0.0.0/24","new":[1.50]}"#));
        assert!(json.contains(r#""options":null"#));
    }

    #[test]
    fn options_are_set_and_taken_away() {
        let mut document = document();
        for change in [
            option("a", Some("1")),
            option("b", Some("2")),
            option("a", None),
        ] {
            document.apply(&change).unwrap();
        }
        let json = document.json().unwrap();
        assert!(json.contains(r#""options":{"b":"2"}"#), "{json}");
        assert_eq!(document.changed().unwrap().options["b"], "2");
        assert!(document.network().options.is_empty());
    }

    #[test]
    fn a_patch_leaves_what_it_does_not_name() {
        let mut document = document();
        let patch = r#"{"labels":{"a":"1"},"subnets":[{"subnet":"10.1.0.0/24"}]}"#;
        for change in DocumentChange::of_patch(patch).unwrap() {
            document.apply(&change).unwrap();
        }
        let json = document.json().unwrap();
        assert!(json.contains(r#""labels":{"a":"1"}"#), "{json}");
        assert!(json.contains(r#""nested":{"a":{"b":1,"c":2}}"#), "{json}");
        let subnets = document.changed().unwrap().subnets;
        assert_eq!(subnets[0].subnet.to_string(), "10.1.0.0/24");
    }

    #[test]
    fn a_document_that_others_read_differently_is_refused() {
        for extra in [
            r#""Subnets":[]"#,
            r#""\u017fubnets":[]"#,
            r#""name":"m""#,
            r#""big":1,"big":2"#,
        ] {
            let text = format!(r#"{{"name":"n","id":"i","driver":"d",{extra}}}"#);
            assert!(NetworkDocument::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_change_that_breaks_the_document_is_refused() {
        let mut document =
            NetworkDocument::parse(br#"{"name":"n","id":"i","driver":"d","labels":{"a":1}}"#)
                .unwrap();
        let label = DocumentChange::Label("b".to_owned(), Some("c".to_owned()));
        assert!(matches!(
            document.apply(&label),
            Err(OverlayError::Result(_))
        ));
    }
}
