//! The files of new drivers, which are below `sdk/new`.

use std::collections::BTreeMap;

use super::language::Language;

/// Includes files of a folder below `sdk/new`.
macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../../../../sdk/new/", $folder, "/", $name)),
        ),)*]
    };
}

/// Files with their paths.
type Files = &'static [(&'static str, &'static str)];

const COMMON: Files = files!["common":
    "README.md",
    "manifest.toml",
    "cases/connect.toml",
    "cases/no-subnet.toml",
];
const RUST: Files = files!["rust": ".gitignore", "Cargo.toml", "Makefile", "src/lib.rs"];
const C: Files = files!["c": ".gitignore", "Makefile", "driver.c"];
const GO: Files = files!["go": ".gitignore", "Makefile", "driver.go", "go.mod"];
const PYTHON: Files = files!["python": ".gitignore", "Makefile", "app.py", "requirements.txt"];
const JS: Files = files!["js": ".gitignore", "Makefile", "driver.js", "package.json"];
const TS: Files =
    files!["ts": ".gitignore", "Makefile", "driver.ts", "package.json", "tsconfig.json"];
const ZIG: Files = files!["zig": ".gitignore", "Makefile", "driver.zig"];

/// Returns the files of a new driver with their paths, without the interface.
pub(super) fn files(language: Language, name: &str) -> BTreeMap<String, Vec<u8>> {
    let own = match language {
        Language::Rust => RUST,
        Language::C => C,
        Language::Go => GO,
        Language::Python => PYTHON,
        Language::Js => JS,
        Language::Ts => TS,
        Language::Zig => ZIG,
    };
    COMMON
        .iter()
        .chain(own)
        .map(|(path, text)| ((*path).to_owned(), fill(language, name, text).into_bytes()))
        .collect()
}

/// Fills in what differs between drivers.
fn fill(language: Language, name: &str, text: &str) -> String {
    text.replace("@NAME@", name)
        .replace("@NEEDS@", language.needs())
        .replace("@SOURCE@", language.source())
        .replace("@INTERFACE@", language.interface())
}
