//! The parts that manifests of drivers have in common: options that every driver can
//! offer, and the calls that they need. A manifest names them under `behaviours`, and gets
//! them before it's put into a component.

use toml::map::Entry;
use toml::{Table, Value};

/// The key with the names of the parts.
const KEY: &str = "behaviours";

/// The parts by their names.
const PARTS: [(&str, &str); 8] = [
    ("announce", include_str!("../parts/announce.toml")),
    ("filter", include_str!("../parts/filter.toml")),
    (
        "filter-in-container",
        include_str!("../parts/filter-in-container.toml"),
    ),
    ("rates", include_str!("../parts/rates.toml")),
    (
        "router-advertisements",
        include_str!("../parts/router-advertisements.toml"),
    ),
    (
        "source-routing",
        include_str!("../parts/source-routing.toml"),
    ),
    ("tuning", include_str!("../parts/tuning.toml")),
    ("waiting", include_str!("../parts/waiting.toml")),
];

/// Why a manifest can't get its parts.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// The manifest, or a part, is no TOML.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// The manifest with its parts can't be written.
    #[error(transparent)]
    Write(#[from] toml::ser::Error),
    /// The value isn't a list of names.
    #[error("{KEY} is a list of names in quotation marks")]
    NoList,
    /// There is no such part.
    #[error("there are no {KEY} {name:?}; those that there are: {known}", known = names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The manifest has something else where a part has a list or a table.
    #[error("{0} is of another kind than in a part of {KEY}")]
    OtherKind(String),
}

/// Returns a manifest with the parts that it names. Their options come after its own. A
/// call that both have is as the manifest has it. A manifest that names none stays as it
/// is.
///
/// # Errors
///
/// The manifest is no TOML, or names a part that there isn't.
pub fn with_parts(manifest: &str) -> Result<String, PartsError> {
    let mut table: Table = manifest.parse()?;
    let Some(named) = table.remove(KEY) else {
        return Ok(manifest.to_owned());
    };
    for name in named.as_array().ok_or(PartsError::NoList)? {
        let name = name.as_str().ok_or(PartsError::NoList)?;
        merge(&mut table, part(name)?)?;
    }
    Ok(toml::to_string(&table)?)
}

fn part(name: &str) -> Result<Table, PartsError> {
    let mut parts = PARTS.iter();
    let found = parts.find(|(part, _)| *part == name);
    let (_, text) = found.ok_or_else(|| PartsError::Unknown {
        name: name.to_owned(),
    })?;
    Ok(text.parse()?)
}

fn names() -> String {
    PARTS.map(|(name, _)| name).join(", ")
}

/// Adds what a table lacks: the items of its lists, and the keys of its tables.
fn merge(table: &mut Table, part: Table) -> Result<(), PartsError> {
    for (key, value) in part {
        match table.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => match (entry.get_mut(), value) {
                (Value::Array(all), Value::Array(more)) => all.extend(more),
                (Value::Table(all), Value::Table(more)) => {
                    for (name, value) in more {
                        all.entry(name).or_insert(value);
                    }
                }
                _ => return Err(PartsError::OtherKind(entry.key().clone())),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_whole() {
        for (name, _) in PARTS {
            let part = part(name).unwrap();
            assert!(part.contains_key("options"), "{name}");
        }
    }

    #[test]
    fn parts_come_behind_the_manifests_own() {
        let manifest = "name = \"n\"\nbehaviours = [\"waiting\", \"announce\"]\n\
            [[options]]\nname = \"mine\"\n[calls]\n\"addresses.wait-dad\" = { reason = \"mine\" }";
        let whole: Table = with_parts(manifest).unwrap().parse().unwrap();
        let options = whole["options"].as_array().unwrap().iter();
        let options: Vec<_> = options.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(options, ["mine", "wait_dad", "announce"]);
        let calls = whole["calls"].as_table().unwrap();
        assert_eq!(calls["addresses.wait-dad"]["reason"].as_str(), Some("mine"));
        assert!(calls.contains_key("sysctl.set-arp-notify"), "{calls:?}");
        assert!(!whole.contains_key(KEY));
    }

    #[test]
    fn a_manifest_without_parts_stays_as_it_is() {
        let manifest = "# A comment.\nname   = \"n\"";
        assert_eq!(with_parts(manifest).unwrap(), manifest);
    }

    #[test]
    fn mistakes_are_named() {
        for (manifest, why) in [
            (
                "behaviours = [\"rate\"]",
                "no behaviours \"rate\"; those that there are: announce,",
            ),
            ("behaviours = \"rates\"", "a list of names"),
            ("behaviours = [1]", "a list of names"),
            (
                "behaviours = [\"rates\"]\ncalls = 1",
                "calls is of another kind",
            ),
            ("behaviours = [", "TOML parse error"),
        ] {
            let error = with_parts(manifest).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
