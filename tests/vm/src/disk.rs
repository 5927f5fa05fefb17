//! The disk with the tests for the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use wasmvark_tests::places;

use crate::programs::Program;

/// The files and folders of the project that tests read.
const SOURCES: [&str; 6] = [
    "README.md",
    "docs",
    "wit",
    "guest-examples",
    "sdk",
    "tests/fixtures",
];

/// netavark, and the native plugins among its examples.
const TOOLS: [&str; 3] = ["netavark", "host-device-plugin", "stderr-plugin"];

/// Writes the disk into `folder`.
pub(crate) fn make(folder: &Path, programs: &[Program]) -> anyhow::Result<PathBuf> {
    let tree = folder.join("tree");
    let take = |from: &Path, to: &str| copy(from, &tree.join(to));
    take(&places::workspace().join("tests/vm/init.sh"), "init.sh")?;
    for program in programs {
        take(&program.path, &format!("programs/{}", program.name))?;
    }
    take(&places::wasmvark(), "bin/wasmvark")?;
    take(&places::faulty(), "fault/wasmvark")?;
    take(&places::guests(), "guests")?;
    for tool in TOOLS {
        take(&places::tool(tool), &format!("tools/{tool}"))?;
    }
    for source in SOURCES {
        take(
            &places::workspace().join(source),
            &format!("workspace/{source}"),
        )?;
    }
    format(&tree, &folder.join("tests.img"))
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let what = || from.display().to_string();
    if !from.is_dir() {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(from, to).with_context(what)?;
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(what)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn format(tree: &Path, disk: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new("mke2fs")
        .args(["-q", "-t", "ext4", "-O", "^has_journal", "-d"])
        .args([tree, disk])
        .arg("256M")
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .output()
        .context("mke2fs")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mke2fs: {error}");
    Ok(disk.to_owned())
}
