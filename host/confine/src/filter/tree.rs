//! The filter as a program: a search tree over the numbers of system calls.
//!
//! A list that is gone through call by call takes ten times as long to install, because the
//! kernel runs a new filter once for each number that there is
//! (`seccomp_cache_prepare` in `kernel/seccomp.c`).

use seccompiler::sock_filter as Instruction;
use syscalls::Sysno;

use super::list::{Argument, Line, Must};

/// Where a system call's number and its caller's architecture are in what a filter sees
/// (`struct seccomp_data` in `linux/seccomp.h`).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// Where the arguments begin. Each has two words, the low one first: no processor of ours
/// has another order.
const ARGUMENTS: u32 = 16;
const WORD: u32 = 4;
/// The number of arguments.
const ARGUMENTS_MAX: u8 = 6;

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_AARCH64` (`linux/audit.h`).
#[cfg(target_arch = "x86_64")]
const OURS: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const OURS: u32 = 0xc000_00b7;

/// Instructions (`linux/bpf_common.h`): load a word of what the filter sees; keep some bits;
/// jump if equal, if not less, or always; return.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_NOT_LESS: u16 = 0x35;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

/// What happens to a system call (`linux/seccomp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is made.
    Allow,
    /// It raises SIGSYS.
    Trap,
    /// It ends the process.
    Kill,
}

impl Action {
    fn value(self) -> u32 {
        match self {
            Self::Allow => 0x7fff_0000,
            Self::Trap => 0x0003_0000,
            Self::Kill => 0x8000_0000,
        }
    }
}

/// Why a filter can't be made. Each is a bug in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No system call has such an argument.
    #[error("a system call has no argument {0}; please report it")]
    Argument(u8),
    /// A condition is too long to be jumped over.
    #[error("the conditions on {0} are too long for a filter; please report it")]
    TooLong(Sysno),
}

/// What a range of numbers has in common. The range ends where the next one begins.
#[derive(Debug)]
struct Range {
    start: u32,
    verdict: Verdict,
}

#[derive(Debug)]
enum Verdict {
    Refused,
    Allowed,
    /// Allowed as the instructions decide.
    Decided(Vec<Instruction>),
}

/// Makes the program. Calls that no line allows, and those of another architecture, get
/// `otherwise` and [`Action::Kill`]. A call that one line allows whatever its arguments
/// needs no other line.
///
/// # Errors
///
/// A line can't be expressed.
pub(super) fn program(
    lines: impl IntoIterator<Item = Line>,
    otherwise: Action,
) -> Result<Vec<Instruction>, FilterError> {
    let mut program = vec![
        load(ARCHITECTURE),
        jump_if(JUMP_EQUAL, OURS, 1, 0),
        end(Action::Kill),
        load(NUMBER),
    ];
    program.extend(search(&ranges(lines, otherwise)?, otherwise));
    Ok(program)
}

/// Makes a program that allows everything.
pub(super) fn everything() -> Vec<Instruction> {
    vec![end(Action::Allow)]
}

/// Returns the ranges of numbers, in order and without a gap.
fn ranges(
    lines: impl IntoIterator<Item = Line>,
    otherwise: Action,
) -> Result<Vec<Range>, FilterError> {
    let mut lines: Vec<(u32, Line)> = lines.into_iter().map(|it| (number(it.0), it)).collect();
    lines.sort_by_key(|(number, _)| *number);
    let mut ranges = vec![Range {
        start: 0,
        verdict: Verdict::Refused,
    }];
    for of_call in lines.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((number, (call, _))) = of_call.first() else {
            continue;
        };
        let of_call: Vec<&[Argument]> = of_call.iter().map(|(_, (_, all))| &**all).collect();
        begin(&mut ranges, *number, verdict(*call, &of_call, otherwise)?);
        begin(&mut ranges, number.saturating_add(1), Verdict::Refused);
    }
    Ok(ranges)
}

fn number(call: Sysno) -> u32 {
    call.id().cast_unsigned()
}

/// Begins a range, in place of one that begins there and is empty therefore, or as a part
/// of one with the same verdict.
fn begin(ranges: &mut Vec<Range>, start: u32, verdict: Verdict) {
    if ranges.last().is_some_and(|last| last.start == start) {
        ranges.pop();
    }
    let before = ranges.last().map(|last| &last.verdict);
    let goes_on = match verdict {
        Verdict::Refused => matches!(before, Some(Verdict::Refused)),
        Verdict::Allowed => matches!(before, Some(Verdict::Allowed)),
        Verdict::Decided(_) => false,
    };
    if !goes_on {
        ranges.push(Range { start, verdict });
    }
}

