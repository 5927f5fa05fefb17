//! The earliest time of the lines that a reader shows.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Record;

/// A time, given as such or as a time span before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(Timestamp);

/// A text that isn't a time.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a time: write a time span before now (30s, 10m, 2h, 3d, 1w), or a time in UTC \
     (2026-01-31, 2026-01-31T12:00:00Z)"
)]
pub struct InvalidSince(String);

impl Since {
    /// Whether a line is from this time or later.
    pub fn has(&self, record: &Record) -> bool {
        let time: Result<Timestamp, _> = record.time.parse();
        time.is_ok_and(|time| time >= self.0)
    }

    fn ago(text: &str) -> Option<Timestamp> {
        let unit = text.chars().next_back()?;
        let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        let ago = SignedDuration::from_secs(number.checked_mul(seconds)?);
        (number >= 0).then(|| Timestamp::now().checked_sub(ago).ok())?
    }

    fn at(text: &str) -> Option<Timestamp> {
        let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
        if let Ok(time) = text.parse() {
            return Some(time);
        }
        match (text.parse::<Date>(), text.parse::<DateTime>()) {
            // A whole date parses as a time too, and the beginning of a longer text as a
            // date.
            (Ok(date), _) if text.len() == "2026-01-31".len() => utc(date.into()),
            (_, Ok(time)) => utc(time),
            _ => None,
        }
    }
}

impl FromStr for Since {
    type Err = InvalidSince;

    fn from_str(text: &str) -> Result<Self, InvalidSince> {
        let moment = Self::ago(text).or_else(|| Self::at(text));
        moment
            .map(Self)
            .ok_or_else(|| InvalidSince(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_how_long_ago() {
        let since = |text: &str| text.parse::<Since>().map(|it| it.0.to_string());
        assert_eq!(since("2026-01-31").unwrap(), "2026-01-31T00:00:00Z");
        assert_eq!(since("2026-01-31T12:00").unwrap(), "2026-01-31T12:00:00Z");
        assert_eq!(
            since("2026-01-31T12:00:00+01:00").unwrap(),
            "2026-01-31T11:00:00Z"
        );
        let now = Timestamp::now();
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("3d", 259_200)] {
            let Since(moment) = text.parse().unwrap();
            let ago = now.duration_since(moment).as_secs();
            assert!((ago - seconds).abs() < 5, "{text}: {ago}");
        }
        for text in [
            "",
            "m",
            "10",
            "-5m",
            "10y",
            "tomorrow",
            "99999999999999999w",
            "é",
        ] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
