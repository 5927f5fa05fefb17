//! Runs a driver: the engine with its limits, the bindings of the WIT, and the
//! gate behind them, which decides on each call, journals it, has the kernel do it
//! and records it. It knows nothing of JSON and of commands.

#![deny(unsafe_code)]

pub mod driver;
pub mod gate;
mod guard;
pub mod rollback;
pub mod session;