/// Returns what the lines of one call say together.
fn verdict(call: Sysno, lines: &[&[Argument]], otherwise: Action) -> Result<Verdict, FilterError> {
    if lines.iter().any(|line| line.is_empty()) {
        return Ok(Verdict::Allowed);
    }
    let mut program = Vec::new();
    for line in lines {
        program.extend(allowed_if(call, line)?);
    }
    program.push(end(otherwise));
    Ok(Verdict::Decided(program))
}

/// Allows a call if all conditions hold. If one doesn't, what follows decides.
fn allowed_if(call: Sysno, conditions: &[Argument]) -> Result<Vec<Instruction>, FilterError> {
    let mut program = vec![end(Action::Allow)];
    // From the last one, because each must know how far it is to the end.
    for condition in conditions.iter().rev() {
        for check in checks(condition)?.into_iter().rev() {
            let past = u8::try_from(program.len()).map_err(|_| FilterError::TooLong(call))?;
            let compare = match check.must_equal {
                true => jump_if(JUMP_EQUAL, check.value, 0, past),
                false => jump_if(JUMP_EQUAL, check.value, past, 0),
            };
            let mask = check.mask.map(|mask| instruction(AND, mask));
            let check = [load(check.place)].into_iter().chain(mask).chain([compare]);
            program.splice(..0, check);
        }
    }
    Ok(program)
}

/// A comparison of one word.
struct Check {
    place: u32,
    mask: Option<u32>,
    value: u32,
    must_equal: bool,
}

/// Returns the comparisons that stand for a condition.
fn checks(condition: &Argument) -> Result<Vec<Check>, FilterError> {
    if condition.index >= ARGUMENTS_MAX {
        return Err(FilterError::Argument(condition.index));
    }
    let low = ARGUMENTS + u32::from(condition.index) * 2 * WORD;
    let high = low + WORD;
    let check = |place, mask, value| Check {
        place,
        mask,
        value,
        must_equal: true,
    };
    Ok(match condition.must {
        Must::Eq(value) => vec![check(low, None, value)],
        Must::Ne(value) => vec![Check {
            must_equal: false,
            ..check(low, None, value)
        }],
        Must::MaskedEq { mask, value } => vec![check(low, Some(mask), value)],
        Must::LongMaskedEq { mask, value } => {
            let ([low_mask, high_mask], [low_value, high_value]) = (halves(mask), halves(value));
            vec![
                check(low, Some(low_mask), low_value),
                check(high, Some(high_mask), high_value),
            ]
        }
    })
}

/// Returns the low and the high half of a number.
fn halves(number: u64) -> [u32; 2] {
    [number & u64::from(u32::MAX), number >> u32::BITS]
        .map(|half| u32::try_from(half).unwrap_or_default())
}

/// Finds the range of the loaded number.
fn search(ranges: &[Range], otherwise: Action) -> Vec<Instruction> {
    let (left, right) = ranges.split_at(ranges.len() / 2);
    let (Some(middle), false) = (right.first(), left.is_empty()) else {
        return ranges
            .first()
            .map_or_else(|| vec![end(otherwise)], |range| decide(range, otherwise));
    };
    let (left, right) = (search(left, otherwise), search(right, otherwise));
    let mut program = match u8::try_from(left.len()) {
        Ok(past) => vec![jump_if(JUMP_NOT_LESS, middle.start, past, 0)],
        Err(_) => vec![
            jump_if(JUMP_NOT_LESS, middle.start, 0, 1),
            instruction(JUMP, u32::try_from(left.len()).unwrap_or(u32::MAX)),
        ],
    };
    program.extend(left);
    program.extend(right);
    program
}

fn decide(range: &Range, otherwise: Action) -> Vec<Instruction> {
    match &range.verdict {
        Verdict::Refused => vec![end(otherwise)],
        Verdict::Allowed => vec![end(Action::Allow)],
        Verdict::Decided(program) => program.clone(),
    }
}

fn load(place: u32) -> Instruction {
    instruction(LOAD, place)
}

fn end(action: Action) -> Instruction {
    instruction(RETURN, action.value())
}

fn instruction(code: u16, k: u32) -> Instruction {
    Instruction {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

/// Jumps over that many instructions if a comparison holds, and if it doesn't.
fn jump_if(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

#[cfg(test)]
mod tests;
