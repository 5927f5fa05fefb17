//! **wasmvark** is a netavark plugin whose drivers are WebAssembly components.
//! One native binary speaks netavark's plugin protocol; each driver is a
//! sandboxed component that can only ask for network operations through the
//! interface in `wit/`, and the operator's grant decides, call by call.
//!
//! This crate has the ways in: `plugin` leads a run that netavark asks for,
//! and `cli` is the administrator's side, with the `store` of what is installed,
//! what `convert` makes of CNI's documents, and what `podman` has on this machine. What they lead lies in crates
//! below: ARCHITECTURE.md has the house in one picture.

#![deny(unsafe_code)]

mod cli;
mod compile;
mod convert;
mod entry;
mod plugin;
mod podman;
mod store;

pub use entry::main;
