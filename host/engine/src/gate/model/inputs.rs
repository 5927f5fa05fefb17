//! Sequences that are read from bytes, so that a fuzzer can play the hostile driver.

use std::sync::Arc;

use fastrand::Rng;
use policy::Call;

use super::grants::{self, Granted};
use super::play::{Played, Scene, Source, Stage, new_step, play};
use super::steps::Step;
use super::words::{self, Words};

/// The random grants beside those of the shipped drivers.
const RANDOM: u64 = 64;
/// The bytes that say which grant, which user, and whether the setup is completed.
const HEAD: usize = 3;
/// The bytes of a step: its call and its arguments.
const STEP: usize = 9;
/// In the place of a call: the steps end, and texts follow.
const END: u8 = u8::MAX;
/// The most steps of a sequence.
const STEPS_MAX: usize = 16;
/// The longest text. The gate's own bounds are longer for hardly anything.
const TEXT_MAX: usize = 300;

/// All that doesn't change from input to input.
struct World {
    granted: Vec<(Granted, Arc<Stage>)>,
    words: Vec<Words>,
}

impl World {
    fn new() -> Self {
        let stage = Arc::new(Stage::new("random"));
        // Those of the shipped drivers are last, so that one more leaves inputs as they
        // are.
        let mut granted: Vec<_> = (0..RANDOM)
            .map(|seed| (random(seed), Arc::clone(&stage)))
            .collect();
        granted.extend(grants::shipped().into_iter().map(|granted| {
            let stage = Arc::new(Stage::new(&granted.driver));
            (granted, stage)
        }));
        Self {
            granted,
            words: words::all(),
        }
    }
}

fn random(seed: u64) -> Granted {
    grants::random(&mut Rng::with_seed(seed))
}

thread_local! {
    static WORLD: World = World::new();
}

/// What an input says.
struct Sequence {
    granted: usize,
    words: usize,
    completes: bool,
    steps: Vec<Step>,
    texts: Vec<String>,
}

impl Sequence {
    fn read(input: &[u8]) -> Option<Self> {
        let (head, mut rest) = input.split_first_chunk::<HEAD>()?;
        let mut steps = Vec::new();
        while steps.len() < STEPS_MAX
            && let Some((step, after)) = rest.split_first_chunk::<STEP>()
            && step[0] != END
        {
            let seed = step[1..].try_into().unwrap();
            steps.push(Step {
                number: u32::try_from(steps.len()).unwrap(),
                call: Call::ALL[usize::from(step[0]) % Call::ALL.len()],
                seed: u64::from_le_bytes(seed),
            });
            rest = after;
        }
        let texts = rest.strip_prefix(&[END]).unwrap_or_default();
        let texts = texts.split(|byte| *byte == b'\n').take(8);
        let texts = texts.map(|text| {
            let text = &text[..text.len().min(TEXT_MAX)];
            String::from_utf8_lossy(text).into_owned()
        });
        Some(Self {
            granted: head[0].into(),
            words: head[1].into(),
            completes: head[2] & 1 == 1,
            steps,
            texts: texts.filter(|text| !text.is_empty()).collect(),
        })
    }

    fn play(&self, world: &World, in_words: bool) -> Played {
        let (granted, stage) = &world.granted[self.granted % world.granted.len()];
        let scene = Scene {
            stage,
            granted,
            words: &world.words[self.words % world.words.len()],
            completes: self.completes,
            texts: Some(&self.texts),
        };
        play(scene, Source::Known(&self.steps), in_words)
    }
}

/// Plays the sequence in an input.
///
/// # Panics
///
/// A promise is broken.
pub(crate) fn try_one(input: &[u8]) {
    let Some(sequence) = Sequence::read(input) else {
        return;
    };
    WORLD.with(|world| {
        let played = sequence.play(world, false);
        if played.violations.is_empty() {
            return;
        }
        let violations = played.violations.iter().map(ToString::to_string);
        let violations: Vec<String> = violations.collect();
        let (granted, _) = &world.granted[sequence.granted % world.granted.len()];
        let calls: Vec<Call> = sequence.steps.iter().map(|step| step.call).collect();
        panic!(
            "BROKEN: {}\n  grant of {}: {}\n  user: {}\n  {}\n",
            violations.join("; "),
            granted.driver,
            granted.text(&calls).join(", "),
            world.words[sequence.words % world.words.len()].title,
            sequence.play(world, true).script.join("\n  ")
        );
    });
}

/// Returns inputs to begin with: sequences as the model draws them.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    const TEXTS: &[u8] =
        b"eth0\n10.5.0.2/24\n02:00:00:00:aa:03\nnet.ipv4.conf.all.forwarding\n::/0\n7";
    let shipped = grants::shipped();
    let sample = |number: u8| {
        let mut rng = Rng::with_seed(number.into());
        let random = random(number.into());
        let of_driver = usize::from(number).checked_sub(usize::try_from(RANDOM).unwrap());
        let granted = of_driver.and_then(|place| shipped.get(place));
        let granted = granted.unwrap_or(&random);
        let mut steps: Vec<Step> = Vec::new();
        for _ in 0..8 {
            let step = new_step(&mut rng, &steps, granted, !steps.is_empty());
            steps.push(step);
        }
        let mut input = vec![number, rng.u8(..), rng.u8(..)];
        for step in steps {
            let call = Call::ALL.iter().position(|call| *call == step.call);
            input.push(u8::try_from(call.unwrap()).unwrap());
            input.extend(step.seed.to_le_bytes());
        }
        input.push(END);
        input.extend(TEXTS);
        input
    };
    (0..96).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of inputs that are made from the samples.
    const TRIES: u64 = 2_000;

    /// What a fuzzer has found once stays found.
    #[test]
    fn no_kept_sequence_breaks_a_promise() {
        let folder = grants::workspace().join("tests/fuzz/inputs/gate");
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            try_one(&std::fs::read(&path).unwrap());
        }
    }

    #[test]
    fn no_sequence_from_bytes_breaks_a_promise() {
        let samples = samples();
        samples.iter().for_each(|sample| try_one(sample));
        let mut rng = Rng::with_seed(13);
        for _ in 0..TRIES {
            let mut input = rng.choice(&samples).unwrap().clone();
            for _ in 0..rng.usize(1..20) {
                let place = rng.usize(..input.len());
                input[place] = rng.u8(..);
            }
            let tried = std::panic::catch_unwind(|| try_one(&input));
            assert!(tried.is_ok(), "{}", input.escape_ascii());
        }
    }
}
