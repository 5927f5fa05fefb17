//! A summary of the trail: the calls of each driver, the reach that they needed, and
//! the denials.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use policy::{Call, Reach};

use super::{Event, Record, Since, Tail, Verdict};

/// The number of patterns of a reach that are listed. A driver that names another
/// object in each call must not keep the reader waiting.
const PATTERNS_MAX: usize = 200;

/// A summary of the trail.
#[derive(Debug, Default)]
pub struct Summary {
    /// The time of the oldest line.
    pub first: Option<String>,
    /// The time of the youngest line.
    pub last: Option<String>,
    /// The number of lines that can't be parsed.
    pub unreadable: u64,
    drivers: BTreeMap<(String, String), Usage>,
}

/// The use of a driver's component.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// The number of runs.
    pub runs: u64,
    /// The start of the first run.
    pub first: Option<String>,
    /// The start of the last run.
    pub last: Option<String>,
    /// The calls of all runs. Calls that were never made are absent.
    pub calls: BTreeMap<Call, CallUsage>,
}

/// The use of one call.
#[derive(Debug, Clone, Default)]
pub struct CallUsage {
    /// The number of times that the call was allowed.
    pub allowed: u64,
    /// The time at which it was first allowed.
    pub first: Option<String>,
    /// The time at which it was last allowed.
    pub last: Option<String>,
    /// The reach that the allowed calls needed.
    pub reach: Reach,
    /// Whether the allowed calls needed more reach than is listed.
    pub has_more: bool,
    /// The number of times that the call was denied.
    pub denied: u64,
    /// The reach that the denied calls lacked.
    pub lacking: Reach,
}

impl Summary {
    /// Reads the trail, or its lines since a time.
    pub fn read(path: &Path, since: Option<Since>) -> io::Result<Self> {
        let mut summary = Self::default();
        let mut tail = Tail::open(path)?;
        while let Some(line) = tail.line()? {
            match Record::parse(&line) {
                Some(record) if since.is_none_or(|since| since.has(&record)) => {
                    summary.add(record);
                }
                Some(_) => {}
                None => summary.unreadable += u64::from(!line.trim_ascii().is_empty()),
            }
        }
        Ok(summary)
    }

    /// Returns the use of one component under a driver's name.
    pub fn of(&self, driver: &str, digest: &str) -> Usage {
        let key = (driver.to_owned(), digest.to_owned());
        self.drivers.get(&key).cloned().unwrap_or_default()
    }

    fn add(&mut self, record: Record) {
        add_time(&mut self.first, &mut self.last, &record.time);
        let key = (record.driver, record.digest);
        if key.0.is_empty() {
            return;
        }
        let usage = self.drivers.entry(key).or_default();
        if record.event == Event::Run {
            usage.runs += 1;
            add_time(&mut usage.first, &mut usage.last, &record.time);
        }
        // Another version of this program may have had other calls.
        let call: Option<Call> = record.call.and_then(|call| call.parse().ok());
        let (Some(call), Some(verdict)) = (call, record.verdict) else {
            return;
        };
        let call = usage.calls.entry(call).or_default();
        match verdict {
            Verdict::Allow => {
                call.allowed += 1;
                call.has_more |= join(&mut call.reach, &record.reach);
                add_time(&mut call.first, &mut call.last, &record.time);
            }
            Verdict::Deny => {
                call.denied += 1;
                join(&mut call.lacking, &record.reach);
            }
        }
    }
}

/// Adds to a reach, unless it's long already. Returns whether there is more.
fn join(reach: &mut Reach, more: &Reach) -> bool {
    if reach.covers(more) {
        return false;
    }
    if reach.count() >= PATTERNS_MAX {
        return true;
    }
    *reach = reach.joined(more);
    false
}

/// Adds the time of a line to a period. Lines are in the order of their times, except
/// for those of simultaneous runs.
fn add_time(first: &mut Option<String>, last: &mut Option<String>, time: &str) {
    if first.is_none() {
        *first = Some(time.to_owned());
    }
    *last = Some(time.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_names_much_does_not_keep_the_reader_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let lines: String = (0..50_000)
            .map(|number| {
                let verdict = if number % 2 == 0 { "allow" } else { "deny" };
                format!(
                    "{{\"time\":\"2026-01-31T00:00:00Z\",\"event\":\"call\",\"command\":\"setup\",\
                     \"driver\":\"d\",\"digest\":\"\",\"network\":\"n\",\"call\":\"routes.add\",\
                     \"verdict\":\"{verdict}\",\"reach\":{{\"table\":[\"{number}\"]}}}}\n"
                )
            })
            .collect();
        std::fs::write(&path, lines).unwrap();
        let summary = Summary::read(&path, None).unwrap();
        let usage = &summary.of("d", "").calls[&Call::RoutesAdd];
        assert_eq!((usage.allowed, usage.denied), (25_000, 25_000));
        assert!(usage.has_more);
        for reach in [&usage.reach, &usage.lacking] {
            assert_eq!(reach.count(), PATTERNS_MAX);
        }
    }
}
