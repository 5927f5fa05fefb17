//! `wasmvark new`: a folder with a driver that builds, is tested and installs at once.

mod language;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bindings;
use super::wit::{Package, write_new};
use super::{CliError, Command, Context, Example, example, output};
use language::Language;

/// The most characters of a name. It becomes that of a package and of a driver.
const NAME_MAX: usize = 40;

/// The interfaces that the driver of the templates uses.
const USED: [&str; 3] = ["links", "addresses", "routes"];

/// The command `new`.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// The folder to make; its name becomes the driver's
    folder: PathBuf,
    /// The language
    #[arg(long)]
    lang: Language,
}

/// A name that not every language's packages can have.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} can't be the name of a driver in every language: use 1 to {NAME_MAX} small letters, \
     digits and '-', and begin with a letter"
)]
pub(crate) struct UnfitName(String);

impl Command for New {
    const NAME: &str = "new";
    const ABOUT: &str = "Make a folder with a driver that builds, is tested and installs at once";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Make a folder with a driver that builds, is tested and installs at once.

The driver connects containers to the host by veth pairs. The folder's README.md says what it is built with, and what \
each file is for.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark new ./lan --lang rust",
        "Begin a driver in Rust",
    )];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let name = name(&self.folder)?;
        let mut files = template::files(self.lang, &name);
        files.extend(interface(self.lang)?);
        let files = files.iter();
        let files = files.map(|(name, content)| (name.clone(), content.as_slice()));
        write_new(&self.folder, files).map_err(|error| CliError::Write {
            path: self.folder.clone(),
            error,
        })?;
        output::text(&format!(
            "Made {folder}, with a driver in {language}. To build and test it, with {needs}:\n\n    \
             cd {folder}\n    make test\n",
            folder = self.folder.display(),
            language = self.lang.title(),
            needs = self.lang.needs(),
        ))
    }
}

/// Returns the driver's name: that of the folder.
fn name(folder: &Path) -> Result<String, UnfitName> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    match begins && name.len() <= NAME_MAX && name.chars().all(fits) {
        true => Ok(name.into_owned()),
        false => Err(UnfitName(name.into_owned())),
    }
}

/// Returns the interface's files, as the language's tools take them.
fn interface(language: Language) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let used = USED.map(str::to_owned);
    let package = Package::new(Some(&used))?;
    let mut files = BTreeMap::new();
    if language.reads_wit() {
        let wit = package.files();
        files.extend(wit.map(|(name, text)| (format!("wit/{name}.wit"), text.into())));
    }
    if let Some((generated, folder)) = language.bindings() {
        let bindings = bindings::generate(generated, &package, None).map_err(CliError::Bindings)?;
        let bindings = bindings.into_iter();
        files.extend(bindings.map(|(name, content)| (format!("{folder}{name}"), content)));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_driver() {
        let of = |folder: &str| name(Path::new(folder)).ok();
        assert_eq!(of("lan").as_deref(), Some("lan"));
        assert_eq!(of("/tmp/lan-2/").as_deref(), Some("lan-2"));
        for folder in ["Lan", "2lan", "a_b", "a b", "", "..", "/", "lan.rs"] {
            assert_eq!(of(folder), None, "{folder:?}");
        }
        assert_eq!(of(&"a".repeat(NAME_MAX + 1)), None);
    }

    #[test]
    fn each_language_has_a_driver_a_manifest_and_cases() {
        for language in <Language as clap::ValueEnum>::value_variants() {
            let files = template::files(*language, "lan");
            for name in ["Makefile", "README.md", "manifest.toml", language.source()] {
                assert!(files.contains_key(name), "{language:?} has no {name}");
            }
            for (name, content) in files {
                let text = String::from_utf8(content).unwrap();
                assert!(!text.contains("@NAME@"), "{language:?}, {name}");
            }
        }
    }
}
