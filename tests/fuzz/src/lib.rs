//! Inputs that others choose: drivers, containers, callers, and files after a crash. Each
//! target takes any bytes, and fails by a panic if the program breaks a promise about
//! them.
//!
//! The test of this crate tries the seeds, and a fixed number of inputs made from them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken promise is a panic, as in tests"
)]

mod component;
mod create;
mod grant;
mod journal_file;
mod manifest;
mod mutation;
mod seeds;
mod setup;
mod trail;
mod values;

pub use mutation::Mutations;

/// A kind of input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Tries an input.
    pub run: fn(&[u8]),
    /// Returns inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The number of inputs that the test of this crate makes.
    pub tries: u32,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("setup", setup::run, seeds::setups, 20_000),
    target("create", create::run, seeds::networks, 20_000),
    target("patch", create::patch, seeds::patches, 20_000),
    target("grant", grant::run, seeds::grants, 2_000),
    target("manifest", manifest::run, seeds::manifests, 2_000),
    target("component", component::run, seeds::components, 200),
    target("journal", journal_file::run, seeds::journals, 2_000),
    target("trail", trail::run, seeds::trails, 20_000),
    target("values", values::run, seeds::values, 50_000),
];

const fn target(
    name: &'static str,
    run: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
    tries: u32,
) -> Target {
    Target {
        name,
        run,
        seeds,
        tries,
    }
}
