//! The real kernel and the one in memory play the same random operations, and must
//! agree: in each answer, and in all that can be read of them.
//!
//! `WASMVARK_TEST_DIFFERENTIAL` says how many sequences there are, and
//! `WASMVARK_TEST_SEED` which.
//!
//! - [`operation`]: what can be done, and [`generate`], [`pools`]: with what
//! - [`probe`]: what this kernel has
//! - [`machine`]: where both begin
//! - [`side`], [`resolve`]: an operation before a kernel
//! - [`dump`]: all that can be read of a kernel, and what isn't compared of it
//! - [`play`]: a sequence before both, and the shortest that tells them apart

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod dump;
mod generate;
mod machine;
mod operation;
mod play;
mod pools;
mod probe;
mod resolve;
mod side;

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use wasmvark_tests::harness::{Need, Suite};

use play::{operations, play, shrink};
use probe::Features;

/// How many sequences there are.
const SEQUENCES: u64 = 1000;
/// Which they are: the same on every machine.
const SEED: u64 = 13;
/// How many operations come between two dumps.
const STRIDE: usize = 8;
/// How many differences are told; the first ones tell the most.
const TOLD: usize = 8;

fn main() {
    let mut suite = Suite::default();
    let summary = Arc::new(Mutex::new(None));
    let said = Arc::clone(&summary);
    suite.test("differential/sequences", &[Need::Root], move || {
        sequences(&said);
    });
    suite.run_then(move || {
        if let Some(summary) = summary.lock().expect("no thread panicked").take() {
            println!("{summary}");
        }
    });
}

fn variable(name: &str, otherwise: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => otherwise,
    }
}

fn sequences(summary: &Mutex<Option<String>>) {
    let count = variable("WASMVARK_TEST_DIFFERENTIAL", SEQUENCES);
    let seed = variable("WASMVARK_TEST_SEED", SEED);
    let features = Features::find();
    let began = Instant::now();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let told = Mutex::new(Vec::new());
    let work = || {
        while told.lock().expect("no thread panicked").len() < TOLD {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let operations = operations(mix(seed, number), &features);
            match play(&operations, STRIDE, &features) {
                None => {
                    done.fetch_add(operations.len() as u64, Ordering::Relaxed);
                }
                Some(difference) => {
                    let (fewest, difference) = shrink(&operations, difference, &features);
                    let steps = fewest.iter().map(|step| format!("  {step:?}"));
                    let steps: Vec<String> = steps.collect();
                    let text = format!(
                        "sequence {number} of seed {seed}:\n{}\n  real:\n    {}\n  simulated:\n    {}\n",
                        steps.join("\n"),
                        difference.real.join("\n    "),
                        difference.simulated.join("\n    ")
                    );
                    told.lock().expect("no thread panicked").push(text);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let told = told.into_inner().expect("no thread panicked");
    *summary.lock().expect("no thread panicked") = Some(format!(
        "the simulated kernel beside the real one, seed {seed}: {} sequences, {} operations \
         compared in {:.0} s, {} differences; this kernel has {features:?}",
        next.into_inner().min(count),
        done.into_inner(),
        began.elapsed().as_secs_f64(),
        told.len()
    ));
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

fn mix(seed: u64, number: u64) -> u64 {
    (seed << 40) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
