//! Points at which tests have the program fail: each operation on the kernel, and
//! each write of a journal.
//!
//! Nothing happens there unless an observer is installed. The released program
//! never installs one, and no input can.

#![deny(unsafe_code)]

use std::io::{self, Write};
use std::panic::Location;
use std::sync::OnceLock;

use nix::errno::Errno;

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// What is told of each point.
pub trait Observer: Send + Sync {
    /// Comes before each operation on the kernel.
    ///
    /// # Errors
    ///
    /// The operation isn't to be done, and fails with this.
    fn before_operation(&self, at: &'static Location<'static>) -> Result<(), Errno>;

    /// Comes after each operation on the kernel that was tried.
    fn after_operation(&self);

    /// Comes before a line is written to a file.
    ///
    /// # Errors
    ///
    /// The line isn't to be written, and that fails with this.
    fn before_write(&self, to: &mut dyn Write, line: &[u8]) -> io::Result<()>;

    /// Comes after each write that was tried.
    fn after_write(&self);
}

/// Has an observer told of every point from here on; a second one is ignored.
pub fn install(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// Comes before each operation on the kernel.
///
/// # Errors
///
/// The observer wants the operation to fail.
#[track_caller]
pub fn before_operation() -> Result<(), Errno> {
    match OBSERVER.get() {
        Some(observer) => observer.before_operation(Location::caller()),
        None => Ok(()),
    }
}

/// Comes after each operation on the kernel.
pub fn after_operation() {
    if let Some(observer) = OBSERVER.get() {
        observer.after_operation();
    }
}

/// Comes before each write of a journal.
///
/// # Errors
///
/// The observer wants the write to fail.
pub fn before_write(to: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    match OBSERVER.get() {
        Some(observer) => observer.before_write(to, line),
        None => Ok(()),
    }
}

/// Comes after each write of a journal.
pub fn after_write() {
    if let Some(observer) = OBSERVER.get() {
        observer.after_write();
    }
}
