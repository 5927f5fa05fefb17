//! The source of random choices, and of those that an input makes.

use std::ops::RangeTo;

use fastrand::Rng;

/// A source of choices.
pub(super) enum Dice {
    /// All choices follow from a seed.
    Seeded(Rng),
    /// The choices are the digits of a number, each to the base of its choice. Numbers
    /// that differ a little make choices that differ a little, which a fuzzer needs.
    /// After the last digit all are 0.
    Digits(u64),
}

impl Dice {
    /// The next choice below a number.
    pub(super) fn index(&mut self, end: usize) -> usize {
        match self {
            Self::Seeded(rng) => rng.usize(..end),
            Self::Digits(rest) => {
                let digit = digit(rest, u64::try_from(end).unwrap());
                usize::try_from(digit).unwrap()
            }
        }
    }

    /// The next choice below a small number.
    pub(super) fn u8(&mut self, range: RangeTo<u8>) -> u8 {
        match self {
            Self::Seeded(rng) => rng.u8(range),
            Self::Digits(rest) => u8::try_from(digit(rest, range.end.into())).unwrap(),
        }
    }

    /// The next choice below a number.
    pub(super) fn u32(&mut self, range: RangeTo<u32>) -> u32 {
        match self {
            Self::Seeded(rng) => rng.u32(range),
            Self::Digits(rest) => u32::try_from(digit(rest, range.end.into())).unwrap(),
        }
    }

    /// Salt: any number. Of digits it is a short one.
    pub(super) fn salt(&mut self) -> u64 {
        match self {
            Self::Seeded(rng) => rng.u64(..),
            Self::Digits(rest) => digit(rest, 16),
        }
    }

    /// The next choice of two.
    pub(super) fn bool(&mut self) -> bool {
        match self {
            Self::Seeded(rng) => rng.bool(),
            Self::Digits(rest) => digit(rest, 2) == 1,
        }
    }
}

fn digit(rest: &mut u64, base: u64) -> u64 {
    let digit = *rest % base;
    *rest /= base;
    digit
}
