//! Pairs of runs, the two contenders in turns.

use crate::contender::Contender;
use crate::figures::Spread;
use crate::run::Cost;

/// The pairs before the measured ones.
const WARM_UP: usize = 2;

/// The costs of one contender in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    setup: Cost,
    teardown: Cost,
}

/// The costs of both contenders, round by round.
#[derive(Debug)]
pub(crate) struct Series(Vec<[Costs; 2]>);

/// What of a round is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `setup` alone.
    Setup,
    /// `setup` and `teardown`.
    Both,
}

impl Costs {
    fn of(contender: &mut dyn Contender) -> Self {
        Self {
            setup: contender.setup(),
            teardown: contender.teardown(),
        }
    }

    fn of_part(self, part: Part) -> Cost {
        match part {
            Part::Setup => self.setup,
            Part::Both => [self.setup, self.teardown].into_iter().sum(),
        }
    }

    fn milliseconds(self, part: Part) -> f64 {
        self.of_part(part).time.as_secs_f64() * 1e3
    }
}

impl Series {
    /// Runs both contenders in turns. Each of them begins every other round.
    pub(crate) fn run(rounds: usize, ours: &mut dyn Contender, theirs: &mut dyn Contender) -> Self {
        let mut pairs = Vec::new();
        for round in 0..WARM_UP + rounds {
            let pair = if round % 2 == 0 {
                let first = Costs::of(ours);
                [first, Costs::of(theirs)]
            } else {
                let first = Costs::of(theirs);
                [Costs::of(ours), first]
            };
            if round >= WARM_UP {
                pairs.push(pair);
            }
        }
        Self(pairs)
    }

    /// Returns the times of our contender, in milliseconds.
    pub(crate) fn ours(&self, part: Part) -> Spread {
        Spread::of(self.0.iter().map(|[ours, _]| ours.milliseconds(part)))
    }

    /// Returns the times of the other contender, in milliseconds.
    pub(crate) fn theirs(&self, part: Part) -> Spread {
        Spread::of(self.0.iter().map(|[_, theirs]| theirs.milliseconds(part)))
    }

    /// Returns the ratios of each pair's times.
    pub(crate) fn ratio(&self, part: Part) -> Spread {
        self.ratios(|costs| costs.milliseconds(part))
    }

    /// Returns the ratios of the processors' times for each pair.
    pub(crate) fn processor_ratio(&self, part: Part) -> Spread {
        self.ratios(|costs| costs.of_part(part).processor.as_secs_f64())
    }

    fn ratios(&self, of: impl Fn(&Costs) -> f64) -> Spread {
        let pairs = self.0.iter();
        Spread::of(pairs.map(|[ours, theirs]| of(ours) / of(theirs)))
    }
}

/// Measures something alone, and returns its times in milliseconds.
pub(crate) fn alone(rounds: usize, contender: &mut dyn Contender) -> Spread {
    let times: Vec<_> = (0..WARM_UP + rounds)
        .map(|_| Costs::of(contender).milliseconds(Part::Setup))
        .collect();
    Spread::of(times.into_iter().skip(WARM_UP))
}
