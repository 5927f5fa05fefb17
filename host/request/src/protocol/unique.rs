//! JSON whose objects have each key once. If a key had two values, netavark and Podman
//! could take different ones.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A value in which no object has a key twice, at any depth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unique(pub(super) Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let entries: BTreeMap<String, Unique> = unique_entries(entries)?;
        let entries = entries.into_iter().map(|(key, Unique(value))| (key, value));
        Ok(Value::Object(entries.collect()))
    }
}

/// An object whose own keys are unique. Those of nested objects aren't checked.
pub(super) struct UniqueMap<T>(pub(super) BTreeMap<String, T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for UniqueMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                unique_entries(entries)
            }
        }
        let entries = deserializer.deserialize_map(Entries(std::marker::PhantomData))?;
        Ok(Self(entries))
    }
}

fn unique_entries<'de, A, T>(mut entries: A) -> Result<BTreeMap<String, T>, A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    let mut map = BTreeMap::new();
    while let Some((key, value)) = entries.next_entry::<String, T>()? {
        if map.contains_key(&key) {
            return Err(Error::custom(format!("the key {key:?} is there twice")));
        }
        map.insert(key, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused_at_any_depth() {
        let reads = |text| serde_json::from_str::<Unique>(text);
        assert!(reads(r#"{"a":1,"b":[{"a":null}],"c":{"a":1.5,"d":-2}}"#).is_ok());
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":[{"a":1,"\u0061":2}]}"#,
            r#"{"b":{"c":{"a":1,"a":2}}}"#,
        ] {
            let error = reads(twice).unwrap_err().to_string();
            assert!(error.contains("\"a\" is there twice"), "{error}");
        }
    }
}
