//! A model of the promise that a driver reaches only what the operator's grant and the
//! user's request allow.
//!
//! Hostile guests make random calls on a simulated kernel. An oracle that doesn't use
//! `decide` judges the changes. `WASMVARK_TEST_SEQUENCES` sets the number of sequences,
//! and `WASMVARK_TEST_SEED` their seed.
//!
//! `tests/fuzz` plays it too, with sequences that a fuzzer makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "only tests and fuzzers have it"
)]
#![cfg_attr(
    not(test),
    allow(dead_code, unused_imports, reason = "a fuzzer only plays its inputs")
)]

mod dice;
mod grants;
pub(crate) mod inputs;
mod oracle;
mod play;
mod pools;
mod steps;
mod words;
mod world;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use fastrand::Rng;
use policy::Call;

use grants::Granted;
use oracle::Violation;
use play::{Played, Scene, Source, Stage, play};
use steps::Step;
use words::Words;

/// The number of sequences, unless the variable sets another.
const SEQUENCES: u64 = 100_000;
/// The seed of the sequences, unless the variable sets another.
const SEED: u64 = 13;
/// The number of sequences that share one random grant.
const SEQUENCES_OF_GRANT: u64 = 100;

/// The shortest sequence so far that breaks a promise.
struct Broken {
    number: u64,
    steps: Vec<Step>,
    times: u64,
}

#[test]
fn a_hostile_driver_reaches_no_more_than_was_said() {
    let (count, seed) = (
        variable("WASMVARK_TEST_SEQUENCES", SEQUENCES),
        variable("WASMVARK_TEST_SEED", SEED),
    );
    let (shipped, words) = (grants::shipped(), words::all());
    let stages = stages(&shipped);
    let began = Instant::now();
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    let (mut made, mut done) = (0, BTreeMap::new());
    let mut written = random(seed, 0);
    for number in 0..count {
        if number % SEQUENCES_OF_GRANT == 0 {
            written = random(seed, number);
        }
        let granted = shipped.get(turn(number, shipped.len())).unwrap_or(&written);
        let rng = Rng::with_seed(mix(seed, number));
        let played = in_scene(&stages, granted, &words, rng, |scene, mut rng| {
            play(scene, Source::New(&mut rng), false)
        });
        made += played.made;
        for call in &played.done {
            *done.entry(*call).or_insert(0_u64) += 1;
        }
        note(&mut broken, number, &played);
    }
    let seconds = began.elapsed().as_secs_f64();
    // The return values of `create` and `setup` aren't calls.
    let calls = Call::ALL.iter().filter(|call| !call.is_returned());
    let never = calls.filter(|call| !done.contains_key(call));
    let never: Vec<&str> = never.map(|call| call.name()).collect();
    // The test harness captures `println!`, but not this.
    let _ = writeln!(
        std::io::stderr(),
        "model of the promise: {count} sequences, {made} calls, {} of which did something, \
         in {seconds:.0} s; promises broken: {}; calls that never did: {never:?}",
        done.values().sum::<u64>(),
        broken.len()
    );
    let texts: Vec<String> = broken
        .iter()
        .map(|(rule, broken)| {
            let written = random(seed, broken.number);
            let granted = shipped.get(turn(broken.number, shipped.len()));
            let rng = Rng::with_seed(mix(seed, broken.number));
            in_scene(
                &stages,
                granted.unwrap_or(&written),
                &words,
                rng,
                |scene, _| explain(scene, rule, broken),
            )
        })
        .collect();
    assert!(
        broken.is_empty(),
        "with the seed {seed}:\n\n{}",
        texts.join("\n")
    );
    assert!(
        count < SEQUENCES || never.is_empty(),
        "no sequence gets through with {never:?}"
    );
}

fn variable(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => otherwise,
    }
}

/// Returns the stage of each driver.
fn stages(shipped: &[Granted]) -> BTreeMap<String, Stage> {
    let drivers = shipped.iter().map(|granted| granted.driver.clone());
    let drivers = drivers.chain(["random".to_owned()]);
    drivers
        .map(|driver| {
            let stage = Stage::new(&driver);
            (driver, stage)
        })
        .collect()
}

/// Returns the index of a sequence's shipped grant. It's out of range for half of the
/// sequences, which have a random grant.
fn turn(number: u64, shipped: usize) -> usize {
    usize::try_from(number).unwrap() % (2 * shipped)
}

/// Returns the random grant of a sequence.
fn random(seed: u64, number: u64) -> Granted {
    grants::random(&mut Rng::with_seed(mix(
        seed ^ 1,
        number / SEQUENCES_OF_GRANT,
    )))
}

fn mix(seed: u64, number: u64) -> u64 {
    (seed << 40) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn in_scene<T>(
    stages: &BTreeMap<String, Stage>,
    granted: &Granted,
    words: &[Words],
    mut rng: Rng,
    work: impl FnOnce(Scene<'_>, Rng) -> T,
) -> T {
    let scene = Scene {
        stage: &stages[&granted.driver],
        granted,
        words: &words[rng.usize(..words.len())],
        completes: rng.bool(),
        texts: None,
    };
    work(scene, rng)
}

fn note(broken: &mut BTreeMap<String, Broken>, number: u64, played: &Played) {
    let rules = played.violations.iter().map(|it| it.rule.clone());
    let mut rules: Vec<String> = rules.collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        let new = || Broken {
            number,
            steps: played.steps.clone(),
            times: 0,
        };
        let known = broken.entry(rule).or_insert_with(new);
        known.times += 1;
        if played.steps.len() < known.steps.len() {
            (known.number, known.steps) = (number, played.steps.clone());
        }
    }
}

/// Describes the fewest steps that still break a promise.
fn explain(scene: Scene<'_>, rule: &str, broken: &Broken) -> String {
    let breaks = |steps: &[Step]| {
        let played = play(scene, Source::Known(steps), false);
        played.violations.iter().any(|it| it.rule == rule)
    };
    let steps = shrink(&broken.steps, breaks);
    let played = play(scene, Source::Known(&steps), true);
    let calls: Vec<_> = steps.iter().map(|step| step.call).collect();
    let what = played.violations.iter().filter(|it| it.rule == rule);
    let what: Vec<String> = what.map(Violation::to_string).collect();
    format!(
        "BROKEN {} times: {}\n  grant of {}: {}\n  user: {}\n  {}\n",
        broken.times,
        what.join("; "),
        scene.granted.driver,
        scene.granted.text(&calls).join(", "),
        scene.words.title,
        played.script.join("\n  ")
    )
}

/// Drops all steps that the break doesn't need.
fn shrink(steps: &[Step], breaks: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut steps = steps.to_vec();
    let mut place = steps.len();
    while place > 0 {
        place -= 1;
        let mut fewer = steps.clone();
        fewer.remove(place);
        if breaks(&fewer) {
            steps = fewer;
        }
    }
    steps
}
