//! Laying changes over the document of `create`, so that what neither the
//! driver nor the host knows comes back to the caller as it was.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Network, ProtocolError};

/// The fields that a driver can't change.
const FIXED: [&str; 3] = ["name", "id", "driver"];

/// The document of `create`: its fields as they came, byte for byte, and the
/// network that they describe.
#[derive(Debug)]
pub struct NetworkDocument {
    fields: BTreeMap<String, Box<RawValue>>,
    network: Network,
}

/// Why a change can't be laid over the document.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// It would change what the network is.
    #[error("the driver wants to change the network's {0:?}, which can't change")]
    Fixed(String),
    /// The patch is no JSON object.
    #[error("the driver returned a merge patch that is not a JSON object: {0}")]
    Patch(serde_json::Error),
    /// The result is no network any more.
    #[error("the network would not be valid after the driver's changes: {0}")]
    Result(serde_json::Error),
}

impl NetworkDocument {
    /// Parses the input of `create`.
    pub fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        let malformed = |error| ProtocolError::Malformed {
            document: "network",
            error,
        };
        Ok(Self {
            network: serde_json::from_slice(json).map_err(malformed)?,
            fields: serde_json::from_slice(json).map_err(malformed)?,
        })
    }

    /// The network that the document describes.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Replaces a field.
    pub fn set(&mut self, field: &str, value: &impl Serialize) -> Result<(), OverlayError> {
        if FIXED.contains(&field) {
            return Err(OverlayError::Fixed(field.to_owned()));
        }
        let value = serde_json::value::to_raw_value(value).map_err(OverlayError::Result)?;
        self.fields.insert(field.to_owned(), value);
        Ok(())
    }

    /// Changes one key of a field that maps strings to strings; `None` takes
    /// the key away.
    pub fn set_key(
        &mut self,
        field: &str,
        key: String,
        value: Option<String>,
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
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
        self.set(field, &map)
    }

    /// Applies a JSON merge patch (RFC 7386).
    pub fn merge(&mut self, patch: &str) -> Result<(), OverlayError> {
        let patch: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(patch).map_err(OverlayError::Patch)?;
        for (field, change) in patch {
            if FIXED.contains(&field.as_str()) {
                return Err(OverlayError::Fixed(field));
            }
            if change.is_null() {
                self.fields.remove(&field);
                continue;
            }
            let mut value = self
                .fields
                .get(&field)
                .map(|raw| serde_json::from_str(raw.get()))
                .transpose()
                .map_err(OverlayError::Result)?
                .unwrap_or(serde_json::Value::Null);
            merge_value(&mut value, change);
            self.set(&field, &value)?;
        }
        Ok(())
    }

    /// The document as JSON, checked to be a network still.
    pub fn into_json(self) -> Result<String, OverlayError> {
        let json = serde_json::to_string(&self.fields).map_err(OverlayError::Result)?;
        serde_json::from_str::<Network>(&json).map_err(OverlayError::Result)?;
        Ok(json)
    }
}

/// The function `MergePatch` of RFC 7386, section 2.
fn merge_value(target: &mut serde_json::Value, patch: serde_json::Value) {
    use serde_json::Value;
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge_value(fields.entry(key).or_insert(Value::Null), value);
        }
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

    #[test]
    fn unknown_fields_come_back_byte_for_byte() {
        let json = document().into_json().unwrap();
        assert!(json.contains(r#""big":1e400"#), "{json}");
        assert!(json.contains(r#"{"subnet":"10.0.0.0/24","new":[1.50]}"#));
        assert!(json.contains(r#""options":null"#));
    }

    #[test]
    fn options_are_set_and_taken_away() {
        let mut document = document();
        document
            .set_key("options", "a".into(), Some("1".into()))
            .unwrap();
        document
            .set_key("options", "b".into(), Some("2".into()))
            .unwrap();
        document.set_key("options", "a".into(), None).unwrap();
        assert!(
            document
                .into_json()
                .unwrap()
                .contains(r#""options":{"b":"2"}"#)
        );
    }

    #[test]
    fn a_merge_patch_reaches_nested_fields_only() {
        let mut document = document();
        document
            .merge(r#"{"nested":{"a":{"b":null,"d":3}},"big":null}"#)
            .unwrap();
        let json = document.into_json().unwrap();
        assert!(json.contains(r#""nested":{"a":{"c":2,"d":3}}"#), "{json}");
        assert!(!json.contains("big"));
    }

    #[test]
    fn the_identity_of_a_network_can_not_change() {
        for field in FIXED {
            let patch = format!(r#"{{"{field}":"x"}}"#);
            assert!(matches!(
                document().merge(&patch),
                Err(OverlayError::Fixed(_))
            ));
            assert!(document().set(field, &"x").is_err());
        }
    }

    #[test]
    fn a_change_that_breaks_the_document_is_refused() {
        let mut document = document();
        document.set("subnets", &"none").unwrap();
        assert!(matches!(document.into_json(), Err(OverlayError::Result(_))));
    }
}
