//! What programs decide, against what their lines say.

use std::collections::BTreeSet;

use super::*;
use crate::Needs;
use crate::filter::list;

/// What a filter sees.
#[derive(Debug, Clone, Copy)]
struct Data {
    number: u32,
    architecture: u32,
    arguments: [u64; 6],
}

impl Data {
    fn word(&self, place: u32) -> u32 {
        match place {
            NUMBER => self.number,
            ARCHITECTURE => self.architecture,
            _ => {
                let place = (place - ARGUMENTS) / WORD;
                let argument = self.arguments[place as usize / 2];
                word(argument, place % 2)
            }
        }
    }
}

/// The lower (0) or the higher (1) word of an argument.
fn word(argument: u64, place: u32) -> u32 {
    let word = argument >> (32 * place) & u64::from(u32::MAX);
    word.try_into().expect("it's one word")
}

/// Runs a program, as `seccomp_check_filter` in `kernel/seccomp.c` lets one be.
fn run(program: &[Instruction], data: &Data) -> u32 {
    let (mut at, mut loaded, mut steps) = (0, 0, 0);
    loop {
        let it = &program[at];
        at += 1;
        steps += 1;
        assert!(steps <= program.len(), "it goes on for ever");
        match it.code {
            LOAD => loaded = data.word(it.k),
            AND => loaded &= it.k,
            JUMP => at += it.k as usize,
            JUMP_EQUAL | JUMP_NOT_LESS => {
                let holds = match it.code {
                    JUMP_EQUAL => loaded == it.k,
                    _ => loaded >= it.k,
                };
                at += usize::from(if holds { it.jt } else { it.jf });
            }
            RETURN => return it.k,
            code => panic!("{code:#x}"),
        }
    }
}

/// Whether lines allow a call, read one by one.
fn allows(lines: &[Line], data: &Data) -> bool {
    let holds = |argument: &Argument| {
        let long = data.arguments[usize::from(argument.index)];
        let short = word(long, 0);
        match argument.must {
            Must::Eq(value) => short == value,
            Must::Ne(value) => short != value,
            Must::MaskedEq { mask, value } => short & mask == value,
            Must::LongMaskedEq { mask, value } => long & mask == value,
        }
    };
    let mut lines = lines.iter();
    lines.any(|(call, all)| number(*call) == data.number && all.iter().all(holds))
}

/// Values around those that a condition is about.
fn values(must: Must) -> Vec<u64> {
    let (mask, value) = match must {
        Must::Eq(value) | Must::Ne(value) => (u64::from(u32::MAX), u64::from(value)),
        Must::MaskedEq { mask, value } => (mask.into(), value.into()),
        Must::LongMaskedEq { mask, value } => (mask, value),
    };
    let near = [
        value,
        value + 1,
        value | 1 << 40,
        !value,
        value | !mask,
        value ^ mask,
    ];
    let bits = (0..64).map(|bit| value ^ (1 << bit));
    near.into_iter().chain(bits).chain([0, u64::MAX]).collect()
}

/// All that one line's conditions and those of the call's others could be about: a base for
/// which the line holds as far as one value each can tell, with one argument changed.
fn arguments(lines: &[&Line]) -> Vec<[u64; 6]> {
    let mut all = vec![[0; 6], [u64::MAX; 6]];
    for (_, line) in lines {
        let mut base = [0; 6];
        for argument in line {
            base[usize::from(argument.index)] = match argument.must {
                Must::Eq(value) | Must::MaskedEq { value, .. } => value.into(),
                Must::Ne(value) => u64::from(value) + 1,
                Must::LongMaskedEq { value, .. } => value,
            };
        }
        all.push(base);
        for argument in lines.iter().flat_map(|(_, line)| line) {
            for value in values(argument.must) {
                let mut changed = base;
                changed[usize::from(argument.index)] = value;
                all.push(changed);
            }
        }
    }
    all
}

fn agrees(lines: &[Line], otherwise: Action) {
    let program = program(lines.iter().cloned(), otherwise).unwrap();
    let listed: BTreeSet<u32> = lines.iter().map(|(call, _)| number(*call)).collect();
    // With those of the x32 ABI, which have another bit.
    let numbers = (0..1024).chain(listed.iter().map(|it| it | 1 << 30));
    let (mut made, mut refused) = (0, 0);
    for number_of in numbers.chain([u32::MAX]) {
        let of_call = lines.iter().filter(|(call, _)| number(*call) == number_of);
        for arguments in arguments(&of_call.collect::<Vec<_>>()) {
            let mut data = Data {
                number: number_of,
                architecture: OURS,
                arguments,
            };
            let action = match allows(lines, &data) {
                true => Action::Allow,
                false => otherwise,
            };
            match action {
                Action::Allow => made += 1,
                _ => refused += 1,
            }
            assert_eq!(run(&program, &data), action.value(), "{data:?}");
            data.architecture = 0x4000_0003;
            assert_eq!(run(&program, &data), Action::Kill.value(), "{data:?}");
        }
    }
    assert!(made > listed.len() && refused > 1024, "{made}, {refused}");
}

#[test]
fn the_filter_of_a_run_decides_as_its_lines_do() {
    agrees(&list::allowed(&Needs::default()), Action::Trap);
    let all = Needs {
        network: true,
        netfilter: true,
        generic: true,
        announce: true,
        taps: true,
        truncates: true,
        trail: Some(5),
        journald: Some(6),
        kept_open: Some(11),
        ..Needs::default()
    };
    agrees(&list::allowed(&all), Action::Trap);
}

#[test]
fn the_filter_of_a_process_that_looks_decides_as_its_lines_do() {
    agrees(&list::looking(7), Action::Kill);
}

#[test]
fn lines_that_are_far_apart_or_long_are_found() {
    let every_other = (0..440).step_by(2).filter_map(Sysno::new);
    let condition = |value| Argument {
        index: 5,
        must: Must::LongMaskedEq {
            mask: u64::MAX,
            value,
        },
    };
    let lines = every_other.map(|call| (call, vec![condition(u64::MAX / 3)]));
    agrees(&lines.collect::<Vec<_>>(), Action::Trap);
}

#[test]
fn a_line_without_conditions_counts_beside_others() {
    let never = Argument {
        index: 0,
        must: Must::MaskedEq { mask: 0, value: 1 },
    };
    let lines = vec![(Sysno::read, vec![never]), (Sysno::read, Vec::new())];
    let program = program(lines, Action::Trap).unwrap();
    let data = Data {
        number: number(Sysno::read),
        architecture: OURS,
        arguments: [0; 6],
    };
    assert_eq!(run(&program, &data), Action::Allow.value());
}

#[test]
fn what_cannot_be_expressed_is_an_error() {
    let no_argument = Argument {
        index: 6,
        must: Must::Eq(0),
    };
    let result = program([(Sysno::read, vec![no_argument])], Action::Trap);
    assert_eq!(result.unwrap_err(), FilterError::Argument(6));
    let equal = Argument {
        index: 0,
        must: Must::Eq(0),
    };
    let result = program([(Sysno::read, vec![equal; 200])], Action::Trap);
    assert_eq!(result.unwrap_err(), FilterError::TooLong(Sysno::read));
}
