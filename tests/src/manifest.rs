//! The manifests of this project's drivers.

use std::fs;

use serde::Deserialize;

use crate::places;

/// What a driver's manifest says of its options.
#[derive(Debug)]
pub struct Manifest {
    /// The driver's folder in `guest-examples/`.
    pub driver: String,
    /// The names of the options.
    pub options: Vec<String>,
}

impl Manifest {
    /// All of them, sorted by the drivers' names.
    pub fn all() -> Vec<Self> {
        let folder = places::workspace().join("guest-examples");
        let entries = fs::read_dir(&folder).expect("the drivers can be listed");
        let folders = entries.map(|entry| entry.expect("the folder can be read").path());
        let mut all: Vec<Self> = folders
            .filter_map(|folder| {
                let text = fs::read_to_string(folder.join("manifest.toml")).ok()?;
                let driver = folder.file_name()?.to_string_lossy().into_owned();
                Some(Self::parse(driver, &text))
            })
            .collect();
        all.sort_by(|one, other| one.driver.cmp(&other.driver));
        all
    }

    fn parse(driver: String, text: &str) -> Self {
        #[derive(Deserialize)]
        struct File {
            options: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{driver}: {error}"));
        let options = file.options.into_iter();
        Self {
            driver,
            options: options.map(|option| option.name).collect(),
        }
    }
}
