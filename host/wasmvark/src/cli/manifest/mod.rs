//! `wasmvark manifest`: the manifest in a component's file, whatever language it is from.

mod check;
mod init;
mod set;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use engine::driver::{Description, Manifest};
use policy::Call;

use super::{CliError, Command, Context, Entry, Example, example, output, planned_grant};

/// The command `manifest`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Show {
    /// The component's file
    file: PathBuf,
}

impl Command for Show {
    const NAME: &str = "manifest";
    const ABOUT: &str = "Show the calls that a component's manifest asks for, or write one";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark manifest ./lan.wasm",
        "See what a driver asks for, before it's installed",
    )];
    const COMMANDS: &[Entry] = &[
        Entry::of::<init::Init>(),
        Entry::of::<set::Set>(),
        Entry::of::<check::Check>(),
    ];

    fn run(&self, _: &Context) -> Result<(), CliError> {
        let description = Description::read(&planned_grant::read(&self.file)?)?;
        let asked = planned_grant::to_grant(&description, false)?;
        let mut text = String::new();
        for call in asked.keys() {
            let reason = planned_grant::reason(&description, *call).unwrap_or_default();
            text.push_str(&format!("{call}: {}\n", types::text::plain(reason)));
        }
        output::text(&text)
    }
}

/// Why a manifest can't be used, beside its form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestFault {
    /// The component can't make a call that is asked for.
    #[error("it asks for {0}, which the component doesn't import: take the line out")]
    NotImported(Call),
    /// Something is left empty.
    #[error("{0} is empty: people decide by it")]
    Empty(String),
}

/// Checks what an operator reads in a manifest, and that the component imports what it asks
/// for.
fn check(manifest: &Manifest, component: Option<&Description>) -> Result<(), ManifestFault> {
    let texts = [
        ("name", &manifest.name),
        ("version", &manifest.version),
        ("description", &manifest.description),
        ("licence", &manifest.licence),
    ];
    let options = manifest.options.options().unwrap_or_default().iter();
    let options = options.map(|option| {
        let name = format!("the description of the option {}", option.name().as_str());
        (name, option.description())
    });
    let reasons = manifest.calls.iter();
    let reasons = reasons.map(|(call, wish)| {
        let name = format!("the reason for {call}");
        (name, wish.reason.as_str())
    });
    let texts = texts
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.as_str()));
    let mut all = texts.chain(options).chain(reasons);
    if let Some((name, _)) = all.find(|(_, text)| text.trim().is_empty()) {
        return Err(ManifestFault::Empty(name));
    }
    let mut calls = manifest.calls.keys();
    match component.and_then(|it| calls.find(|call| !it.can_make(**call))) {
        Some(call) => Err(ManifestFault::NotImported(*call)),
        None => Ok(()),
    }
}

/// Reads and checks a manifest's file. Returns its text with the parts that it names.
pub(super) fn read(path: &Path, component: Option<&Description>) -> Result<String, CliError> {
    let text = String::from_utf8_lossy(&planned_grant::read(path)?).into_owned();
    let text = wasmvark_manifest::with_parts(&text).map_err(|error| wrong(path, &error))?;
    let manifest = Manifest::parse(text.as_bytes()).map_err(|error| wrong(path, &error))?;
    check(&manifest, component).map_err(|fault| wrong(path, &fault))?;
    Ok(text)
}

/// The error for a manifest in a file.
fn wrong(path: &Path, error: &dyn Display) -> CliError {
    CliError::Manifest {
        path: path.to_owned(),
        error: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rest: &str) -> String {
        let text = format!("name = \"n\"\nversion = \"1\"\nlicence = \"Apache-2.0\"\n{rest}");
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        let fault = check(&manifest, None).err();
        fault.map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_people_decide_by_must_not_be_empty() {
        assert_eq!(fault("description = \"d\""), "");
        assert!(fault("description = \" \"").starts_with("description is empty"));
        let call = "description = \"d\"\n[calls]\n\"links.get\" = { reason = \"\" }";
        assert!(fault(call).starts_with("the reason for links.get is empty"));
        let option = "description = \"d\"\n[[options]]\nname = \"mtu\"\ndescription = \"\"";
        assert!(fault(option).starts_with("the description of the option mtu is empty"));
    }
}
