//! Inputs made from seeds without a fuzzer.

use fastrand::Rng;

/// Values at which numbers and lengths turn over, and marks of the formats.
const TOKENS: &[&str] = &[
    "0",
    "-1",
    "255",
    "256",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "1e400",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"",
    "\\u0000",
    "\\",
    "/",
    "..",
    "\n",
    "\r\n",
    "\t",
    " ",
    "=",
    "#",
    "[[",
    "]]",
    "0.0.0.0/0",
    "::/0",
    "fe80::1",
    "10.0.0.1",
    "*",
    "container:",
    "\u{17f}",
    "\u{212a}",
    "\u{202e}",
    "\u{0}",
];

/// The longest input, in bytes.
const LONGEST: usize = 1 << 16;

/// An endless row of inputs that are like some seeds.
#[derive(Debug)]
pub struct Mutations {
    seeds: Vec<Vec<u8>>,
    random: Rng,
}

impl Mutations {
    /// Returns the inputs for a number, always the same.
    pub fn new(seeds: Vec<Vec<u8>>, number: u64) -> Self {
        Self {
            seeds,
            random: Rng::with_seed(number),
        }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let place = self.random.usize(..=input.len());
        let end = (place + self.random.usize(..16)).min(input.len());
        match self.random.u8(..6) {
            0 if place < input.len() => input[place] ^= 1 << self.random.u8(..8),
            1 => drop(input.drain(place..end)),
            2 => {
                let part = input[place..end].to_vec();
                insert(input, place, &part);
            }
            3 => {
                let other = self.random.choice(&self.seeds).cloned().unwrap_or_default();
                let from = self.random.usize(..=other.len());
                let to = (from + self.random.usize(..64)).min(other.len());
                insert(input, place, &other[from..to]);
            }
            _ => {
                let token = self.random.choice(TOKENS).unwrap_or(&"");
                input.drain(place..end);
                insert(input, place, token.as_bytes());
            }
        }
        input.truncate(LONGEST);
    }
}

fn insert(input: &mut Vec<u8>, place: usize, part: &[u8]) {
    input.splice(place..place, part.iter().copied());
}

impl Iterator for Mutations {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.random.choice(&self.seeds).cloned().unwrap_or_default();
        for _ in 0..self.random.usize(1..6) {
            self.change(&mut input);
        }
        Some(input)
    }
}
