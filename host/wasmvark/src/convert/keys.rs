//! The keys of a JSON object, taken one by one.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ConvertError;

/// An object whose keys are taken. The remaining keys are unknown. Names are compared
/// regardless of case, as Go's decoder does for CNI.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// The keys above the object, for messages, as `ipam.`.
    prefix: String,
    left: Map<String, Value>,
}

impl Keys {
    /// Returns the keys of an object. `prefix` has the keys above it, as `ipam.`.
    pub(super) fn new(prefix: &str, object: Map<String, Value>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            left: object,
        }
    }

    /// Takes a value. Returns `None` if it is missing or `null`.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, ConvertError> {
        let Some(value) = self.remove(key) else {
            return Ok(None);
        };
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| self.wrong(key, &error.to_string()))
    }

    /// Takes a value. Returns the type's default if it is missing, as in Go.
    pub(super) fn take_or_default<T: DeserializeOwned + Default>(
        &mut self,
        key: &str,
    ) -> Result<T, ConvertError> {
        Ok(self.take(key)?.unwrap_or_default())
    }

    /// Takes a boolean. It is false if missing.
    pub(super) fn flag(&mut self, key: &str) -> Result<bool, ConvertError> {
        self.take_or_default(key)
    }

    /// Takes an object.
    pub(super) fn object(&mut self, key: &str) -> Result<Self, ConvertError> {
        let object: Map<String, Value> = self.take_or_default(key)?;
        Ok(Self::new(&format!("{}{key}.", self.prefix), object))
    }

    /// Takes a list of objects.
    pub(super) fn objects(&mut self, key: &str) -> Result<Vec<Self>, ConvertError> {
        let objects: Vec<Map<String, Value>> = self.take_or_default(key)?;
        let named = |(at, object)| Self::new(&format!("{}{key}[{at}].", self.prefix), object);
        Ok(objects.into_iter().enumerate().map(named).collect())
    }

    /// Takes keys that have no effect on the network.
    pub(super) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.remove(key);
        }
    }

    /// Returns an error about a key's value.
    pub(super) fn wrong(&self, key: &str, error: &str) -> ConvertError {
        ConvertError::Value {
            key: format!("{}{key}", self.prefix),
            error: error.to_owned(),
        }
    }

    /// Returns a key with those above it, for messages.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Returns the remaining keys, with those above them.
    pub(super) fn left(&self) -> impl Iterator<Item = String> {
        let known = self.left.iter().filter(|(_, value)| !value.is_null());
        known.map(|(key, _)| self.path(key))
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let mut names = self.left.keys();
        let name = names.find(|name| name.eq_ignore_ascii_case(key))?.clone();
        self.left.remove(&name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(json: &str) -> Keys {
        Keys::new("", serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_nobody_takes_is_left() {
        let mut keys = keys(r#"{"a": 1, "B": true, "c": null, "d": {"e": 2}}"#);
        assert_eq!(keys.take::<u32>("a").unwrap(), Some(1));
        assert!(keys.take_or_default::<bool>("b").unwrap());
        assert!(!keys.take_or_default::<bool>("missing").unwrap());
        let inner = keys.object("d").unwrap();
        assert_eq!(inner.left().collect::<Vec<_>>(), ["d.e"]);
        assert_eq!(keys.left().count(), 0);
    }

    #[test]
    fn a_wrong_type_is_an_error_that_names_the_key() {
        let mut keys = keys(r#"{"d": [{"mtu": "1400"}]}"#);
        let mut inner = keys.objects("d").unwrap();
        let error = inner[0].take::<u32>("mtu").unwrap_err().to_string();
        assert!(error.starts_with("d[0].mtu: invalid type"), "{error}");
    }
}
