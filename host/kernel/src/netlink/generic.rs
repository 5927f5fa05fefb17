//! Generic netlink, for families such as `ethtool` and `wireguard`: a second
//! socket in each namespace, opened when it's first needed.
//!
//! A family's messages are a type that implements [`GenlFamily`],
//! [`Emitable`] and [`ParseableParametrized`] (the crates
//! `netlink-packet-…` have such types; others are written beside this file).
//! [`Netlink::generic`] finds the family's number, sends a message and returns
//! the answers, all of it within the deadline of the run:
//!
//! ```ignore
//! let answers = self.generic(Namespace::Container, message, NLM_F_DUMP)?;
//! self.generic(Namespace::Host, change, NLM_F_ACK)?;
//! ```
//!
//! The header and its numbers are those of `linux/genetlink.h`.

use std::collections::HashMap;
use std::io;

use futures_util::StreamExt;
use netlink_packet_generic::constants::GENL_ID_CTRL;
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlHeader};
use nix::errno::Errno;
use rtnetlink::packet_core::{
    DecodeError, Emitable, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable, ParseableParametrized,
};
use rtnetlink::proto::{self, ConnectionHandle};
use rtnetlink::sys::SocketAddr;
use rtnetlink::sys::protocols::NETLINK_GENERIC;
use tokio::runtime::Runtime;
use types::Namespace;

use super::Netlink;
use crate::KernelError;

/// A message of any family.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    /// The family's number.
    family: u16,
    header: GenlHeader,
    attributes: Vec<u8>,
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        self.header.buffer_len() + self.attributes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let Some((header, attributes)) = buffer.split_at_mut_checked(self.header.buffer_len())
        else {
            return;
        };
        self.header.emit(header);
        for (to, from) in attributes.iter_mut().zip(&self.attributes) {
            *to = *from;
        }
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(netlink: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        let header = GenlHeader::parse(payload)?;
        let attributes = payload.get(header.buffer_len()..).unwrap_or_default();
        Ok(Self {
            family: netlink.message_type,
            header,
            attributes: attributes.to_vec(),
        })
    }
}

/// A socket for generic netlink.
pub(super) struct Generic {
    handle: ConnectionHandle<Message>,
    /// The numbers of the families, by their names.
    families: HashMap<&'static str, u16>,
}

impl Generic {
    /// Opens a socket in the namespace of the calling thread.
    fn open(runtime: &Runtime) -> io::Result<Self> {
        let _context = runtime.enter();
        let (connection, handle, _unsolicited) = proto::new_connection(NETLINK_GENERIC)?;
        runtime.spawn(connection);
        Ok(Self {
            handle,
            families: HashMap::new(),
        })
    }
}

impl Netlink {
    /// Sends a message to a family and returns what it answers. `flags` are
    /// those of the netlink header beside `NLM_F_REQUEST`: a change wants
    /// `NLM_F_ACK`, a question about all objects `NLM_F_DUMP`. A kernel that
    /// lacks the family gives EOPNOTSUPP.
    #[track_caller]
    pub(super) fn generic<F>(
        &mut self,
        namespace: Namespace,
        message: &F,
        flags: u16,
    ) -> Result<Vec<F>, KernelError>
    where
        F: GenlFamily + Emitable + ParseableParametrized<[u8], GenlHeader>,
    {
        let family = self.family(namespace, F::family_name())?;
        self.ask(namespace, family, message, flags)
    }

