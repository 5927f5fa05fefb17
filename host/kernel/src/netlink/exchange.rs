//! How messages get to the kernel, and its answers back: for rtnetlink's own
//! requests by its handle, for all other families by a [`Channel`]. Both are
//! netlink-proto's connections.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::num::NonZeroI32;
use std::ops::RangeInclusive;
use std::pin::Pin;

use futures_util::stream::{self, PollNext, Stream, StreamExt, select_with_strategy};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;
use rtnetlink::Handle;
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use rtnetlink::proto::{self, ConnectionHandle, ReplyExpectation};
use rtnetlink::sys::{AsyncSocket, Socket, SocketAddr};
use socket2::SockRef;
use tokio::runtime::Handle as RuntimeHandle;

use crate::KernelError;

/// The socket of a connection.
#[cfg(not(any(test, fuzzing)))]
pub(super) type Wire = rtnetlink::sys::TokioSocket;
#[cfg(any(test, fuzzing))]
pub(super) use super::played::Wire;

/// The port of the kernel (`nl_pid` in `netlink(7)`).
const KERNEL: u32 = 0;
/// Bytes of the send buffer that no datagram can have (`netlink_sendmsg` in
/// `net/netlink/af_netlink.c`).
const SEND_OVERHEAD: usize = 32;

/// A message of any family, encoded. Answers stay so until they are read:
/// netlink-proto leaves out what it can't decode, and the answer would seem to be
/// complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    kind: u16,
    bytes: Vec<u8>,
}

impl Raw {
    /// A message of a kind (`nlmsg_type`) that is encoded already.
    pub(super) fn new(kind: u16, bytes: Vec<u8>) -> Self {
        Self { kind, bytes }
    }

    /// Encodes a message.
    pub(super) fn encode(message: &impl NetlinkSerializable) -> Self {
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        Self::new(message.message_type(), bytes)
    }

    /// Decodes a message.
    pub(super) fn decode<T: NetlinkDeserializable>(&self) -> Result<T, KernelError> {
        let mut header = NetlinkHeader::default();
        header.message_type = self.kind;
        T::deserialize(&header, &self.bytes)
            .map_err(|error| KernelError::Netlink(error.to_string()))
    }

    /// The message behind the header that all messages have.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl NetlinkSerializable for Raw {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.bytes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        for (to, from) in buffer.iter_mut().zip(&self.bytes) {
            *to = *from;
        }
    }
}

impl NetlinkDeserializable for Raw {
    type Error = Infallible;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, Infallible> {
        Ok(Self::new(header.message_type, payload.to_vec()))
    }
}

/// A message with its header, and whether its answer ends the exchange.
pub(super) type Outgoing = (NetlinkMessage<Raw>, ReplyExpectation);

/// Puts a header before a message, with these flags besides `NLM_F_REQUEST`.
pub(super) fn outgoing(message: Raw, flags: u16, reply: ReplyExpectation) -> Outgoing {
    let payload = NetlinkPayload::InnerMessage(message);
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
    message.header.flags = NLM_F_REQUEST | flags;
    (message, reply)
}

/// The answers to a request.
#[derive(Debug)]
pub(super) struct Answers {
    /// What the kernel sent, in its order.
    pub(super) messages: Vec<Raw>,
    /// Whether the objects of a dump changed while the kernel listed them.
    pub(super) interrupted: bool,
}

/// A connection to a family other than rtnetlink's. Exchanges follow one another:
/// what another one left unread would be taken for an answer to the next, so a
/// channel on which one broke down or ran out of time isn't used again.
pub(super) struct Channel {
    handle: ConnectionHandle<Raw>,
    /// What the kernel sends and what answers no message whose reply is expected.
    unsolicited: Pin<Box<dyn Stream<Item = NetlinkMessage<Raw>> + Send>>,
    /// The number of messages so far: the last one's sequence number.
    sent: u32,
    /// Bytes that one datagram can have.
    datagram_max: usize,
}

