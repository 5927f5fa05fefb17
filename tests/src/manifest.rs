//! The manifests of this project's drivers.

use std::fs;

use serde::Deserialize;

use crate::places;

/// The driver of the page for authors, which has no options.
const FIRST_DRIVER: &str = "veth-lite";

/// The options in a driver's manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The driver's folder in `guest-examples/`.
    pub driver: String,
    /// The names of the driver's own options.
    pub own: Vec<String>,
    /// The names of the groups of [`Shared`] options.
    pub shared: Vec<String>,
}

/// A group of options that several drivers have.
#[derive(Debug)]
pub struct Shared {
    /// The name of the group in manifests.
    pub name: String,
    /// The names of the options.
    pub options: Vec<String>,
}

/// The drivers that `just install` installs, sorted by their names: their folders
/// have a `grant.toml`.
pub fn installed() -> Vec<String> {
    let with_grant = with("grant.toml").into_iter();
    with_grant.map(|(driver, _)| driver).collect()
}

/// The drivers whose folders have this file, with its text, sorted by their names.
fn with(file: &str) -> Vec<(String, String)> {
    let folder = places::workspace().join("guest-examples");
    let entries = fs::read_dir(&folder).expect("the drivers can be listed");
    let folders = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut all: Vec<_> = folders
        .filter_map(|folder| {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            let driver = folder.file_name()?.to_string_lossy().into_owned();
            Some((driver, text))
        })
        .collect();
    all.sort();
    all
}

impl Manifest {
    /// Reads the manifests of all drivers for users, sorted by driver.
    pub fn all() -> Vec<Self> {
        let all = with("manifest.toml").into_iter();
        let all = all.filter(|(driver, _)| driver != FIRST_DRIVER);
        all.map(|(driver, text)| Self::parse(driver, &text))
            .collect()
    }

    fn parse(driver: String, text: &str) -> Self {
        let file = File::parse(&driver, text);
        Self {
            driver,
            own: file.names(),
            shared: file.behaviours,
        }
    }

    /// Returns the names of all options of the driver.
    pub fn options(&self) -> Vec<String> {
        let has = |part: &Shared| self.shared.contains(&part.name);
        let shared = Shared::all().into_iter().filter(has);
        let names = shared.flat_map(|part| part.options);
        self.own.iter().cloned().chain(names).collect()
    }
}

impl Shared {
    /// Reads all groups, sorted by name.
    pub fn all() -> Vec<Self> {
        let folder = places::workspace().join("sdk/manifest/parts");
        let entries = fs::read_dir(&folder).expect("what drivers share can be listed");
        let files = entries.map(|entry| entry.expect("the folder can be read").path());
        let mut all: Vec<Self> = files
            .map(|file| {
                let name = file.file_stem().expect("a file has a name");
                let name = name.to_string_lossy().into_owned();
                let text = fs::read_to_string(&file).expect("the file can be read");
                let options = File::parse(&name, &text).names();
                Self { name, options }
            })
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

#[derive(Deserialize)]
struct File {
    options: Vec<Named>,
    #[serde(default)]
    behaviours: Vec<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl File {
    fn parse(name: &str, text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn names(&self) -> Vec<String> {
        let options = self.options.iter();
        options.map(|option| option.name.clone()).collect()
    }
}
