//! **wasmvark** is a netavark plugin whose drivers are WebAssembly components.
//! One native binary speaks netavark's plugin protocol; each driver is a
//! sandboxed component that can only ask for network operations through the
//! interface in `wit/`, and the operator's grant decides, call by call.
//!
//! # Layout
//!
//! A run passes through these modules, in this order:
//!
//! | module | knows | must not know |
//! |---|---|---|
//! | [`protocol`] | the JSON documents, the four subcommands, error output | wasm, netlink |
//! | [`request`] | a checked, resolved request; building the answer | wasm, netlink |
//! | [`store`] | installed drivers by digest, precompiled code, where things lie | what a driver does |
//! | [`grant`] | the vocabulary of calls, the grant file, `decide` | wasm, netlink sockets |
//! | [`driver`] | engine, bindings, limits, running a component | netlink details |
//! | [`gate`] | the host side of the WIT: decide, journal, kernel, audit | JSON, CLI |
//! | [`journal`] | recorded changes and how to undo them | the driver |
//! | [`kernel`] | network operations, over netlink or tried out in memory | grants, WIT |
//! | [`audit`] | the trail of decisions: writing, reading and summing it | the kernel |
//! | [`convert`] | CNI's documents, and the networks that do the same | wasm, netlink, the store |
//!
//! [`plugin`] leads a run through them, and [`cli`] is the administrator's side.
//! Below them all, [`types`] has plain values, [`trust`] says which files may be
//! believed, and [`failpoint`] is where tests have operations fail.

#![deny(unsafe_code)]

pub mod audit;
pub mod cli;
pub mod convert;
pub mod driver;
mod entry;
pub mod gate;
pub mod grant;
pub mod journal;
pub mod kernel;
pub mod plugin;
pub mod protocol;
pub mod request;
pub mod store;

pub use entry::main;
