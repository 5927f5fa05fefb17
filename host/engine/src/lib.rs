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

/// Plays the sequence of calls in a fuzzer's input on the simulated kernel, and judges
/// it by the model of the promise.
///
/// # Panics
///
/// A promise is broken.
#[cfg(fuzzing)]
pub fn try_calls(input: &[u8]) {
    gate::model::inputs::try_one(input);
}

/// Returns sequences of calls for a fuzzer to begin with.
#[cfg(fuzzing)]
pub fn sample_calls() -> Vec<Vec<u8>> {
    gate::model::inputs::samples()
}
