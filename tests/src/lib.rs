//! The code that the tests of the whole program share.
//!
//! Every test has network namespaces and a directory of its own. So all tests run in
//! parallel and leave nothing on the machine.
//!
//! - [`harness`]: suites of tests, with their needs
//! - [`manifest`]: the options of this project's drivers
//! - [`proofs`]: the tests that show the effect of each option
//! - [`places`]: the paths of the program, the drivers and other files
//! - [`process`]: runs of programs with input, output and a time limit
//! - [`terminal`]: runs of programs on a terminal, with an answer to a question
//! - [`netns`], [`mounts`]: namespaces
//! - [`dump`]: the state of a namespace, read with other programs
//! - [`wire`]: the wire from a host to a neighbour
//! - [`world`]: a host with a container, and a neighbour on the host's wire
//! - [`echo`], [`flow`]: packets to an address and back
//! - [`connection`]: the documents that Podman sends
//! - [`netavark`]: the real netavark
//! - [`cni`]: CNI's own plugins
//! - [`wasmvark`]: the program under test, with [`grant`] and [`audit`]
//! - [`browser`]: a real browser, for the program's pages
//! - [`poll`]: waits for changes that the kernel makes with a delay
//! - [`patience`]: longer waits on slow machines
//! - [`tap`]: programs that use a tap device
//! - [`kind`], [`nic`]: links that only some machines have

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
pub mod dns;
pub mod dump;
pub mod echo;
pub mod executable;
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
pub mod page;
pub mod patience;
pub mod places;
pub mod plan;
pub mod poll;
pub mod process;
pub mod proofs;
pub mod rate;
mod reader;
pub mod router;
mod settings;
pub mod sriov;
pub mod tap;
pub mod terminal;
pub mod threat_model;
pub mod wasmvark;
pub mod wire;
pub mod world;