impl Channel {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open(
        runtime: &RuntimeHandle,
        protocol: isize,
        configure: impl FnOnce(&Socket),
    ) -> io::Result<Self> {
        let _context = runtime.enter();
        let (mut connection, handle, unsolicited) =
            proto::new_connection_with_socket::<_, Wire>(protocol)?;
        // Without them, a connection that broke down looks like an answer's end.
        connection.set_forward_ack(true);
        connection.set_forward_done(true);
        let socket = connection.socket_mut().socket_ref();
        // Errors come without the message that they are about, whose header tells:
        // with it, an answer could be longer than what netlink-proto reads.
        socket.set_cap_ack(true)?;
        configure(socket);
        let buffer = SockRef::from(socket).send_buffer_size()?;
        runtime.spawn(connection);
        // Processes with CAP_NET_ADMIN over the namespace may send to the socket too
        // (`netlink_sendmsg`): for a container's, that's the container's root.
        let of_kernel = unsolicited.filter_map(|(message, sender)| {
            ready((sender.port_number() == KERNEL).then_some(message))
        });
        Ok(Self {
            handle,
            unsolicited: Box::pin(of_kernel),
            sent: 0,
            datagram_max: buffer.saturating_sub(SEND_OVERHEAD),
        })
    }

    /// Sends a request and collects the answers. `flags` are those beside
    /// `NLM_F_REQUEST`: a change wants `NLM_F_ACK`, a question about all objects
    /// `NLM_F_DUMP`.
    pub(super) async fn request(
        &mut self,
        message: Raw,
        flags: u16,
    ) -> Result<Answers, KernelError> {
        let mut messages = Vec::new();
        let mut interrupted = false;
        let mut answers = self.send(vec![outgoing(message, flags, ReplyExpectation::Expected)])?;
        while let Some(Some(answer)) = answers.next().await {
            interrupted |= answer.header.flags & NLM_F_DUMP_INTR != 0;
            let end = match answer.payload {
                NetlinkPayload::InnerMessage(message) => {
                    messages.push(message);
                    continue;
                }
                NetlinkPayload::Error(error) => failed(error.code),
                NetlinkPayload::Done(done) => failed(NonZeroI32::new(done.code)),
                _ => Err(overrun()),
            };
            return end.map(|()| Answers {
                messages,
                interrupted,
            });
        }
        // One message is the whole answer to a question about one object.
        match flags & (NLM_F_ACK | NLM_F_DUMP) == 0 && !messages.is_empty() {
            true => Ok(Answers {
                messages,
                interrupted,
            }),
            false => Err(closed()),
        }
    }

    /// Sends messages in one datagram, and streams what comes: first the messages
    /// that weren't expected, and `None` when no more is expected.
    pub(super) fn send(
        &mut self,
        messages: Vec<Outgoing>,
    ) -> Result<impl Stream<Item = Option<NetlinkMessage<Raw>>> + Unpin, KernelError> {
        let length: usize = messages.iter().map(|(it, _)| it.buffer_len()).sum();
        if length > self.datagram_max {
            // netlink-proto would close the connection and not say why.
            let error = io::Error::from(Errno::EMSGSIZE);
            return Err(KernelError::Netlink(error.to_string()));
        }
        let first = self.sent.wrapping_add(1);
        let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let answers = self
            .handle
            .request_batch_with_expectation(messages, SocketAddr::new(KERNEL, 0))
            .map_err(|_| closed())?;
        self.sent = self.sent.wrapping_add(count);
        let numbers = first..=self.sent;
        let answers = answers.map(Some).chain(stream::iter([None]));
        let unsolicited = self.unsolicited.by_ref();
        let unsolicited = unsolicited.filter(move |message| ready(belongs(message, &numbers)));
        let unsolicited = unsolicited.map(Some);
        let unsolicited_first = |(): &mut ()| PollNext::Left;
        Ok(select_with_strategy(
            unsolicited,
            answers,
            unsolicited_first,
        ))
    }
}

/// Whether a message belongs to the exchange whose messages have these sequence numbers.
/// That no more answers could be stored has none.
fn belongs(message: &NetlinkMessage<Raw>, numbers: &RangeInclusive<u32>) -> bool {
    let number = message.header.sequence_number;
    numbers.contains(&number)
        || (number == 0 && matches!(message.payload, NetlinkPayload::Overrun(_)))
}

/// Whether a channel isn't to be used again: answers that come too late belong to no
/// other exchange.
pub(super) fn is_broken<T>(result: &Result<T, KernelError>) -> bool {
    matches!(result, Err(KernelError::Deadline | KernelError::Netlink(_)))
}

/// Sends a request that rtnetlink has none for, with these flags besides
/// `NLM_F_REQUEST`, and collects the answers.
pub(super) async fn request(
    mut handle: Handle,
    message: RouteNetlinkMessage,
    flags: u16,
) -> Result<Vec<RouteNetlinkMessage>, rtnetlink::Error> {
    let mut request = NetlinkMessage::from(message);
    request.header.flags = NLM_F_REQUEST | flags;
    let mut answers = handle.request(request)?;
    let mut messages = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer.payload {
            NetlinkPayload::InnerMessage(message) => messages.push(message),
            NetlinkPayload::Error(error) => return Err(rtnetlink::Error::NetlinkError(error)),
            _ => {}
        }
    }
    Ok(messages)
}

