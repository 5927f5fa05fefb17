//! The files of the interface's package, and narrower worlds of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wit_parser::{Resolve, SourceMap, WorldId};

/// Includes the files of interfaces.
macro_rules! interfaces {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../wit/", $name, ".wit"))),)*]
    };
}

/// The interfaces of the package.
const INTERFACES: &[(&str, &str)] = &interfaces![
    "addresses",
    "announce",
    "bridge-ports",
    "dhcp",
    "dns",
    "firewall",
    "handler",
    "links",
    "log",
    "neighbours",
    "offloads",
    "routes",
    "rules",
    "state",
    "sysctl",
    "traffic",
    "types",
    "wireguard",
];

/// The file with the world.
const WORLD: (&str, &str) = ("world", include_str!("../../../../../wit/world.wit"));
/// The name of the world.
const WORLD_NAME: &str = "driver";
/// The interfaces that every world has: the exported one, and the one without which a
/// driver could say nothing.
const ALWAYS: [&str; 2] = ["handler", "log"];

/// A name that is no interface that a driver can import.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no interface {name:?} to import: give some of {known}, with commas between them; \
     log and types are always there"
)]
pub(crate) struct UnknownInterface {
    name: String,
    known: String,
}

/// The package, with all of its interfaces or with some.
pub(in crate::cli) struct Package {
    /// The files by name, without the ending.
    files: BTreeMap<&'static str, String>,
}

impl Package {
    /// Returns the package with a world of some interfaces, or of all.
    ///
    /// # Errors
    ///
    /// A name is no interface's.
    pub(in crate::cli) fn new(only: Option<&[String]>) -> Result<Self, UnknownInterface> {
        only.map_or_else(|| Ok(Self::whole()), Self::narrowed)
    }

    /// Returns the package as it is.
    pub(in crate::cli) fn whole() -> Self {
        let files = INTERFACES.iter().chain([&WORLD]);
        Self {
            files: files
                .map(|(name, text)| (*name, (*text).to_owned()))
                .collect(),
        }
    }

    /// Returns the package with a world that imports only some interfaces, and those that
    /// they use.
    ///
    /// # Errors
    ///
    /// A name is no interface's.
    fn narrowed(only: &[String]) -> Result<Self, UnknownInterface> {
        let known: BTreeSet<&str> = imports(WORLD.1).collect();
        if let Some(name) = only.iter().find(|name| !known.contains(name.as_str())) {
            return Err(UnknownInterface {
                name: name.clone(),
                known: known.into_iter().collect::<Vec<_>>().join(", "),
            });
        }
        let wanted = only.iter().map(String::as_str).chain(ALWAYS);
        let wanted = with_used(wanted.collect());
        let files = INTERFACES.iter().filter(|(name, _)| wanted.contains(name));
        let files = files.map(|(name, text)| (*name, (*text).to_owned()));
        let world = (WORLD.0, without_others(WORLD.1, &wanted));
        Ok(Self {
            files: files.chain([world]).collect(),
        })
    }

    /// Returns the files with their names, without the ending.
    pub(in crate::cli) fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.files.iter().map(|(name, text)| (*name, text.as_str()))
    }

    /// Returns the package and its world, as generators take them.
    pub(in crate::cli) fn resolve(&self) -> Result<(Resolve, WorldId), anyhow::Error> {
        let mut sources = SourceMap::default();
        for (name, text) in self.files() {
            sources.push(Path::new(name), text);
        }
        let parsed = sources.parse().map_err(|(_, error)| error)?;
        let mut resolve = Resolve::default();
        let package = resolve.push_group(parsed)?;
        let world = resolve.select_world(&[package], Some(WORLD_NAME))?;
        Ok((resolve, world))
    }

    /// Returns the package's name with its version.
    pub(in crate::cli) fn name(&self) -> &str {
        let mut lines = self.world().lines();
        let name = lines.find_map(|line| line.strip_prefix("package "));
        name.unwrap_or_default().trim_end_matches(';')
    }

    /// Returns the interfaces that the world imports.
    pub(super) fn imports(&self) -> impl Iterator<Item = &str> {
        imports(self.world())
    }

    fn world(&self) -> &str {
        self.files.get(WORLD.0).map_or("", String::as_str)
    }
}

/// Returns the interfaces that a world imports, in its order.
fn imports(world: &str) -> impl Iterator<Item = &str> {
    world.lines().filter_map(imported)
}

fn imported(line: &str) -> Option<&str> {
    let name = line.trim_start().strip_prefix("import ")?;
    name.strip_suffix(';')
}

/// Adds the interfaces that some use.
fn with_used(mut wanted: BTreeSet<&str>) -> BTreeSet<&str> {
    loop {
        let texts = INTERFACES.iter().filter(|(name, _)| wanted.contains(name));
        let used: BTreeSet<&str> = texts.flat_map(|(_, text)| used_by(text)).collect();
        if used.is_subset(&wanted) {
            return wanted;
        }
        wanted.extend(used);
    }
}

/// Returns the interfaces whose types another one uses: `use types.{error};`.
fn used_by(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let used = line.trim_start().strip_prefix("use ")?;
        used.split_once('.').map(|(name, _)| name)
    })
}

/// Leaves out the imports of other interfaces, each with the line before, which says since
/// when it is there.
fn without_others(world: &str, wanted: &BTreeSet<&str>) -> String {
    let mut text = String::new();
    let mut since = None;
    for line in world.lines() {
        if imported(line).is_some_and(|name| !wanted.contains(name)) {
            since = None;
            continue;
        }
        let is_since = line.trim_start().starts_with("@since");
        let (first, second) = match is_since {
            true => (since.replace(line), None),
            false => (since.take(), Some(line)),
        };
        for line in first.into_iter().chain(second) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(only: &[&str]) -> Result<Package, UnknownInterface> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        Package::narrowed(&only)
    }

    fn imports_of(only: &[&str]) -> Vec<String> {
        let package = narrowed(only).unwrap();
        package.imports().map(str::to_owned).collect()
    }

    #[test]
    fn a_narrow_world_has_what_is_named_and_used() {
        assert_eq!(imports_of(&["addresses"]), ["links", "addresses", "log"]);
        assert_eq!(imports_of(&["routes"]), ["routes", "log"]);
        assert_eq!(imports_of(&["state"]), ["state", "log"]);
        assert_eq!(imports_of(&["log"]), ["log"]);
        let names: Vec<_> = narrowed(&["state"]).unwrap().files.into_keys().collect();
        assert_eq!(names, ["handler", "log", "state", "types", "world"]);
    }

    #[test]
    fn all_interfaces_make_the_whole_package() {
        let whole = Package::whole();
        let all: Vec<String> = whole.imports().map(str::to_owned).collect();
        assert_eq!(Package::narrowed(&all).unwrap().files, whole.files);
        assert!(whole.name().starts_with("wasmvark:driver@"));
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_there_are() {
        for name in ["link", "types", "handler", ""] {
            let error = narrowed(&["links", name]).err().unwrap().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
            assert!(
                error.contains("addresses, announce, bridge-ports"),
                "{error}"
            );
        }
    }
}
