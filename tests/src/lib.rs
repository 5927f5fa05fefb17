//! What the tests of the whole program share.
//!
//! Every test has network namespaces and a directory of its own, so all of
//! them run in parallel and leave nothing on the machine.
//!
//! - [`harness`]: tests that are counted as ignored where the machine lacks
//!   what they need
//! - [`manifest`]: the options of this project's drivers
//! - [`proofs`]: which test shows what an option of a driver does
//! - [`places`]: where the program, the drivers and netavark lie
//! - [`process`]: a program's run with input, output and a time limit
//! - [`terminal`]: the same on a terminal, with somebody who answers
//! - [`netns`], [`mounts`]: namespaces
//! - [`dump`]: what the kernel says about a namespace
//! - [`wire`]: a wire from a host to a neighbour
//! - [`world`]: a host, a container and a neighbour on one wire
//! - [`echo`], [`flow`]: packets there and back
//! - [`connection`]: the documents that Podman would send
//! - [`netavark`]: the real netavark
//! - [`cni`]: CNI's own plugins
//! - [`wasmvark`]: the program under test, with [`grant`] and [`audit`]
//! - [`browser`]: a real browser, for pages that the program makes
//! - [`poll`]: waiting for what the kernel does a little later
//! - [`patience`]: longer waits on slow machines
//! - [`tap`]: programs that use a tap
//! - [`kind`], [`nic`]: links that not every machine has

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod ask;
pub mod audit;
pub mod browser;
pub mod capture;
pub mod cni;
mod compiled;
pub mod connection;
pub mod dump;
pub mod echo;
mod features;
pub mod flow;
pub mod grant;
pub mod harness;
pub mod kind;
pub mod manifest;
pub mod mounts;
pub mod netavark;
pub mod netns;
pub mod nic;
pub mod patience;
pub mod places;
pub mod plan;
pub mod poll;
pub mod process;
pub mod proofs;
pub mod rate;
pub mod reader;
pub mod tap;
pub mod terminal;
pub mod threat_model;
pub mod wasmvark;
pub mod wire;
pub mod world;
