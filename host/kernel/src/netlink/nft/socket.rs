//! A socket for netfilter (`linux/netfilter/nfnetlink.h`) in each namespace.
//!
//! What belongs together goes to the kernel in one datagram, a batch, and the
//! kernel does all of it or nothing.

use std::io;

use futures_util::StreamExt;
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use nix::errno::Errno;
use rtnetlink::packet_core::{
    DefaultNla, ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NetlinkBuffer, NetlinkPayload,
};
use rtnetlink::proto::ReplyExpectation::{Expected, NotExpected};
use rtnetlink::sys::Socket;
use rtnetlink::sys::protocols::NETLINK_NETFILTER;
use socket2::SockRef;
use tokio::runtime::Handle as RuntimeHandle;
use types::Namespace;

use super::{LACKING, without_nftables};
use crate::KernelError;
use crate::netlink::Netlink;
use crate::netlink::exchange::{self, Channel, Raw, outgoing};

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
/// Bytes of the header of all messages (NLMSG_HDRLEN).
const HEADER: usize = 16;

/// A change with the flags of its header beside `NLM_F_REQUEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) message: NetfilterMessage,
    pub(super) flags: u16,
}

/// The socket.
pub(in crate::netlink) struct Netfilter(Channel);

impl Netfilter {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open(runtime: &RuntimeHandle) -> io::Result<Self> {
        Channel::open(runtime, NETLINK_NETFILTER, make_room).map(Self)
    }

    /// Asks for one object, or has one changed that isn't nftables' own.
    pub(super) async fn ask(
        &mut self,
        message: &NetfilterMessage,
    ) -> Result<Vec<Raw>, KernelError> {
        let answers = self.0.request(Raw::encode(message), NLM_F_ACK).await?;
        Ok(answers.messages)
    }

    /// Asks for all objects. Where they changed meanwhile, ERESTART.
    pub(super) async fn list(
        &mut self,
        message: &NetfilterMessage,
    ) -> Result<Vec<Raw>, KernelError> {
        let answers = self.0.request(Raw::encode(message), NLM_F_DUMP).await?;
        match answers.interrupted {
            true => Err(Errno::ERESTART.into()),
            false => Ok(answers.messages),
        }
    }

    /// Has changes of nftables made, all or none. With a generation only if
    /// nobody has changed anything since then, else ERESTART.
    pub(super) async fn batch(
        &mut self,
        changes: &[Change],
        generation: Option<u32>,
    ) -> Result<(), KernelError> {
        let Some((last, others)) = changes.split_last() else {
            return Ok(());
        };
        let begin = Raw::encode(&begin(generation));
        let mut messages = vec![outgoing(begin, 0, NotExpected)];
        // Those that succeed have no answer.
        messages.extend(others.iter().map(|change| {
            let message = Raw::encode(&change.message);
            outgoing(message, change.flags, NotExpected)
        }));
        // Its acknowledgement comes behind all errors.
        let message = Raw::encode(&last.message);
        messages.push(outgoing(message, last.flags | NLM_F_ACK, Expected));
        messages.push(outgoing(Raw::encode(&end()), 0, NotExpected));
        let mut answers = self.0.send(messages)?;
        let mut result = Ok(());
        while let Some(Some(answer)) = answers.next().await {
            let NetlinkPayload::Error(error) = answer.payload else {
                return Err(exchange::overrun());
            };
            // Of several errors the first is the cause of the others.
            result = result.and_then(|()| exchange::failed(error.code));
            if is_final(&error) {
                return result;
            }
        }
        Err(exchange::closed())
    }
}

impl Netlink {
    /// Has one exchange over the socket of a namespace, which is opened when it's first
    /// needed.
    #[track_caller]
    pub(super) fn netfilter<T>(
        &mut self,
        namespace: Namespace,
        exchange: impl AsyncFnOnce(&mut Netfilter) -> Result<T, KernelError>,
    ) -> Result<T, KernelError> {
        let mut netfilter = match self.sockets_mut(namespace)?.netfilter.take() {
            Some(netfilter) => netfilter,
            None => self
                .open_socket(namespace, Netfilter::open)
                .map_err(|error| without_nftables(error, &LACKING))?,
        };
        let result = self.wait(exchange(&mut netfilter));
        if !exchange::is_broken(&result) {
            self.sockets_mut(namespace)?.netfilter = Some(netfilter);
        }
        result
    }
}

/// Whether no other answer to a batch comes behind this one. What concerns all of
/// it comes for its beginning.
fn is_final(error: &ErrorMessage) -> bool {
    if error.header.len() < HEADER {
        return false;
    }
    let about = NetlinkBuffer::new(&error.header);
    about.message_type() == u16::from(BATCH_BEGIN) || about.flags() & NLM_F_ACK != 0
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
