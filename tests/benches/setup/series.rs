//! Pairs of runs, the two contenders in turns.

use std::time::Duration;

use crate::contender::Contender;
use crate::figures::Spread;

/// The pairs before the measured ones.
const WARM_UP: usize = 2;

/// The times of one contender in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    setup: Duration,
    teardown: Duration,
}

/// The times of both contenders, round by round.
#[derive(Debug)]
pub(crate) struct Series(Vec<[Times; 2]>);

/// What of a round is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `setup` alone.
    Setup,
    /// `setup` and `teardown`.
    Both,
}

impl Times {
    fn of(contender: &mut dyn Contender) -> Self {
        Self {
            setup: contender.setup(),
            teardown: contender.teardown(),
        }
    }

    fn of_part(self, part: Part) -> f64 {
        let time = match part {
            Part::Setup => self.setup,
            Part::Both => self.setup + self.teardown,
        };
        time.as_secs_f64() * 1e3
    }
}

impl Series {
    /// Runs both contenders in turns. Each of them begins every other round.
    pub(crate) fn run(rounds: usize, ours: &mut dyn Contender, theirs: &mut dyn Contender) -> Self {
        let mut pairs = Vec::new();
        for round in 0..WARM_UP + rounds {
            let pair = if round % 2 == 0 {
                let first = Times::of(ours);
                [first, Times::of(theirs)]
            } else {
                let first = Times::of(theirs);
                [Times::of(ours), first]
            };
            if round >= WARM_UP {
                pairs.push(pair);
            }
        }
        Self(pairs)
    }

    /// Returns the times of our contender, in milliseconds.
    pub(crate) fn ours(&self, part: Part) -> Spread {
        Spread::of(self.0.iter().map(|[ours, _]| ours.of_part(part)))
    }

    /// Returns the times of the other contender, in milliseconds.
    pub(crate) fn theirs(&self, part: Part) -> Spread {
        Spread::of(self.0.iter().map(|[_, theirs]| theirs.of_part(part)))
    }

    /// Returns the ratios of each pair.
    pub(crate) fn ratio(&self, part: Part) -> Spread {
        let ratios = self.0.iter();
        Spread::of(ratios.map(|[ours, theirs]| ours.of_part(part) / theirs.of_part(part)))
    }
}

/// Measures something alone, and returns its times in milliseconds.
pub(crate) fn alone(rounds: usize, contender: &mut dyn Contender) -> Spread {
    let times: Vec<_> = (0..WARM_UP + rounds)
        .map(|_| Times::of(contender).of_part(Part::Setup))
        .collect();
    Spread::of(times.into_iter().skip(WARM_UP))
}
