//! Drivers in Rust.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::places::Places;
use crate::tool;

/// The target of a driver's build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// No operating system: the driver imports only functions of its world.
    Bare,
    /// WASI 0.2, which adds imports of its own.
    Wasi,
}

impl Target {
    fn triple(self) -> &'static str {
        match self {
            Self::Bare => "wasm32-unknown-unknown",
            Self::Wasi => "wasm32-wasip2",
        }
    }
}

/// A package of the workspace.
#[derive(Debug, PartialEq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// What it's compiled for: `package.metadata.target`, where it has that.
    pub(crate) target: Target,
}

impl Package {
    /// Reads the `Cargo.toml` of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("Cargo.toml");
        let context = || path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(context)?;
        Self::parse(&text).with_context(context)
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Table = text.parse()?;
        let package = manifest.get("package").context("it has no package")?;
        let name = package.get("name").and_then(Value::as_str);
        let target = package.get("metadata").and_then(|it| it.get("target"));
        Ok(Self {
            name: name.context("the package has no name")?.to_owned(),
            target: match target.map(Value::as_str) {
                None => Target::Bare,
                Some(triple) => [Target::Bare, Target::Wasi]
                    .into_iter()
                    .find(|target| triple == Some(target.triple()))
                    .context("package.metadata.target is none that drivers are compiled for")?,
            },
        })
    }
}

/// Compiles packages for a target.
pub(crate) fn build(places: &Places, target: Target, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    require(target)?;
    let mut cargo = Command::new(program("CARGO", "cargo"));
    cargo
        .current_dir(&places.root)
        .args([
            "build",
            "--quiet",
            "--profile",
            "guest",
            "--target",
            target.triple(),
        ])
        .arg("--target-dir")
        .arg(&places.target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    tool::run(&mut cargo, "see its messages above")
}

/// Reads the file that cargo has built from a package.
pub(crate) fn read(places: &Places, package: &Package) -> Result<Vec<u8>> {
    let file = package.name.replace('-', "_");
    let path: PathBuf = [package.target.triple(), "guest", &file].iter().collect();
    let path = places.target.join(path).with_extension("wasm");
    std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))
}

/// Checks that the compiler has a target, so that the error names the remedy.
fn require(target: Target) -> Result<()> {
    let triple = target.triple();
    let output = Command::new(program("RUSTC", "rustc"))
        .args(["--print", "target-libdir", "--target", triple])
        .output()
        .context("can't run rustc")?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && PathBuf::from(folder.trim()).is_dir() {
        return Ok(());
    }
    bail!("the compiler has no target {triple}; remedy: rustup target add {triple}");
}

/// Returns a program that cargo may have named in the environment.
fn program(variable: &str, default: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| default.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_what_it_is_compiled_for() {
        let target = |metadata: &str| {
            let text = format!("[package]\nname = \"n\"\n{metadata}");
            Package::parse(&text).map(|package| package.target).ok()
        };
        assert_eq!(target(""), Some(Target::Bare));
        let wasi = "[package.metadata]\ntarget = \"wasm32-wasip2\"";
        assert_eq!(target(wasi), Some(Target::Wasi));
        assert_eq!(target(&wasi.replace("wasip2", "wasip1")), None);
        assert_eq!(target("[package.metadata]\ntarget = 7"), None);
        assert!(Package::parse("[workspace]").is_err());
    }
}
