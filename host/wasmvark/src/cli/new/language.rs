//! The languages of drivers.

use clap::ValueEnum;

use crate::cli::bindings;

/// A language that `new` has a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Rust
    Rust,
    /// C
    C,
    /// Go
    Go,
    /// Python
    Python,
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    /// Zig
    Zig,
}

impl Language {
    /// Returns the language's name.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::C => "C",
            Self::Go => "Go",
            Self::Python => "Python",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Zig => "Zig",
        }
    }

    /// Returns what the driver is built with, beside `make`.
    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::Rust => "Rust 1.88 or newer and its target wasm32-wasip2",
            Self::C => "clang, lld, wasi-libc and libclang-rt-dev-wasm32, as Debian calls them",
            Self::Go => "Go 1.25 or newer",
            Self::Python => "Python 3.10 or newer",
            Self::Js | Self::Ts => "Node.js 18 or newer",
            Self::Zig => "Zig 0.15 or newer",
        }
    }

    /// Returns the file with the driver.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::C => "driver.c",
            Self::Go => "driver.go",
            Self::Python => "app.py",
            Self::Js => "driver.js",
            Self::Ts => "driver.ts",
            Self::Zig => "driver.zig",
        }
    }

    /// Whether the language's tools read WIT.
    pub(super) fn reads_wit(self) -> bool {
        matches!(self, Self::Rust | Self::Python | Self::Js | Self::Ts)
    }

    /// Returns the bindings that the driver is built with, and the folder that they are in.
    pub(super) fn bindings(self) -> Option<(bindings::Language, &'static str)> {
        match self {
            Self::C | Self::Zig => Some((bindings::Language::C, "wasmvark/")),
            Self::Go => Some((bindings::Language::Go, "")),
            Self::Ts => Some((bindings::Language::Ts, "")),
            Self::Rust | Self::Python | Self::Js => None,
        }
    }

    /// Returns the interface's files, for people.
    pub(super) fn interface(self) -> &'static str {
        match self {
            Self::Rust | Self::Python | Self::Js => "wit/",
            Self::C | Self::Zig => "wasmvark/",
            Self::Go => "wasmvark_driver_*/",
            Self::Ts => "wit/`, `wasmvark.d.ts",
        }
    }
}
