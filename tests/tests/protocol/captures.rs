//! The documents that real Podman and netavark have sent to a plugin.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{NO_LINKS, with_probe};

/// The driver's name in the documents.
const DRIVER: &str = "capplug";

pub(crate) fn register(suite: &mut Suite) {
    for folder in entries(&places::captures()) {
        let source = file_name(&folder);
        for (verb, check) in [
            (
                "create",
                create as fn(&Wasmvark, &[u8]) -> Result<(), String>,
            ),
            ("setup", setup),
            ("teardown", teardown),
        ] {
            let documents = documents(&folder, verb);
            suite.test(format!("captures/{source}/{verb}"), NO_LINKS, move || {
                accepts_all(&documents, check);
            });
        }
    }
}

fn accepts_all(documents: &[PathBuf], check: fn(&Wasmvark, &[u8]) -> Result<(), String>) {
    assert!(!documents.is_empty(), "there are documents");
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    let before = world.dump();
    let refused: Vec<String> = documents
        .iter()
        .filter_map(|document| {
            let bytes = fs::read(document).expect("the document can be read");
            let reason = check(&wasmvark, &bytes).err()?;
            Some(format!("{}: {reason}", file_name(document)))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    world.assert_unchanged(&before);
}

/// All fields come back, byte for byte.
fn create(wasmvark: &Wasmvark, document: &[u8]) -> Result<(), String> {
    let output = succeeded(wasmvark.plugin(DRIVER, &["create"], document))?;
    let sent: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(document).expect("the document is an object");
    let answer: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&output.stdout).map_err(|error| error.to_string())?;
    let raw = |fields: BTreeMap<String, Box<RawValue>>| -> BTreeMap<String, String> {
        fields
            .into_iter()
            .map(|(key, value)| (key, value.get().to_owned()))
            .collect()
    };
    assert_eq!(raw(sent), raw(answer));
    Ok(())
}

fn setup(wasmvark: &Wasmvark, document: &[u8]) -> Result<(), String> {
    let output = succeeded(wasmvark.setup(DRIVER, document))?;
    // The probe made no links.
    assert_eq!(answer_of(&output)["interfaces"], serde_json::json!({}));
    Ok(())
}

fn teardown(wasmvark: &Wasmvark, document: &[u8]) -> Result<(), String> {
    let output = succeeded(wasmvark.teardown(DRIVER, document))?;
    // Nothing for the caller, and no excuses for the user.
    match (output.stdout.as_str(), output.stderr.as_str()) {
        ("", "") => Ok(()),
        (answer, note) => Err(format!("{answer} {note}")),
    }
}

fn succeeded(output: Output) -> Result<Output, String> {
    match output.code {
        Some(0) => Ok(output),
        _ => Err(format!("{} {}", output.stdout, output.stderr)),
    }
}

/// The documents for a subcommand: `NAME.VERB.json`, `NAME.VERB2.json`, …
fn documents(folder: &Path, verb: &str) -> Vec<PathBuf> {
    let for_verb = |path: &PathBuf| {
        let name = file_name(path);
        let mut parts = name.rsplit('.').skip(1);
        let command = parts.next().unwrap_or_default();
        command.trim_end_matches(|c: char| c.is_ascii_digit()) == verb
    };
    entries(folder).into_iter().filter(for_verb).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
