//! The manifests of drivers.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The key with the reason for all calls that a driver imports, where they have the
/// same one.
const EVERY_CALL: &str = "every-call";
const CALLS: &str = "calls";

/// Reads a driver's manifest, with the parts that it names and the reason for every call.
/// A line of its own for a call counts. `imported` are the driver's calls.
pub(crate) fn read(source: &Path, imported: &BTreeSet<String>) -> Result<String> {
    let path = source.join("manifest.toml");
    let context = || path.display().to_string();
    let text = std::fs::read_to_string(&path).with_context(context)?;
    let text = wasmvark_manifest::with_parts(&text).with_context(context)?;
    let mut manifest: Table = text.parse().with_context(context)?;
    let Some(reason) = manifest.remove(EVERY_CALL) else {
        return Ok(text);
    };
    let calls = manifest.entry(CALLS).or_insert(Value::Table(Table::new()));
    let calls = calls.as_table_mut().context("`calls` is a table")?;
    for call in imported {
        calls.entry(call).or_insert_with(|| wish(&reason));
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
    fn one_reason_can_be_that_of_every_call() {
        let folder = std::env::temp_dir().join(format!("xtask-manifest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text =
            "name = \"n\"\nevery-call = \"why\"\n[calls]\n\"links.get\" = { reason = \"mine\" }";
        std::fs::write(folder.join("manifest.toml"), text).unwrap();
        let imported = BTreeSet::from(["links.get".to_owned(), "routes.add".to_owned()]);
        let manifest = read(&folder, &imported);
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
