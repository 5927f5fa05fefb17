//! The list of all drivers, which are found by their folders, and their builds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::places::Places;
use crate::rust::{self, Package, Target};
use crate::{c, component, manifest, wat};

/// The folders that have drivers: the examples, and those that only tests need.
const FOLDERS: [&str; 2] = ["guest-examples", "tests/guests"];

/// A driver, or a file that tests install in place of one.
struct Guest {
    /// The source: a folder with a `manifest.toml`, or a `.wat` file.
    source: PathBuf,
    kind: Kind,
}

#[derive(Debug, PartialEq)]
enum Kind {
    /// A package of the workspace.
    Rust(Package),
    /// A folder of C files.
    C,
    /// A core module in text form that the world's types are added to.
    WatModule,
    /// A text file that is taken as it is: no driver.
    Wat,
}

/// All drivers by the names of the files that they become.
type Guests = BTreeMap<String, Guest>;

/// Builds the drivers with these names; all of them where no name is given.
pub(crate) fn build(places: &Places, names: &[String]) -> Result<()> {
    let chosen = choose(find(&places.root)?, names)?;
    let folder = places.guests();
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;

    for target in [Target::Bare, Target::Wasi] {
        rust::build(places, target, &packages(&chosen, target))?;
    }
    for (name, guest) in chosen {
        let wasm = finish(places, &name, &guest).with_context(|| format!("guest {name}"))?;
        let path = folder.join(&name).with_extension("wasm");
        std::fs::write(&path, &wasm).with_context(|| format!("can't write {}", path.display()))?;
        println!("{:>8} {}", wasm.len(), path.display());
    }
    Ok(())
}

/// Finds the drivers of a workspace.
fn find(root: &Path) -> Result<Guests> {
    let mut guests = Guests::new();
    for folder in FOLDERS {
        let folder = root.join(folder);
        let context = || format!("can't read {}", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(context)? {
            let source = entry.with_context(context)?.path();
            let Some(kind) = kind(&source)? else {
                continue;
            };
            let name = source.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let before = guests.insert(name.clone(), Guest { source, kind });
            ensure!(before.is_none(), "two guests have the name {name:?}");
        }
    }
    Ok(guests)
}

/// How a file or folder is built; `None` where it's no driver.
fn kind(source: &Path) -> Result<Option<Kind>> {
    if source.extension().is_some_and(|end| end == "wat") {
        return Ok(Some(Kind::Wat));
    }
    if !source.join("manifest.toml").is_file() {
        return Ok(None);
    }
    let kind = if source.join("Cargo.toml").is_file() {
        Kind::Rust(Package::read(source)?)
    } else if source.join("driver.wat").is_file() {
        Kind::WatModule
    } else if !c::files(source)?.is_empty() {
        Kind::C
    } else {
        bail!(
            "{} has a manifest and no source: no Cargo.toml, no C files, no driver.wat",
            source.display()
        );
    };
    Ok(Some(kind))
}

fn choose(mut guests: Guests, names: &[String]) -> Result<Guests> {
    if names.is_empty() {
        return Ok(guests);
    }
    if let Some(name) = names.iter().find(|name| !guests.contains_key(*name)) {
        let all: Vec<_> = guests.keys().map(String::as_str).collect();
        bail!(
            "there is no guest {name:?}; the guests are {}",
            all.join(", ")
        );
    }
    guests.retain(|name, _| names.contains(name));
    Ok(guests)
}

/// Returns the packages that are built for a target, for one call of cargo.
fn packages(guests: &Guests, wanted: Target) -> Vec<&str> {
    let built = guests.values().filter_map(|guest| match &guest.kind {
        Kind::Rust(package) if package.target == wanted => Some(package.name.as_str()),
        _ => None,
    });
    built.collect()
}

/// Returns the finished file.
fn finish(places: &Places, name: &str, guest: &Guest) -> Result<Vec<u8>> {
    let source = &guest.source;
    let driver = match &guest.kind {
        Kind::Wat => return wat::read(source),
        Kind::Rust(package) => {
            let built = rust::read(places, package)?;
            match package.target {
                Target::Bare => component::encode(&built)?,
                // The linker for WASI makes a component already.
                Target::Wasi => built,
            }
        }
        Kind::C => component::encode(&c::build(places, name, source)?)?,
        Kind::WatModule => component::encode(&wat::module(places, source)?)?,
    };
    let calls = component::calls(&driver)?;
    component::finish(driver, &manifest::read(source, &calls)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, target: Target) -> Kind {
        let name = name.to_owned();
        Kind::Rust(Package { name, target })
    }

    #[test]
    fn drivers_are_found_by_their_folders() {
        let mut guests = find(&Places::find().unwrap().root).unwrap();
        for (name, kind) in [
            ("dummy", package("dummy-driver", Target::Bare)),
            ("wasi", package("wasi-guest", Target::Wasi)),
            ("macvlan-c", Kind::C),
            ("grow-table", Kind::WatModule),
            ("core-module", Kind::Wat),
        ] {
            let guest = guests.remove(name).map(|guest| guest.kind);
            assert_eq!(guest, Some(kind), "{name}");
        }
    }

    #[test]
    fn a_name_that_no_driver_has_is_an_error() {
        let guests = || find(&Places::find().unwrap().root).unwrap();
        let chosen = choose(guests(), &["dummy".to_owned()]).unwrap();
        assert_eq!(chosen.keys().collect::<Vec<_>>(), ["dummy"]);
        let error = choose(guests(), &["dumy".to_owned()]).err().unwrap();
        let text = error.to_string();
        assert!(text.starts_with("there is no guest \"dumy\"; "), "{text}");
    }
}
