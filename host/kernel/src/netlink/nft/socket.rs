//! A socket for netfilter (`linux/netfilter/nfnetlink.h`) in the host's
//! namespace.
//!
//! What belongs together goes to the kernel in one datagram, a batch, and the
//! kernel does all of it or nothing.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::num::NonZeroI32;

use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use nix::errno::Errno;
use rtnetlink::packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkDeserializable,
    NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::sys::protocols::NETLINK_NETFILTER;
use rtnetlink::sys::{AsyncSocket, Socket, SocketAddr, TokioSocket};
use socket2::SockRef;
use tokio::runtime::Runtime;

use crate::KernelError;

/// NFNL_SUBSYS_NFTABLES
const NFTABLES: u16 = 10;
/// NFNL_MSG_BATCH_BEGIN
const BATCH_BEGIN: u8 = 16;
/// NFNL_BATCH_GENID
const BATCH_GENERATION: u16 = 1;
/// NFNETLINK_V0
const VERSION: u8 = 0;
/// Bytes of changes; the kernel gives twice as much, and less where the machine has a
/// limit (`net.core.wmem_max`).
const ROOM: usize = 4 << 20;
/// Netlink messages begin at multiples of this (NLMSG_ALIGNTO).
const ALIGNMENT: usize = 4;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The kernel says so.
    Errno(Errno),
    /// The conversation broke down.
    Broken(String),
}

