//! The answers in an input.

use std::collections::VecDeque;

/// The port of another process, which isn't the kernel's.
const STRANGER: u32 = 4242;
/// The bytes of the header of all messages (NLMSG_HDRLEN).
const HEADER: u32 = 16;
/// What one read can take, as netlink-proto has it.
const DATAGRAM_MAX: usize = 64 << 10;

/// The bits of the first byte of an answer.
pub(super) mod how {
    /// It answers no request of the exchange.
    pub(in super::super) const OTHER_NUMBER: u8 = 1;
    /// Another process sent it.
    pub(in super::super) const OTHER_SENDER: u8 = 2;
    /// It begins a datagram.
    pub(in super::super) const DATAGRAM: u8 = 4;
    /// It's the last one of its exchange.
    pub(in super::super) const LAST: u8 = 8;
    /// The length in its header is another one. Where it answers no request it isn't:
    /// what is cut off could be a message that does.
    pub(in super::super) const OTHER_LENGTH: u8 = 16;
    /// The three bits that say which message of the exchange it answers, counted from
    /// the last.
    pub(in super::super) const WHICH: u8 = 5;
}

/// One message. In the input, it's the byte of [`how`], the type, the flags and the
/// length of the rest, each in two bytes of the machine's order, and the rest.
#[derive(Debug, Clone)]
struct Answer {
    how: u8,
    kind: u16,
    flags: u16,
    bytes: Vec<u8>,
}

/// The answers to each exchange, in the order of the exchanges.
#[derive(Debug, Clone, Default)]
pub(super) struct Script(VecDeque<Vec<Answer>>);

/// What one read takes from a socket: the sender's port, and messages.
pub(super) type Datagram = (u32, Vec<u8>);

impl Script {
    pub(super) fn read(mut input: &[u8]) -> Self {
        let mut exchanges = VecDeque::from([Vec::new()]);
        while let Some(([how, head @ ..], rest)) = input.split_first_chunk::<7>() {
            let [kind, flags, length] =
                [0, 2, 4].map(|place| u16::from_ne_bytes([head[place], head[place + 1]]));
            let (bytes, rest) = rest.split_at(usize::from(length).min(rest.len()));
            if let Some(exchange) = exchanges.back_mut() {
                exchange.push(Answer {
                    how: *how,
                    kind,
                    flags,
                    bytes: bytes.to_vec(),
                });
            }
            if how & how::LAST != 0 {
                exchanges.push_back(Vec::new());
            }
            input = rest;
        }
        Self(exchanges)
    }

    pub(super) fn has_strangers(&self) -> bool {
        self.0.iter().flatten().any(Answer::is_strangers)
    }

    pub(super) fn without_strangers(mut self) -> Self {
        for exchange in &mut self.0 {
            let mut is_behind = false;
            exchange.retain_mut(|answer| {
                // Between the same datagrams as before.
                if is_behind {
                    answer.how |= how::DATAGRAM;
                }
                is_behind = answer.is_strangers();
                !is_behind
            });
        }
        self
    }

    /// Answers messages with these sequence numbers. After the answers of the input
    /// comes an error for each, so that nobody waits in vain.
    pub(super) fn answer(&mut self, numbers: &[u32]) -> Vec<Datagram> {
        let mut datagrams: Vec<Datagram> = Vec::new();
        for answer in self.0.pop_front().unwrap_or_default() {
            let (sender, bytes) = answer.message(numbers);
            match datagrams.last_mut() {
                Some((last, before)) if *last == sender && !answer.is_apart() => {
                    before.extend(bytes);
                }
                _ => datagrams.push((sender, bytes)),
            }
        }
        for (_, bytes) in &mut datagrams {
            bytes.truncate(DATAGRAM_MAX);
        }
        datagrams.extend(numbers.iter().map(|number| (0, refusal(*number))));
        datagrams
    }
}

impl Answer {
    fn is_strangers(&self) -> bool {
        self.how & (how::OTHER_NUMBER | how::OTHER_SENDER) != 0
    }

    fn is_apart(&self) -> bool {
        self.is_strangers() || self.how & how::DATAGRAM != 0
    }

    fn message(&self, numbers: &[u32]) -> Datagram {
        let which = u32::from(self.how >> how::WHICH);
        let number = match self.how & how::OTHER_NUMBER {
            0 => {
                let mut from_last = numbers.iter().rev().cycle();
                from_last.nth(which as usize).copied().unwrap_or_default()
            }
            _ => u32::MAX - which,
        };
        let mut length = HEADER.saturating_add(u32::try_from(self.bytes.len()).unwrap_or(0));
        if self.how & (how::OTHER_LENGTH | how::OTHER_NUMBER) == how::OTHER_LENGTH {
            let by = i8::from_ne_bytes([self.bytes.first().copied().unwrap_or_default()]);
            length = length.wrapping_add_signed(by.into());
        }
        let sender = match self.how & how::OTHER_SENDER {
            0 => 0,
            _ => STRANGER,
        };
        let head = header(length, self.kind, self.flags, number);
        (sender, [head, self.bytes.clone()].concat())
    }
}

/// NLMSG_ERROR with EIO.
fn refusal(number: u32) -> Vec<u8> {
    const ERROR: u16 = 2;
    let code = (-nix::libc::EIO).to_ne_bytes();
    let about = header(HEADER, 0, 0, number);
    let head = header(2 * HEADER + 4, ERROR, 0, number);
    [head, code.to_vec(), about].concat()
}

fn header(length: u32, kind: u16, flags: u16, number: u32) -> Vec<u8> {
    [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &flags.to_ne_bytes(),
        &number.to_ne_bytes(),
        &0_u32.to_ne_bytes(),
    ]
    .concat()
}

/// A message in a datagram.
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) flags: u16,
    /// The sequence number.
    pub(super) number: u32,
    /// What is behind the header.
    pub(super) bytes: Vec<u8>,
}

/// Returns the messages in a datagram.
pub(super) fn messages(mut datagram: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some((head, _)) = datagram.split_first_chunk::<{ HEADER as usize }>() {
        let number = |place: usize| u32::from_ne_bytes(std::array::from_fn(|i| head[place + i]));
        let short = |place: usize| u16::from_ne_bytes([head[place], head[place + 1]]);
        let length = (number(0) as usize).clamp(head.len(), datagram.len());
        messages.push(Message {
            kind: short(4),
            flags: short(6),
            number: number(8),
            bytes: datagram[head.len()..length].to_vec(),
        });
        datagram = &datagram[length.next_multiple_of(4).min(datagram.len())..];
    }
    messages
}
