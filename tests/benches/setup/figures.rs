//! Medians and quartiles.

use serde::Serialize;

/// The middle of some numbers, and how far half of them are spread around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The first quartile.
    pub(crate) q1: f64,
    /// The median.
    pub(crate) median: f64,
    /// The third quartile.
    pub(crate) q3: f64,
}

impl Spread {
    /// Returns the quartiles of at least one number. Between two numbers they are
    /// interpolated.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            let place = (numbers.len() - 1) * quarter;
            let (index, rest) = (place / 4, place % 4);
            let next = numbers.get(index + 1).unwrap_or(&numbers[index]);
            let share = f64::from(u8::try_from(rest).expect("less than 4")) / 4.0;
            numbers[index] + (next - numbers[index]) * share
        };
        Self {
            q1: at(1),
            median: at(2),
            q3: at(3),
        }
    }

    /// Returns all three numbers divided by another one.
    pub(crate) fn over(self, divisor: f64) -> Self {
        Self {
            q1: self.q1 / divisor,
            median: self.median / divisor,
            q3: self.q3 / divisor,
        }
    }
}
