//! What the trail says of each driver: which calls it made, by how much of its
//! grant's reach, and which it was denied.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use policy::{Call, Reach};

use super::{Event, Record, Since, Tail, Verdict};

/// How many patterns of a reach are listed: a driver that names something else in
/// each call must not keep the reader waiting.
const PATTERNS_MAX: usize = 200;

/// The whole trail, summed.
#[derive(Debug, Default)]
pub struct Summary {
    /// The time of the oldest line that counts.
    pub first: Option<String>,
    /// That of the youngest.
    pub last: Option<String>,
    /// How many lines are no lines of a trail.
    pub unreadable: u64,
    drivers: BTreeMap<(String, String), Usage>,
}

/// What a driver's component did.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// How many runs began.
    pub runs: u64,
    /// When the first one began.
    pub first: Option<String>,
    /// When the last one began.
    pub last: Option<String>,
    /// Its calls; those that it never made are absent.
    pub calls: BTreeMap<Call, CallUsage>,
}

/// What became of a call.
#[derive(Debug, Clone, Default)]
pub struct CallUsage {
    /// How many times it was allowed.
    pub allowed: u64,
    /// When it was first.
    pub first: Option<String>,
    /// When it was last.
    pub last: Option<String>,
    /// The reach that it needed for that.
    pub reach: Reach,
    /// Whether it needed more still, which would be too much to list.
    pub has_more: bool,
    /// How many times it was denied.
    pub denied: u64,
    /// The reach that it lacked then.
    pub lacking: Reach,
}

impl Summary {
    /// Reads the trail, or what is younger of it.
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

    /// What one component did under a driver's name.
    pub fn of(&self, driver: &str, digest: &str) -> Usage {
        let key = (driver.to_owned(), digest.to_owned());
        self.drivers.get(&key).cloned().unwrap_or_default()
    }

    fn add(&mut self, record: Record) {
        seen(&mut self.first, &mut self.last, &record.time);
        let key = (record.driver, record.digest);
        if key.0.is_empty() {
            return;
        }
        let usage = self.drivers.entry(key).or_default();
        if record.event == Event::Run {
            usage.runs += 1;
            seen(&mut usage.first, &mut usage.last, &record.time);
        }
        // A call of another version of this program has nothing to say here.
        let call: Option<Call> = record.call.and_then(|call| call.parse().ok());
        let (Some(call), Some(verdict)) = (call, record.verdict) else {
            return;
        };
        let call = usage.calls.entry(call).or_default();
        match verdict {
            Verdict::Allow => {
                call.allowed += 1;
                call.has_more |= join(&mut call.reach, &record.reach);
                seen(&mut call.first, &mut call.last, &record.time);
            }
            Verdict::Deny => {
                call.denied += 1;
                join(&mut call.lacking, &record.reach);
            }
        }
    }
}

/// Adds to a reach, unless it's long already: then it says that there is more.
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

/// Lines come in the order of their times, but for those of runs at the same
/// time.
fn seen(first: &mut Option<String>, last: &mut Option<String>, time: &str) {
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
