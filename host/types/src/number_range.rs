//! Ranges of VLAN ids and VNIs.

use std::fmt;

/// The highest VLAN id. It has 12 bits, and 4095 is reserved (IEEE 802.1Q).
pub const VLAN_MAX: u16 = 4094;

/// Consecutive numbers, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    first: u32,
    last: u32,
}

impl NumberRange {
    /// Returns the range of one number.
    pub fn one(number: impl Into<u32>) -> Self {
        let number = number.into();
        Self {
            first: number,
            last: number,
        }
    }

    /// Returns the range from the first to the last number, or `None` if the last is
    /// below the first.
    pub fn new(first: impl Into<u32>, last: impl Into<u32>) -> Option<Self> {
        let (first, last) = (first.into(), last.into());
        (first <= last).then_some(Self { first, last })
    }

    /// Parses `7` or `10-20`. Spaces around the numbers are allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<u32>().ok();
        Self::new(number(first)?, number(last)?)
    }

    /// Returns the last number.
    pub fn last(self) -> u32 {
        self.last
    }

    /// Whether the range contains another range.
    pub fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for (text, shown) in [("7", "7"), ("10-20", "10-20"), (" 3 - 4 ", "3-4")] {
            let range = NumberRange::parse(text).unwrap();
            assert_eq!(range.to_string(), shown);
        }
        for text in ["", "x", "-", "5-", "-5", "9-8", "1-2-3", "4294967296"] {
            assert_eq!(NumberRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_has_what_is_between_its_ends() {
        let range = |text| NumberRange::parse(text).unwrap();
        assert!(range("10-20").contains(range("10")));
        assert!(range("10-20").contains(range("15-20")));
        assert!(!range("10-20").contains(range("15-21")));
        assert!(!range("10-20").contains(range("9")));
    }
}
