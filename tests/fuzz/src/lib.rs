//! Inputs that others choose: drivers, containers, callers, and files after a crash. Each
//! target takes any bytes, and fails by a panic if the program breaks a promise about
//! them.
//!
//! The test of this crate tries the seeds, a fixed number of inputs made from them, and
//! those of `inputs`, which a fuzzer has found. `libfuzzer` is the same with coverage:
//! `just fuzz` runs it. The targets `gate` and `netlink` are beside the code that they
//! try, which is public only there; their tests are the tests of their crates.

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

use std::path::PathBuf;
use std::{env, fs};

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
    #[cfg(fuzzing)]
    target("gate", engine::try_calls, engine::sample_calls, 0),
    #[cfg(fuzzing)]
    target("netlink", kernel::try_answers, seeds::answers, 0),
];

/// The variable with the folder that a target's seeds are written to.
const SEEDS: &str = "WASMVARK_FUZZ_SEEDS";

/// Writes the seeds of a target, and what was found before, into the folder of
/// `WASMVARK_FUZZ_SEEDS`, where the fuzzer reads them.
pub fn begin(name: &str) {
    let Some(folder) = env::var_os(SEEDS).map(PathBuf::from) else {
        return;
    };
    let found = kept(name).into_iter().map(|(_, input)| input);
    let seeds = (named(name).seeds)().into_iter().chain(found);
    for (number, seed) in seeds.enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a file can be written");
    }
}

/// Tries an input on a target.
pub fn run(name: &str, input: &[u8]) {
    (named(name).run)(input);
}

/// Returns the inputs that a fuzzer has found for a target, each with its file.
pub fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    seeds::kept(name)
}

fn named(name: &str) -> &'static Target {
    let target = TARGETS.iter().find(|target| target.name == name);
    target.expect("a target of this name")
}

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
