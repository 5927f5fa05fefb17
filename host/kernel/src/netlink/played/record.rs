//! The answers of the real kernel, written down as an input.

use std::cell::RefCell;

use super::script::{Message, how, messages};

/// One exchange: the messages to the kernel, and the datagrams that came.
#[derive(Default)]
struct Exchange {
    sent: Vec<Message>,
    datagrams: Vec<Vec<u8>>,
}

thread_local! {
    static RECORD: RefCell<Option<Vec<Exchange>>> = const { RefCell::new(None) };
}

fn exchanges(work: impl FnOnce()) -> Vec<Exchange> {
    RECORD.with(|record| record.replace(Some(Vec::new())));
    work();
    RECORD.with(RefCell::take).unwrap_or_default()
}

/// Returns the exchanges of some work, without a question before them.
pub(super) fn of(work: impl FnOnce()) -> Vec<u8> {
    exchanges(work).iter().flat_map(Exchange::bytes).collect()
}

/// Returns the messages that some work has sent.
pub(super) fn sent_by(work: impl FnOnce()) -> Vec<Message> {
    let exchanges = exchanges(work).into_iter();
    exchanges.flat_map(|exchange| exchange.sent).collect()
}

pub(super) fn sent(buffer: &[u8]) {
    RECORD.with_borrow_mut(|record| {
        if let Some(exchanges) = record {
            exchanges.push(Exchange {
                sent: messages(buffer),
                datagrams: Vec::new(),
            });
        }
    });
}

pub(super) fn received(datagram: &[u8]) {
    RECORD.with_borrow_mut(|record| {
        if let Some(last) = record.as_mut().and_then(|exchanges| exchanges.last_mut()) {
            last.datagrams.push(datagram.to_vec());
        }
    });
}

/// Writes an answer down.
pub(super) fn answer(how: u8, kind: u16, flags: u16, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let numbers = [kind, flags, length].map(u16::to_ne_bytes);
    [&[how], numbers.as_flattened(), bytes].concat()
}

impl Exchange {
    fn bytes(&self) -> Vec<u8> {
        let mut answers = Vec::new();
        for datagram in &self.datagrams {
            for (place, message) in messages(datagram).into_iter().enumerate() {
                let begins = if place == 0 { how::DATAGRAM } else { 0 };
                answers.push((begins, message));
            }
        }
        if let Some((how, _)) = answers.last_mut() {
            *how |= how::LAST;
        }
        let answers = answers.into_iter();
        answers
            .flat_map(|(how, message)| {
                let mut from_last = self.sent.iter().rev();
                let which = from_last.position(|it| it.number == message.number);
                let which = u8::try_from(which.unwrap_or_default()).unwrap();
                let how = how | which << how::WHICH;
                answer(how, message.kind, message.flags, &message.bytes)
            })
            .collect()
    }
}
