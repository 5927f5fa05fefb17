//! Drivers in Rust.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::places::Places;
use crate::tool;

/// What a driver is compiled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing below it: the driver imports what its world has, and no more.
    Bare,
    /// WASI 0.2, which brings imports of its own.
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
    tool::run(&mut cargo, "its messages stand above")
}

/// What cargo made of a package.
pub(crate) fn read(places: &Places, target: Target, package: &str) -> Result<Vec<u8>> {
    let path: PathBuf = [target.triple(), "guest", &package.replace('-', "_")]
        .iter()
        .collect();
    let path = places.target.join(path).with_extension("wasm");
    std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))
}

/// Fails early and with the remedy where the compiler has no such target.
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

/// A program that cargo may have named in the environment.
fn program(variable: &str, default: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| default.into())
}