impl From<Failure> for KernelError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Errno(errno) => errno.into(),
            Failure::Broken(text) => Self::Netlink(text),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A change with the flags of its header beside `NLM_F_REQUEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) message: NetfilterMessage,
    pub(super) flags: u16,
}

type Message = NetlinkMessage<NetfilterMessage>;

/// An answer as it came, behind the header that all messages have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw(pub(super) Vec<u8>);

impl NetlinkDeserializable for Raw {
    type Error = Infallible;

    fn deserialize(_: &NetlinkHeader, payload: &[u8]) -> Result<Self, Infallible> {
        Ok(Self(payload.to_vec()))
    }
}

/// The socket.
pub(in crate::netlink) struct Netfilter {
    socket: TokioSocket,
    /// The number of the last message.
    number: Cell<u32>,
}

impl Netfilter {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open(runtime: &Runtime) -> io::Result<Self> {
        let _context = runtime.enter();
        let mut socket = TokioSocket::new(NETLINK_NETFILTER)?;
        socket.socket_mut().bind_auto()?;
        make_room(socket.socket_ref());
        // Errors come without what they are about: its number tells.
        socket.socket_ref().set_cap_ack(true)?;
        Ok(Self {
            socket,
            number: Cell::new(0),
        })
    }

    /// Asks for one object, or has one changed that isn't nftables' own.
    pub(super) async fn ask(
        &self,
        message: NetfilterMessage,
    ) -> Result<Vec<NetfilterMessage>, Failure> {
        self.question(message, NLM_F_ACK).await
    }

    /// Asks for all objects. Where they changed meanwhile, ERESTART.
    pub(super) async fn list<A: NetlinkDeserializable>(
        &self,
        message: NetfilterMessage,
    ) -> Result<Vec<A>, Failure> {
        self.question(message, NLM_F_DUMP).await
    }

    async fn question<A: NetlinkDeserializable>(
        &self,
        message: NetfilterMessage,
        flags: u16,
    ) -> Result<Vec<A>, Failure> {
        let mut message = self.numbered(message, flags);
        let number = message.header.sequence_number;
        self.send(std::slice::from_mut(&mut message)).await?;
        let mut answers = Vec::new();
        let mut changed = false;
        loop {
            for answer in self.receive().await? {
                // What an earlier question left, which ran out of time.
                if answer.header.sequence_number != number {
                    continue;
                }
                changed |= answer.header.flags & NLM_F_DUMP_INTR != 0;
                match answer.payload {
                    NetlinkPayload::InnerMessage(message) => answers.push(message),
                    NetlinkPayload::Error(error) => {
                        return failed(error.code).map(|()| answers);
                    }
                    NetlinkPayload::Done(done) => {
                        failed(NonZeroI32::new(done.code))?;
                        return match changed {
                            true => Err(Failure::Errno(Errno::ERESTART)),
                            false => Ok(answers),
                        };
                    }
                    _ => return Err(overrun()),
                }
            }
        }
    }

    /// Has changes of nftables made, all or none. With a generation only if
    /// nobody has changed anything since then, else ERESTART.
    pub(super) async fn batch(
        &self,
        changes: Vec<Change>,
        generation: Option<u32>,
    ) -> Result<(), Failure> {
        let mut messages = vec![self.numbered(begin(generation), 0)];
        let changes = changes.into_iter();
        messages.extend(changes.map(|change| self.numbered(change.message, change.flags)));
        let Some(last) = messages.last_mut() else {
            return Ok(());
        };
        // Its acknowledgement comes behind all errors.
        last.header.flags |= NLM_F_ACK;
        let last = last.header.sequence_number;
        messages.push(self.numbered(end(), 0));
        let first = messages
            .first()
            .map_or(last, |message| message.header.sequence_number);
        self.send(&mut messages).await?;
        let mut result = Ok(());
        loop {
            for answer in self.receive::<NetfilterMessage>().await? {
                let number = answer.header.sequence_number;
                if !(first..=last).contains(&number) {
                    continue;
                }
                let NetlinkPayload::Error(error) = answer.payload else {
                    return Err(overrun());
                };
                // Of several errors the first is the cause of the others.
                result = result.and_then(|()| failed(error.code));
                // What concerns the whole batch comes under its first number.
                if number == last || number == first {
                    return result;
                }
            }
        }
    }

    fn numbered(&self, message: NetfilterMessage, flags: u16) -> Message {
        let number = self.number.get().wrapping_add(1);
        self.number.set(number);
        let mut message =
            NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = number;
        message
    }

    async fn send(&self, messages: &mut [Message]) -> Result<(), Failure> {
        let mut datagram = Vec::new();
        for message in messages {
            message.finalize();
            let start = datagram.len();
            datagram.resize(start + message.buffer_len(), 0);
            message.serialize(datagram.get_mut(start..).unwrap_or_default());
        }
        // Number 0 is the kernel.
        let kernel = SocketAddr::new(0, 0);
        poll_fn(|context| self.socket.poll_send_to(context, &datagram, &kernel)).await?;
        Ok(())
    }

    /// The messages of the next datagram.
    async fn receive<A: NetlinkDeserializable>(&self) -> Result<Vec<NetlinkMessage<A>>, Failure> {
        let (datagram, _) = poll_fn(|context| self.socket.poll_recv_from_full(context)).await?;
        let mut messages = Vec::new();
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<A>::deserialize(rest);
            let message = message.map_err(|error| Failure::Broken(error.to_string()))?;
            let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
            let length = length.checked_next_multiple_of(ALIGNMENT);
            rest = length
                .and_then(|length| rest.get(length..))
                .unwrap_or_default();
            messages.push(message);
        }
        Ok(messages)
    }
}

/// Makes room for changes that go to the kernel in one datagram: as much as the
/// machine lets a socket have. With less, large changes are refused.
fn make_room(socket: &Socket) {
    let _ = SockRef::from(socket).set_send_buffer_size(ROOM);
}

fn begin(generation: Option<u32>) -> NetfilterMessage {
    let attributes =
        generation.map(|number| DefaultNla::new(BATCH_GENERATION, number.to_be_bytes().to_vec()));
    let begin = ControlMessage::Other {
        message_type: BATCH_BEGIN,
        attributes: attributes.into_iter().collect(),
    };
    NetfilterMessage::new(batch_header(), begin)
}

fn end() -> NetfilterMessage {
    NetfilterMessage::new(batch_header(), ControlMessage::BatchEnd)
}

fn batch_header() -> NetfilterHeader {
    NetfilterHeader::new(NetfilterProtoFamily::Unspec, VERSION, NFTABLES)
}

/// The header of a message about a family.
pub(super) fn header(family: NetfilterProtoFamily) -> NetfilterHeader {
    NetfilterHeader::new(family, VERSION, 0)
}

fn failed(code: Option<NonZeroI32>) -> Result<(), Failure> {
    match code {
        None => Ok(()),
        Some(code) => {
            let errno = Errno::from_raw(code.get().saturating_neg());
            Err(Failure::Errno(errno))
        }
    }
}

fn overrun() -> Failure {
    Failure::Broken("the kernel had no room for its answers".to_owned())
}
