//! The manifests of drivers.

use std::collections::BTreeSet;

use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The key with the names of the shared parts of a manifest.
const SHARED: &str = "shared";
/// The key with the reason for all calls that a driver imports, where they have the
/// same one.
const EVERY_CALL: &str = "every-call";
const CALLS: &str = "calls";

/// Reads a driver's manifest, and adds the shared parts that it names. They are in
/// `folder`. Shared options come after the driver's own. If both have a call, the
/// driver's line counts. `imported` are the driver's calls.
pub(crate) fn read(source: &Path, folder: &Path, imported: &BTreeSet<String>) -> Result<String> {
    let path = source.join("manifest.toml");
    let text = read_text(&path)?;
    let mut manifest: Table = text.parse().with_context(|| path.display().to_string())?;
    let (shared, reason) = (manifest.remove(SHARED), manifest.remove(EVERY_CALL));
    if shared.is_none() && reason.is_none() {
        return Ok(text);
    }
    for name in shared.iter().filter_map(Value::as_array).flatten() {
        let name = name.as_str().context("`shared` is a list of names")?;
        let path = folder.join(name).with_extension("toml");
        let part: Table = read_text(&path)?
            .parse()
            .with_context(|| path.display().to_string())?;
        merge(&mut manifest, part)?;
    }
    if let Some(reason) = reason {
        let calls = imported.iter().map(|call| (call.clone(), wish(&reason)));
        let part = [(CALLS.to_owned(), Value::Table(calls.collect()))];
        merge(&mut manifest, part.into_iter().collect())?;
    }
    Ok(toml::to_string(&manifest)?)
}

/// What a manifest says of a call.
fn wish(reason: &Value) -> Value {
    Value::Table(
        [("reason".to_owned(), reason.clone())]
            .into_iter()
            .collect(),
    )
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
}

fn merge(manifest: &mut Table, part: Table) -> Result<()> {
    for (key, value) in part {
        let empty = match value {
            Value::Array(_) => Value::Array(Vec::new()),
            _ => Value::Table(Table::new()),
        };
        match (manifest.entry(key.clone()).or_insert(empty), value) {
            (Value::Array(all), Value::Array(more)) => all.extend(more),
            (Value::Table(all), Value::Table(more)) => {
                for (name, value) in more {
                    all.entry(name).or_insert(value);
                }
            }
            _ => bail!("{key:?} is of two kinds"),
        }
    }
    Ok(())
}

/// Checks that a manifest wants exactly the imported calls.
pub(crate) fn check(manifest: &str, imported: &BTreeSet<String>) -> Result<()> {
    let table: Table = manifest.parse().context("manifest.toml")?;
    let calls = table.get(CALLS).and_then(Value::as_table);
    let asked: BTreeSet<String> = calls.into_iter().flat_map(Table::keys).cloned().collect();
    differ(
        &asked,
        imported,
        "manifest.toml asks for calls that aren't imported",
    )?;
    differ(
        imported,
        &asked,
        "manifest.toml doesn't ask for calls that are imported",
    )
}

fn differ(these: &BTreeSet<String>, those: &BTreeSet<String>, problem: &str) -> Result<()> {
    let extra: Vec<_> = these.difference(those).map(String::as_str).collect();
    if extra.is_empty() {
        return Ok(());
    }
    bail!("{problem}: {}", extra.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_comes_behind_the_drivers_own() {
        let mut manifest: Table = "name = \"n\"\n[[options]]\nname = \"a\"\n[calls]\n\
             \"links.get\" = { reason = \"mine\" }"
            .parse()
            .unwrap();
        let part = "[[options]]\nname = \"b\"\n[calls]\n\"links.get\" = { reason = \"theirs\" }\n\
             \"rules.add\" = { reason = \"theirs\" }";
        merge(&mut manifest, part.parse().unwrap()).unwrap();
        let expected = "name = \"n\"\n[[options]]\nname = \"a\"\n[[options]]\nname = \"b\"\n[calls]\n\
             \"links.get\" = { reason = \"mine\" }\n\"rules.add\" = { reason = \"theirs\" }";
        assert_eq!(manifest, expected.parse::<Table>().unwrap());
        assert!(merge(&mut manifest, "name = 7".parse().unwrap()).is_err());
    }

    #[test]
    fn one_reason_can_be_that_of_every_call() {
        let folder = std::env::temp_dir().join(format!("xtask-manifest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text =
            "name = \"n\"\nevery-call = \"why\"\n[calls]\n\"links.get\" = { reason = \"mine\" }";
        std::fs::write(folder.join("manifest.toml"), text).unwrap();
        let imported = BTreeSet::from(["links.get".to_owned(), "routes.add".to_owned()]);
        let manifest = read(&folder, &folder, &imported);
        std::fs::remove_dir_all(&folder).unwrap();
        let expected = "name = \"n\"\n[calls]\n\"links.get\" = { reason = \"mine\" }\n\
             \"routes.add\" = { reason = \"why\" }";
        let manifest: Table = manifest.unwrap().parse().unwrap();
        assert_eq!(manifest, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn the_manifest_asks_for_just_what_is_imported() {
        let imported = BTreeSet::from(["links.get".to_owned(), "routes.add".to_owned()]);
        let both = "[calls]\n\"links.get\" = {}\n\"routes.add\" = {}";
        check(both, &imported).unwrap();
        check("", &BTreeSet::new()).unwrap();

        let too_much = format!("{both}\n\"log.write\" = {{}}");
        let error = check(&too_much, &imported).unwrap_err().to_string();
        assert!(error.ends_with("aren't imported: log.write"), "{error}");
        let error = check("[calls]\n\"links.get\" = {}", &imported)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("are imported: routes.add"), "{error}");
        assert!(check("[calls", &imported).is_err());
    }
}
