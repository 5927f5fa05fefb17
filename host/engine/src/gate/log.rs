//! The interface `log`, which writes a driver's messages to standard error.

use std::collections::VecDeque;
use std::io::Write;

use policy::{Call, Object};
use types::text;

use super::call::{CallError, Stop};
use super::{Gate, bounds};
use crate::driver::wit::log::{Host, Level};

/// The messages of a driver, with their limit and their level.
#[derive(Debug)]
pub struct Log {
    driver: String,
    left: u64,
    level: u8,
    /// The last messages of every level.
    last: VecDeque<String>,
}

/// The number of messages that are kept for the text of a crash.
const LAST: usize = 8;

impl Log {
    /// Makes a log for a driver's messages. They may have `bytes` in total. `filter` is
    /// the value of RUST_LOG.
    pub fn new(driver: String, bytes: u64, filter: Option<&str>) -> Self {
        Self {
            driver,
            left: bytes,
            level: filter.map_or(rank(Level::Warn), threshold),
            last: VecDeque::new(),
        }
    }

    /// Returns how many bytes messages may still have.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Returns the last messages, a line each.
    pub(super) fn last(&self) -> String {
        let lines = self.last.iter().map(|message| format!("{message}\n"));
        lines.collect()
    }

    /// Shows a message if its level is high enough. Returns false if it exceeds the
    /// limit.
    fn write(&mut self, level: Level, message: &str) -> bool {
        let size = u64::try_from(message.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.checked_sub(size.saturating_add(1)) else {
            return false;
        };
        self.left = left;
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(message.to_owned());
        if rank(level) <= self.level {
            self.show(name(level), message);
        }
        true
    }

    /// Shows a component's output line by line, up to the limit.
    pub(super) fn output(&mut self, text: &str) {
        for line in text.lines() {
            if !self.write(Level::Info, line) {
                return;
            }
        }
    }

    /// Shows a warning of the host itself.
    pub(super) fn warn(&self, message: &str) {
        self.show(name(Level::Warn), message);
    }

    fn show(&self, level: &str, message: &str) {
        let plain = text::plain(message);
        // If standard error is closed, nobody reads messages.
        let _ = writeln!(std::io::stderr(), "{}: {level}: {plain}", self.driver);
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Error => 1,
        Level::Warn => 2,
        Level::Info => 3,
        Level::Debug => 4,
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
    }
}

/// Returns the level that RUST_LOG sets. Errors and warnings are always shown.
fn threshold(filter: &str) -> u8 {
    let asked = |directive: &str| match directive.rsplit('=').next()?.trim() {
        "info" => Some(rank(Level::Info)),
        "debug" | "trace" => Some(rank(Level::Debug)),
        _ => None,
    };
    let directives = filter.split(',').filter_map(asked);
    directives.max().unwrap_or(rank(Level::Warn))
}

impl Host for Gate {
    fn write(&mut self, level: Level, message: String) -> Result<(), CallError> {
        bounds::MESSAGE.text(Call::LogWrite, &message)?;
        let objects = [Object::Message];
        let permit = self.decide(Call::LogWrite, &objects)?;
        let has_room = self.log.write(level, &message);
        self.record(permit, &objects, Ok(()))?;
        match has_room {
            true => Ok(()),
            false => Err(self.stop(Stop::Log)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_log_raises_the_level_and_never_lowers_it_below_warnings() {
        for (filter, level) in [
            ("", Level::Warn),
            ("error", Level::Warn),
            ("off", Level::Warn),
            ("info", Level::Info),
            ("netavark=debug,info", Level::Debug),
            ("trace", Level::Debug),
        ] {
            assert_eq!(threshold(filter), rank(level), "{filter:?}");
        }
    }

    #[test]
    fn the_bytes_of_messages_are_counted_shown_or_not() {
        let mut log = Log::new("d".to_owned(), 10, None);
        assert!(log.write(Level::Debug, "1234"));
        assert!(log.write(Level::Debug, "1234"));
        assert!(!log.write(Level::Debug, ""));
    }
}
