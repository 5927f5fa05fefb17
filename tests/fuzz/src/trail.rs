//! Lines of the audit trail.

use audit::{Record, Since, reach_in_words};

pub(crate) fn run(input: &[u8]) {
    let Some(record) = Record::parse(input) else {
        return;
    };
    let _ = reach_in_words(record.verdict, &record.reach);
    for since in ["1h", "2026-01-02", "2026-01-02T03:04:05Z"] {
        let since: Since = since.parse().expect("a time");
        let _ = since.has(&record);
    }
}
