//! A kernel whose answers an input has, in the place of the real one. The sockets of a
//! thread that has such an input are played; those of other threads are the kernel's.
//! Only tests and fuzzers have it.

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

mod questions;
#[cfg(test)]
mod record;
mod script;
#[cfg(test)]
mod tests;
mod wire;

use std::time::{Duration, Instant};

use questions::QUESTIONS;
use script::Script;
use wire::with_script;

pub(super) use wire::Wire;

use super::Netlink;
use crate::{Netns, Timed};

/// More than any answer takes: whoever waits as long waits in vain.
const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static HERE: Netns = Netns::current().expect("this thread's namespace");
}

/// Asks the question that an input names, and has the input's messages answer.
///
/// # Panics
///
/// An answer isn't waited for in the end, or a message counts that another process sent
/// or that answers no request of the exchange.
pub(crate) fn try_one(input: &[u8]) {
    let Some((number, rest)) = input.split_first() else {
        return;
    };
    let script = Script::read(rest);
    let all = ask(*number, script.clone());
    if script.has_strangers() {
        let without = ask(*number, script.without_strangers());
        assert_eq!(all, without, "a stranger's message counts");
    }
}

/// Asks a question, and returns the answer in words.
fn ask(number: u8, script: Script) -> String {
    let (_, ask) = QUESTIONS[usize::from(number) % QUESTIONS.len()];
    with_script(script, || {
        let mut netlink = open();
        let answer = ask(&mut netlink);
        assert!(!answer.contains("Deadline"), "nothing ends it: {answer}");
        answer
    })
}

fn open() -> Netlink {
    let here = HERE.with(Clone::clone);
    let mut netlink = Netlink::open(here.clone(), Some(here)).expect("sockets");
    netlink.set_deadline(Instant::now() + PATIENCE);
    netlink
}