    /// The number of a family in a namespace.
    #[track_caller]
    fn family(&mut self, namespace: Namespace, name: &'static str) -> Result<u16, KernelError> {
        if let Some(family) = self.open_generic(namespace)?.families.get(name) {
            return Ok(*family);
        }
        let question = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(name.to_owned())],
        };
        let answers = match self.ask(namespace, GENL_ID_CTRL, &question, 0) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => {
                return Err(Errno::EOPNOTSUPP.into());
            }
            answers => answers?,
        };
        let mut attributes = answers.iter().flat_map(|answer| &answer.nlas);
        let family = attributes.find_map(|attribute| match attribute {
            GenlCtrlAttrs::FamilyId(family) => Some(*family),
            _ => None,
        });
        let family = family.ok_or(Errno::EOPNOTSUPP)?;
        let families = &mut self.open_generic(namespace)?.families;
        families.insert(name, family);
        Ok(family)
    }

    #[track_caller]
    fn ask<F>(
        &mut self,
        namespace: Namespace,
        family: u16,
        message: &F,
        flags: u16,
    ) -> Result<Vec<F>, KernelError>
    where
        F: GenlFamily + Emitable + ParseableParametrized<[u8], GenlHeader>,
    {
        let mut attributes = vec![0; message.buffer_len()];
        message.emit(&mut attributes);
        let message = Message {
            family,
            header: GenlHeader {
                cmd: message.command(),
                version: message.version(),
            },
            attributes,
        };
        let handle = self.open_generic(namespace)?.handle.clone();
        let answers = self.wait(exchange(handle, message, NLM_F_REQUEST | flags))?;
        let parsed = answers
            .iter()
            .map(|answer| F::parse_with_param(&answer.attributes, answer.header));
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| KernelError::Netlink(error.to_string()))
    }

    /// The socket of a namespace.
    fn open_generic(&mut self, namespace: Namespace) -> Result<&mut Generic, KernelError> {
        let runtime = &self.runtime;
        let opened = match namespace {
            Namespace::Host if self.host.generic.is_none() => Some(Generic::open(runtime)),
            Namespace::Container => {
                let room = self.room(namespace)?;
                let open = || room.netns.run(|| Generic::open(runtime));
                let opened = room.generic.is_none().then(open).transpose();
                opened.map_err(|error| KernelError::Netlink(error.to_string()))?
            }
            Namespace::Host => None,
        };
        let opened = opened.transpose().map_err(|error| {
            KernelError::from(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        })?;
        let room = match namespace {
            Namespace::Host => Some(&mut self.host),
            Namespace::Container => self.container.as_mut(),
        };
        let room = room.ok_or(KernelError::NoNamespace(namespace))?;
        if opened.is_some() {
            room.generic = opened;
        }
        room.generic.as_mut().ok_or(Errno::EIO.into())
    }
}

/// Sends a message and waits for all answers.
async fn exchange(
    handle: ConnectionHandle<Message>,
    message: Message,
    flags: u16,
) -> Result<Vec<Message>, rtnetlink::Error> {
    let mut request = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    request.header.flags = flags;
    // Number 0 is the kernel.
    let mut stream = handle
        .request(request, SocketAddr::new(0, 0))
        .map_err(|_| rtnetlink::Error::RequestFailed)?;
    let mut answers = Vec::new();
    while let Some(answer) = stream.next().await {
        match answer.payload {
            NetlinkPayload::InnerMessage(message) => answers.push(message),
            NetlinkPayload::Error(error) if error.code.is_some() => {
                return Err(rtnetlink::Error::NetlinkError(error));
            }
            _ => {}
        }
    }
    Ok(answers)
}

impl From<Message> for NetlinkPayload<Message> {
    fn from(message: Message) -> Self {
        Self::InnerMessage(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The family of families is there on every kernel.
    #[test]
    fn the_kernel_answers_and_knows_no_family_of_another_name() {
        let host = crate::Netns::current().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let mut netlink = Netlink::open(host, None).unwrap();
        crate::Timed::set_deadline(&mut netlink, deadline);
        let question = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName("nlctrl".to_owned())],
        };
        let answers = netlink.generic(Namespace::Host, &question, 0).unwrap();
        let [answer] = answers.as_slice() else {
            panic!("{answers:?}");
        };
        assert_eq!(answer.cmd, GenlCtrlCmd::NewFamily);
        let error = netlink.family(Namespace::Host, "no-such").unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
        let nowhere = netlink.generic(Namespace::Container, &question, 0);
        assert!(matches!(nowhere, Err(KernelError::NoNamespace(_))));
    }

    #[test]
    fn a_message_is_its_header_and_its_attributes() {
        let message = Message {
            family: 0x15,
            header: GenlHeader {
                cmd: 11,
                version: 1,
            },
            attributes: vec![5, 0, 1, 0, 7, 0, 0, 0],
        };
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        assert_eq!(bytes, [11, 1, 0, 0, 5, 0, 1, 0, 7, 0, 0, 0]);
        let mut header = NetlinkHeader::default();
        header.message_type = message.message_type();
        assert_eq!(Message::deserialize(&header, &bytes).unwrap(), message);
        assert!(Message::deserialize(&header, &bytes[..3]).is_err());
    }
}
