//! The seeds, and a fixed number of inputs made from them.

use std::env;

use wasmvark_fuzz::{Mutations, TARGETS, kept};

/// The number of the inputs, unless `WASMVARK_TEST_SEED` has another.
const NUMBER: u64 = 13;

/// What a fuzzer has found once stays found.
#[test]
fn no_kept_input_breaks_a_promise() {
    for target in TARGETS {
        for (file, input) in kept(target.name) {
            println!("{}", file.display());
            (target.run)(&input);
        }
    }
}

#[test]
fn no_input_breaks_a_promise() {
    let number = env::var("WASMVARK_TEST_SEED").ok();
    let number = number.and_then(|text| text.parse().ok()).unwrap_or(NUMBER);
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}", target.name);
        seeds.iter().for_each(|seed| (target.run)(seed));
        let mut inputs = Mutations::new(seeds, number);
        for _ in 0..target.tries {
            let input = inputs.next().unwrap_or_default();
            let tried = std::panic::catch_unwind(|| (target.run)(&input));
            let text = input.escape_ascii();
            assert!(tried.is_ok(), "{}, number {number}: {text}", target.name);
        }
        println!("{}: {} inputs", target.name, target.tries);
    }
}
