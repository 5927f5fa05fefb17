//! `wasmvark --version`, and with `--verbose` the facts for a bug report.

use engine::driver::{ENGINE, Version};

use super::{CliError, output, reference};
use crate::store::Layout;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit of the build, if the builder named one.
const COMMIT: Option<&str> = option_env!("WASMVARK_COMMIT");

/// Prints the version. With `verbose`, it also prints the build and, if they can be
/// determined, the paths of all files.
pub(super) fn run(layout: Option<&Layout>, verbose: bool) -> Result<(), CliError> {
    if !verbose {
        return output::text(&format!("wasmvark {VERSION}\n"));
    }
    let commit = COMMIT.filter(|commit| !commit.is_empty());
    let libc = match cfg!(target_env = "musl") {
        true => "musl",
        false => "gnu",
    };
    let target = format!("{}-{}-{libc}", std::env::consts::ARCH, std::env::consts::OS);
    let worlds = Version::ALL.map(|version| format!("wasmvark:driver {version}"));
    let worlds = worlds.join(", ");
    let mut rows = vec![
        ["version", VERSION],
        ["commit", commit.unwrap_or("unknown")],
        ["target", &target],
        ["engine", ENGINE],
        ["worlds", &worlds],
    ]
    .into_iter()
    .map(|row| row.map(str::to_owned))
    .collect::<Vec<_>>();
    let places = layout.map(reference::rows).into_iter().flatten();
    rows.extend(places.map(|(what, path)| [what.to_owned(), path.display().to_string()]));
    output::text(&output::table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_the_one_of_the_lock_file() {
        let lock = include_str!("../../../../Cargo.lock");
        let (name, version) = ENGINE.split_once(' ').unwrap();
        let package = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&package), "{ENGINE}");
    }
}
