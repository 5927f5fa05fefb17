//! The text of a driver's panic, for the operator.
//!
//! Without an operating system the standard library's own hook has nowhere to print. So
//! the text goes to the log, from where the host adds it to the error of the crash.

use std::panic::{PanicHookInfo, set_hook};

use crate::log::{self, Level};

/// Has panics log their texts from now on. [`crate::export!`] calls it before each
/// function of a driver.
///
/// It does nothing with WASI, where the standard library prints the text.
pub fn log_panics() {
    if cfg!(not(target_os = "wasi")) {
        set_hook(Box::new(log_text));
    }
}

/// The most characters of a text, so that the message isn't too long for the log.
const TEXT_MAX: usize = 4000;

/// The level is low because the error of the crash has the text anyway.
fn log_text(info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("without a text");
    let text: String = text.chars().take(TEXT_MAX).collect();
    let text = match info.location() {
        Some(place) => format!("panicked at {}:{}: {text}", place.file(), place.line()),
        None => format!("panicked: {text}"),
    };
    // The driver ends here, and nobody else could be told.
    let _ = log::write(Level::Info, &text);
}
