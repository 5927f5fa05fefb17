//! Points at which tests make the program fail: each operation on the kernel, and each
//! write to a journal. At two more points, tests act in the place of a driver, and of a process
//! that looks at others.
//!
//! A point does nothing unless an observer is installed. The released program never
//! installs one, and no input can.

#![deny(unsafe_code)]

use std::io::{self, Write};
use std::panic::Location;
use std::sync::OnceLock;

use nix::errno::Errno;

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// A test's observer, which is called at each point.
pub trait Observer: Send + Sync {
    /// Is called before each operation on the kernel.
    ///
    /// # Errors
    ///
    /// The operation isn't done, and fails with this error.
    fn before_operation(&self, at: &'static Location<'static>) -> Result<(), Errno>;

    /// Is called after each operation on the kernel, unless it timed out.
    fn after_operation(&self);

    /// Is called before a line is written to a file.
    ///
    /// # Errors
    ///
    /// The line isn't written, and the write fails with this error.
    fn before_write(&self, to: &mut dyn Write, line: &[u8]) -> io::Result<()>;

    /// Is called after each write that succeeded.
    fn after_write(&self);

    /// Is called where a driver's function is about to run, in the confined process.
    fn in_guest(&self) {}

    /// Is called in a process that only looks at others, once it is confined to that.
    fn in_lookout(&self) {}
}

/// Installs the observer of all points. A second one is ignored.
pub fn install(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// Marks the point before an operation on the kernel.
///
/// # Errors
///
/// The observer makes the operation fail.
#[track_caller]
pub fn before_operation() -> Result<(), Errno> {
    match OBSERVER.get() {
        Some(observer) => observer.before_operation(Location::caller()),
        None => Ok(()),
    }
}

/// Marks the point after an operation on the kernel.
pub fn after_operation() {
    if let Some(observer) = OBSERVER.get() {
        observer.after_operation();
    }
}

/// Marks the point before a write to a journal.
///
/// # Errors
///
/// The observer makes the write fail.
pub fn before_write(to: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    match OBSERVER.get() {
        Some(observer) => observer.before_write(to, line),
        None => Ok(()),
    }
}

/// Marks the point after a write to a journal.
pub fn after_write() {
    if let Some(observer) = OBSERVER.get() {
        observer.after_write();
    }
}

/// Marks the point at which a driver's function is about to run.
pub fn in_guest() {
    if let Some(observer) = OBSERVER.get() {
        observer.in_guest();
    }
}

/// Marks the point at which a process that only looks at others is confined to that.
pub fn in_lookout() {
    if let Some(observer) = OBSERVER.get() {
        observer.in_lookout();
    }
}
