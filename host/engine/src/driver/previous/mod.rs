//! The version of the interface before the current one, 0.2, as far as it differs.
//!
//! It has no implementation of its own: requests are converted, and so are the arguments
//! and results of the imported functions, which then do the same as the current ones.

mod exports;
mod imports;
mod records;

pub(super) use exports::{Exports, FUNCTIONS, Linked};
pub(super) use imports::serve;
