//! A driver's manifest.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

/// Checks that a manifest asks for just these calls.
pub(crate) fn check(manifest: &str, imported: &BTreeSet<String>) -> Result<()> {
    let table: toml::Table = manifest.parse().context("manifest.toml")?;
    let calls = table.get("calls").and_then(toml::Value::as_table);
    let asked: BTreeSet<String> = calls
        .into_iter()
        .flat_map(toml::Table::keys)
        .cloned()
        .collect();
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
