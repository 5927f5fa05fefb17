//! The checks of the drivers' surroundings: the plugin directories, grants without a
//! driver, and files that other users can write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::findings::{self, Findings};
use super::gather::is_exposed;
use super::report::{DriverReport, Kind, Level};
use crate::cli::{CliError, program};
use crate::store::{LinkState, Store, StoreError, link_state};

/// Adds the findings of all these checks.
pub(super) fn look(
    store: &Store,
    drivers: &[DriverReport],
    found: &mut Findings,
) -> Result<(), CliError> {
    let program = program()?;
    links(drivers, &program, found);
    plugins(store, drivers, &program, found);
    grants(store, drivers, found);
    exposed(store, drivers, &program, found);
    Ok(())
}

/// Checks that each driver's link leads to this program.
fn links(drivers: &[DriverReport], program: &Path, found: &mut Findings) {
    for driver in drivers {
        let (level, what) = match link_state(Path::new(&driver.link), program) {
            LinkState::Ours => continue,
            LinkState::Missing => (
                Level::Warning,
                "isn't there: Podman doesn't find the driver",
            ),
            LinkState::Foreign => (
                Level::Danger,
                "doesn't lead to wasmvark: Podman runs something else under the driver's name",
            ),
        };
        let text = format!("{} {what}", driver.link);
        found.add(level, Kind::Link, Some(&driver.name), text);
    }
}

/// Checks the other files in the plugin directories.
fn plugins(store: &Store, drivers: &[DriverReport], program: &Path, found: &mut Findings) {
    let known: BTreeSet<&Path> = drivers.iter().map(|it| Path::new(&it.link)).collect();
    let mut folders: BTreeSet<&Path> = known.iter().filter_map(|link| link.parent()).collect();
    folders.insert(&store.layout().plugins);
    for path in folders.into_iter().flat_map(entries) {
        if known.contains(path.as_path()) {
            continue;
        }
        let shown = path.display();
        match link_state(&path, program) {
            LinkState::Ours => {
                let text = format!("{shown} leads to wasmvark, and no driver of it is installed");
                found.add(Level::Info, Kind::Link, None, text);
            }
            LinkState::Missing | LinkState::Foreign => {
                let text = format!("{shown} isn't wasmvark's: Podman runs it without a sandbox");
                found.add(Level::Warning, Kind::ForeignPlugin, None, text);
            }
        }
    }
}

/// Finds the grants of drivers that aren't installed.
fn grants(store: &Store, drivers: &[DriverReport], found: &mut Findings) {
    for path in entries(&store.layout().grants) {
        let name = path.file_stem().unwrap_or_default();
        let is_known = drivers.iter().any(|driver| driver.name.as_str() == name);
        if path.extension().is_some_and(|it| it == "toml") && !is_known {
            let text = format!("{} is for a driver that isn't installed", path.display());
            found.add(Level::Info, Kind::OrphanGrant, None, text);
        }
    }
}

/// Finds the files that other users can write. A driver's code is checked with the
/// driver.
fn exposed(store: &Store, drivers: &[DriverReport], program: &Path, found: &mut Findings) {
    let layout = store.layout();
    let mut files = vec![
        layout.trail.clone(),
        layout.trail_settings.clone(),
        layout.lib.clone(),
        layout.grants.clone(),
        layout.secrets.clone(),
        program.to_owned(),
    ];
    files.extend(drivers.iter().map(|it| PathBuf::from(&it.grant.path)));
    let folders = drivers.iter().filter_map(|it| Path::new(&it.link).parent());
    files.extend(folders.map(Path::to_owned));
    let mut told = BTreeSet::new();
    for file in files.iter().filter(|file| file.exists()) {
        // One faulty folder can be above several of the files.
        if let Err(error) = trust::check(file).map_err(StoreError::from)
            && is_exposed(&error)
            && told.insert(error.to_string())
        {
            findings::exposed(None, &error.to_string(), found);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
