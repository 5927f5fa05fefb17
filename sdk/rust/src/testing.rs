//! Tests of a driver on imagined machines, as a part of `cargo test`.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of which cargo makes components.
const TARGET: &str = "wasm32-wasip2";

/// Builds the package's driver, and runs the cases in its folder `cases` by
/// `wasmvark test`, which must be in the PATH. The variable WASMVARK can name another
/// program. A test of the package calls it.
#[macro_export]
macro_rules! test_cases {
    () => {
        if let Err(error) = $crate::testing::run(env!("CARGO_MANIFEST_DIR")) {
            panic!("{error}");
        }
    };
}

/// Builds the driver of a package, and runs its cases. [`test_cases`] calls it.
///
/// # Errors
///
/// The driver can't be built, or a case fails. The error has what was printed.
pub fn run(package: &str) -> Result<(), String> {
    let package = Path::new(package);
    let target = package.join("target");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(package);
    succeed(&mut build)?;
    let program = env::var_os("WASMVARK").unwrap_or_else(|| "wasmvark".into());
    let component = component(&target.join(TARGET).join("debug"))?;
    let mut test = Command::new(program);
    test.arg("test").arg(package.join("cases")).arg(component);
    succeed(&mut test)
}

/// Returns the only component in a folder.
fn component(folder: &Path) -> Result<PathBuf, String> {
    let shown = folder.display();
    let entries = folder.read_dir();
    let entries = entries.map_err(|error| format!("can't list {shown}: {error}"))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = paths.filter(|path| path.extension() == Some(OsStr::new("wasm")));
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        (None, _) => Err(format!(
            "{shown} has no component: the library's crate-type must have \"cdylib\""
        )),
        (Some(_), Some(_)) => Err(format!("{shown} has more than one component: remove it")),
    }
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output();
    let output = output.map_err(|error| format!("can't run {command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
