//! The engine that runs drivers.
//!
//! It holds the WebAssembly engine with its limits, the bindings of the WIT, the gate
//! behind them, and the rollback. The gate decides on each call, writes its undo
//! record, makes the change and records it in the audit trail. This crate knows nothing
//! of JSON or of commands.

#![deny(unsafe_code)]

pub mod driver;
pub mod gate;
mod guard;
pub mod rollback;
pub mod session;
