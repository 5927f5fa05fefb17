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
use std::fmt::Debug;
use std::io;

use netlink_packet_generic::constants::GENL_ID_CTRL;
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use nix::errno::Errno;
use rtnetlink::packet_core::{Emitable, ParseableParametrized};
use rtnetlink::sys::protocols::NETLINK_GENERIC;
use tokio::runtime::Handle as RuntimeHandle;
use types::Namespace;

use super::Netlink;
use super::exchange::{self, Channel, Raw};
use super::snapshot::bytes;
use crate::KernelError;

/// A socket for generic netlink.
pub(super) struct Generic {
    channel: Channel,
    /// The numbers of the families, by their names.
    families: HashMap<&'static str, u16>,
}

impl Generic {
    /// Opens a socket in the namespace of the calling thread.
    fn open(runtime: &RuntimeHandle) -> io::Result<Self> {
        Ok(Self {
            channel: Channel::open(runtime, NETLINK_GENERIC, |_| {})?,
            families: HashMap::new(),
        })
    }
}

impl Netlink {
    /// Sends a message to a family and returns the answers. `flags` are those
    /// of the netlink header besides `NLM_F_REQUEST`: a change wants
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
        F: GenlFamily + Emitable + ParseableParametrized<[u8], GenlHeader> + Debug,
    {
        let family = self.family(namespace, F::family_name())?;
        self.ask(namespace, family, message, flags)
    }

    /// Returns the number of a family in a namespace.
    #[track_caller]
    fn family(&mut self, namespace: Namespace, name: &'static str) -> Result<u16, KernelError> {
        let generic = self.sockets(namespace)?.generic.as_ref();
        if let Some(family) = generic.and_then(|it| it.families.get(name)) {
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
        if let Some(generic) = &mut self.sockets_mut(namespace)?.generic {
            generic.families.insert(name, family);
        }
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
        F: GenlFamily + Emitable + ParseableParametrized<[u8], GenlHeader> + Debug,
    {
        let request = encode(family, message);
        let mut generic = self.take_generic(namespace)?;
        let answers = self.wait(generic.channel.request(request, flags));
        if !exchange::is_broken(&answers) {
            self.sockets_mut(namespace)?.generic = Some(generic);
        }
        let answers = answers?.messages.into_iter();
        answers
            .map(|answer| Ok(answer.decode::<GenlMessage<F>>()?.payload))
            .collect()
    }

    /// Returns the socket of a namespace, and opens it if it's needed for the
    /// first time.
    fn take_generic(&mut self, namespace: Namespace) -> Result<Generic, KernelError> {
        if let Some(generic) = self.sockets_mut(namespace)?.generic.take() {
            return Ok(generic);
        }
        self.open_socket(namespace, Generic::open)
    }
}

/// A message is the family's header and its attributes.
fn encode<F: GenlFamily + Emitable>(family: u16, message: &F) -> Raw {
    let header = GenlHeader {
        cmd: message.command(),
        version: message.version(),
    };
    Raw::new(family, [bytes(&header), bytes(message)].concat())
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
        let question = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyId(7)],
        };
        let message = encode(0x15, &question);
        let expected = vec![3, 2, 0, 0, 6, 0, 1, 0, 7, 0, 0, 0];
        assert_eq!(message, Raw::new(0x15, expected));
        let read: GenlMessage<GenlCtrl> = message.decode().unwrap();
        assert_eq!(read.payload, question);
        let short = Raw::new(0x15, vec![3, 2, 0]);
        assert!(short.decode::<GenlMessage<GenlCtrl>>().is_err());
    }
}
