use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use super::script::{Message, how};
use super::*;

/// The number of inputs that are made from the recorded ones.
const TRIES: u64 = 20_000;

/// The folder of the whole project: `WASMVARK_WORKSPACE`, else where this was built.
fn workspace() -> PathBuf {
    let built = || concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into();
    std::env::var_os("WASMVARK_WORKSPACE").map_or_else(built, PathBuf::from)
}

/// The answers of the kernel to each question.
fn recorded() -> Vec<Vec<u8>> {
    let names = QUESTIONS.iter().map(|(name, _)| *name);
    let made = ["made-firewall", "made-removal", "made-peers"];
    let files = names.chain(made).map(file);
    files.map(|file| fs::read(file).unwrap()).collect()
}

fn file(name: &str) -> PathBuf {
    let folder = workspace().join("tests/fixtures/netlink");
    folder.join(format!("{name}.bin"))
}

/// Writes the answers down, if they are wanted.
#[test]
fn answers_are_recorded() {
    if std::env::var("WASMVARK_TEST_ANSWERS").as_deref() != Ok("write") {
        return;
    }
    for (number, (name, ask)) in (0..).zip(QUESTIONS) {
        let mut netlink = open();
        let answers = record::of(|| println!("{name}: {}", ask(&mut netlink)));
        fs::write(file(name), [vec![number], answers].concat()).unwrap();
    }
    for (name, input) in made() {
        fs::write(file(name), input).unwrap();
    }
}

/// Returns answers that few kernels have, made from what is asked of them: what sets an
/// object has the form of what lists it.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    const ACK: u16 = 4;
    const MULTI: u16 = 2;
    /// NFT_MSG_NEWRULE and NFT_MSG_NEWSETELEM of NFNL_SUBSYS_NFTABLES.
    const NEW_RULE: u16 = 10 << 8 | 6;
    const NEW_ELEMENT: u16 = 10 << 8 | 12;
    let place = |name: &str| QUESTIONS.iter().position(|it| it.0 == name).unwrap();
    let place = |name| u8::try_from(place(name)).unwrap();
    // No error, about a message that wanted an acknowledgement.
    let mut ack = [0; 20];
    ack[4] = 16;
    ack[10] = ACK.to_ne_bytes()[0];
    let ack = record::answer(how::LAST, ERROR, 0, &ack);
    let done = record::answer(how::LAST, DONE, MULTI, &[0; 4]);
    let lists = |messages: Vec<Message>, times| {
        let messages = messages.iter();
        let list = messages.flat_map(|it| record::answer(0, it.kind, MULTI, &it.bytes));
        [list.collect(), done.clone()].concat().repeat(times)
    };
    let script = Script::read(&ack.repeat(64));
    let mut rules = record::sent_by(|| drop(ask(place("add-firewall"), script)));
    rules.retain(|message| [NEW_RULE, NEW_ELEMENT].contains(&message.kind));
    rules.truncate(40);
    let rules = lists(rules, 4);
    // As the family of features is found.
    let features = fs::read(file("features")).unwrap();
    let length = usize::from(u16::from_ne_bytes([features[6], features[7]]));
    let family = &features[1..8 + length];
    let script = Script::read(&[family, &ack].concat());
    let mut peers = record::sent_by(|| drop(ask(place("wireguard"), script)));
    let peers = lists(peers.drain(1..).collect(), 1);
    vec![
        (
            "made-firewall",
            [vec![place("firewall")], rules.clone()].concat(),
        ),
        (
            "made-removal",
            [vec![place("remove-firewall")], rules].concat(),
        ),
        (
            "made-peers",
            [&[place("wireguard")], family, &ack, &peers].concat(),
        ),
    ]
}

/// What a fuzzer has found once stays found.
#[test]
fn no_kept_answer_breaks_a_promise() {
    for entry in fs::read_dir(workspace().join("tests/fuzz/inputs/netlink"))
        .into_iter()
        .flatten()
    {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        try_one(&fs::read(&path).unwrap());
    }
}

#[test]
fn no_answer_from_bytes_breaks_a_promise() {
    let recorded = recorded();
    recorded.iter().for_each(|input| try_one(input));
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..TRIES {
        let mut input = random.choice(&recorded).unwrap().clone();
        for _ in 0..random.usize(1..8) {
            let place = random.usize(..input.len());
            match random.u8(..4) {
                0 => input.truncate(place.max(1)),
                1 => drop(input.splice(place..place, [random.u8(..)])),
                2 => input[place] ^= 1 << random.u8(..8),
                _ => input[place] = random.u8(..),
            }
        }
        let tried = catch_unwind(|| try_one(&input));
        assert!(tried.is_ok(), "{}", input.escape_ascii());
    }
}