/// Sends a change that rtnetlink has no request for.
pub(super) async fn send(
    handle: Handle,
    message: RouteNetlinkMessage,
    flags: u16,
) -> Result<(), rtnetlink::Error> {
    request(handle, message, NLM_F_ACK | flags).await.map(drop)
}

/// The result that a code stands for: none is an acknowledgement.
pub(super) fn failed(code: Option<NonZeroI32>) -> Result<(), KernelError> {
    match code {
        None => Ok(()),
        Some(code) => Err(Errno::from_raw(code.get().saturating_neg()).into()),
    }
}

/// Answers that the kernel could not store are lost.
pub(super) fn overrun() -> KernelError {
    KernelError::Netlink("the kernel had no room for its answers".to_owned())
}

/// The connection broke down.
pub(super) fn closed() -> KernelError {
    KernelError::Netlink("the connection to the kernel broke down".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtnetlink::sys::protocols::NETLINK_ROUTE;
    use tokio::runtime::Runtime;

    use super::*;

    /// A type beyond RTM_MAX: the kernel refuses it, whoever asks.
    const UNKNOWN: u16 = 0x7fff;

    fn runtime() -> Runtime {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_io().enable_time().build().unwrap()
    }

    fn wait<T>(runtime: &Runtime, exchange: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(Duration::from_secs(10), exchange).await };
        runtime.block_on(limited).unwrap()
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let raw = Raw::new(7, vec![1, 2, 3, 4]);
        assert_eq!(Raw::encode(&raw), raw);
        assert_eq!(raw.decode::<Raw>().unwrap(), raw);
    }

    #[test]
    fn a_datagram_that_is_too_long_is_refused_and_the_channel_stays_open() {
        let runtime = runtime();
        let mut channel = Channel::open(runtime.handle(), NETLINK_ROUTE, |_| {}).unwrap();
        let longest = Raw::new(UNKNOWN, vec![0; channel.datagram_max - 16]);
        let answer = wait(&runtime, channel.request(longest, NLM_F_ACK));
        assert_eq!(answer.unwrap_err().errno(), Some(Errno::EOPNOTSUPP));
        let longer = Raw::new(UNKNOWN, vec![0; channel.datagram_max - 12]);
        let answer = wait(&runtime, channel.request(longer, NLM_F_ACK));
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("os error 90"), "{error}");
        let answer = wait(
            &runtime,
            channel.request(Raw::new(UNKNOWN, vec![0; 4]), NLM_F_ACK),
        );
        assert_eq!(answer.unwrap_err().errno(), Some(Errno::EOPNOTSUPP));
    }

    #[test]
    fn errors_come_before_the_answer_that_is_waited_for() {
        let runtime = runtime();
        let mut channel = Channel::open(runtime.handle(), NETLINK_ROUTE, |_| {}).unwrap();
        let one = |reply| outgoing(Raw::new(UNKNOWN, vec![0; 4]), 0, reply);
        let messages = vec![
            one(ReplyExpectation::NotExpected),
            one(ReplyExpectation::NotExpected),
            one(ReplyExpectation::Expected),
        ];
        let answers = channel.send(messages).unwrap();
        let answers: Vec<_> = wait(&runtime, answers.take(4).collect());
        let numbers: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().map(|it| it.header.sequence_number))
            .collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn answers_that_found_no_room_are_not_waited_for() {
        let runtime = runtime();
        let no_room = |socket: &Socket| SockRef::from(socket).set_recv_buffer_size(1).unwrap();
        let mut channel = Channel::open(runtime.handle(), NETLINK_ROUTE, no_room).unwrap();
        let one = |reply| outgoing(Raw::new(UNKNOWN, vec![0; 4]), 0, reply);
        let mut messages: Vec<_> = (0..100)
            .map(|_| one(ReplyExpectation::NotExpected))
            .collect();
        messages.push(one(ReplyExpectation::Expected));
        let mut answers = channel.send(messages).unwrap();
        let first = wait(&runtime, answers.next()).unwrap().unwrap();
        assert!(matches!(first.payload, NetlinkPayload::Overrun(_)));
    }
}
