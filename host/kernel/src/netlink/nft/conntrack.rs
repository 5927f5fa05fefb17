//! The connections that the host keeps track of
//! (`linux/netfilter/nfnetlink_conntrack.h`). What a rule decides for the first
//! packet of a connection holds for all others, so connections go with the rules
//! that they came about by.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, ConntrackMessageType, IPTuple, ProtoTuple, Status, Tuple,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily};
use nix::errno::Errno;
use rtnetlink::packet_core::{DefaultNla, Nla};
use types::{Namespace, PortRange, Protocol};

use super::lacking::{of_udp, with_status};
use super::socket::header;
use crate::netlink::{Netlink, address};
use crate::{FirewallRule, KernelError, Publication, Translation};

/// CTA_ID
const ID: u16 = 12;
/// CTA_ZONE
const ZONE: u16 = 18;
/// IPCTNL_MSG_CT_GET_STATS
const GET_STATS: u8 = 5;
/// CTA_STATS_GLOBAL_ENTRIES
const ENTRIES: u16 = 1;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Connection {
    /// As its first packet came in.
    original: End,
    /// As the answers come in: from where the first packet was led to.
    reply: End,
    status: Status,
    /// What the kernel knows it by.
    identity: Vec<ConntrackAttribute>,
}

/// The addresses and ports of packets that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// For protocols that have ports.
    destination_port: Option<u16>,
}

impl Netlink {
    /// Removes connections that passed by a rule before it was there: UDP has no end
    /// that would tell the kernel to look at the rules again.
    #[track_caller]
    pub(in crate::netlink) fn forget_before(
        &mut self,
        rule: &FirewallRule,
    ) -> Result<(), KernelError> {
        match rule {
            FirewallRule::Publish(publication) => self.forget_unpublished(publication),
            FirewallRule::Translate(translation) => self.forget_untranslated(translation),
            FirewallRule::PublishBehind { .. }
            | FirewallRule::Isolate { .. }
            | FirewallRule::Internal { .. }
            | FirewallRule::InternalMember { .. }
            | FirewallRule::InternalSubnets { .. }
            | FirewallRule::OnlyThrough { .. }
            | FirewallRule::Filter { .. }
            | FirewallRule::FilterLink { .. }
            | FirewallRule::CheckSender { .. } => Ok(()),
        }
    }

    #[track_caller]
    fn forget_untranslated(&mut self, translation: &Translation) -> Result<(), KernelError> {
        let source = translation.source;
        let connections = self.connections(source.addr(), of_udp())?;
        let stays = |connection: &Connection| {
            let End {
                source: from,
                destination: to,
                ..
            } = connection.original;
            let mut staying = translation.except.iter().chain([&source]);
            !source.contains(&from)
                || connection.status.contains(Status::SrcNat)
                || to.is_multicast()
                || staying.any(|network| network.contains(&to))
        };
        let mut passed = connections;
        passed.retain(|connection| !stays(connection));
        if !passed.is_empty() {
            // What goes to the host itself is never translated.
            let own = self.host_addresses()?;
            passed.retain(|connection| !own.contains(&connection.original.destination));
        }
        self.forget(passed)
    }

    #[track_caller]
    fn forget_unpublished(&mut self, publication: &Publication) -> Result<(), KernelError> {
        let ports = publication.ports.iter();
        let ports: Vec<&PortRange> = ports
            .filter(|range| range.protocol == Protocol::Udp)
            .collect();
        if ports.is_empty() {
            return Ok(());
        }
        let address = publication.address;
        let connections = self.connections(address, of_udp())?;
        let mut passed: Vec<Connection> = connections
            .into_iter()
            .filter(|connection| {
                let original = &connection.original;
                let is_it = |range: &&PortRange| has_port(range, original);
                connection.reply.source != address && ports.iter().any(is_it)
            })
            .collect();
        if !passed.is_empty() {
            // Only what went to the host itself is meant.
            let own = self.host_addresses()?;
            passed.retain(|connection| {
                let to = connection.original.destination;
                to.is_loopback() || own.contains(&to)
            });
        }
        self.forget(passed)
    }

    /// Removes connections that came about by a rule.
    #[track_caller]
    pub(in crate::netlink) fn forget_of(&mut self, rule: &FirewallRule) -> Result<(), KernelError> {
        match rule {
            FirewallRule::Publish(publication) => self.forget_published(publication),
            FirewallRule::Translate(translation) => self.forget_translated(translation.source),
            // These look at each packet.
            FirewallRule::PublishBehind { .. }
            | FirewallRule::Isolate { .. }
            | FirewallRule::Internal { .. }
            | FirewallRule::InternalMember { .. }
            | FirewallRule::InternalSubnets { .. }
            | FirewallRule::OnlyThrough { .. }
            | FirewallRule::Filter { .. }
            | FirewallRule::FilterLink { .. }
            | FirewallRule::CheckSender { .. } => Ok(()),
        }
    }

    #[track_caller]
    fn forget_published(&mut self, publication: &Publication) -> Result<(), KernelError> {
        let Publication { ports, address, .. } = publication;
        let mut connections = self.connections(*address, with_status(Status::DstNat))?;
        connections.retain(|connection| {
            let mut ports = ports.iter();
            connection.status.contains(Status::DstNat)
                && connection.reply.source == *address
                && ports.any(|range| has_port(range, &connection.original))
        });
        self.forget(connections)
    }

    #[track_caller]
    fn forget_translated(&mut self, source: IpNet) -> Result<(), KernelError> {
        let mut connections = self.connections(source.addr(), with_status(Status::SrcNat))?;
        connections.retain(|connection| {
            connection.status.contains(Status::SrcNat)
                && source.contains(&connection.original.source)
        });
        self.forget(connections)
    }

    /// The connections of an address's family that a filter lets through, and
    /// maybe more. A kernel that can't list them has none to be removed: they
    /// run out by themselves.
    #[track_caller]
    fn connections(
        &mut self,
        like: IpAddr,
        filter: Vec<DefaultNla>,
    ) -> Result<Vec<Connection>, KernelError> {
        if !self.has_connections()? {
            return Ok(Vec::new());
        }
        // The type for a question can't nest a filter.
        let question = ConntrackMessage::Other {
            message_type: ConntrackMessageType::Get.into(),
            attributes: filter,
        };
        let question = about(like, question);
        let listed = self.netfilter(Namespace::Host, async |netfilter| {
            netfilter.list(&question).await
        });
        let answers = match listed {
            Err(KernelError::Errno {
                errno: Errno::EINVAL | Errno::EOPNOTSUPP,
            }) => return Ok(Vec::new()),
            answers => answers?,
        };
        let mut connections = Vec::new();
        for answer in &answers {
            let inner = answer.decode::<NetfilterMessage>()?.inner;
            if let NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) = inner {
                connections.extend(connection(&attributes));
            }
        }
        Ok(connections)
    }

    /// Whether the namespace may have connections. To list them, the kernel goes through
    /// the table of all namespaces, which takes as long as all the rest of a teardown.
    #[track_caller]
    fn has_connections(&mut self) -> Result<bool, KernelError> {
        let question = ConntrackMessage::Other {
            message_type: GET_STATS,
            attributes: Vec::new(),
        };
        let header = header(NetfilterProtoFamily::Unspec);
        let question = NetfilterMessage::new(header, question);
        let answers = match self.netfilter(Namespace::Host, async |netfilter| {
            netfilter.ask(&question).await
        }) {
            Err(KernelError::Errno {
                errno: Errno::EINVAL | Errno::EOPNOTSUPP,
            }) => return Ok(true),
            answers => answers?,
        };
        let mut number = None;
        for answer in &answers {
            let inner = answer.decode::<NetfilterMessage>()?.inner;
            if let NetfilterMessageInner::Conntrack(ConntrackMessage::Other {
                attributes, ..
            }) = inner
            {
                number = attributes.iter().find_map(entries).or(number);
            }
        }
        Ok(number != Some(0))
    }

    #[track_caller]
    fn forget(&mut self, connections: Vec<Connection>) -> Result<(), KernelError> {
        for connection in connections {
            let message = ConntrackMessage::Delete(connection.identity);
            let message = about(connection.original.source, message);
            match self.netfilter(Namespace::Host, async |netfilter| {
                netfilter.ask(&message).await
            }) {
                // It ended meanwhile.
                Err(error) if error.is_not_found() => {}
                result => drop(result?),
            }
        }
        Ok(())
    }

    #[track_caller]
    fn host_addresses(&mut self) -> Result<Vec<IpAddr>, KernelError> {
        let answers = self.collect(self.host.handle.address().get().execute())?;
        let states = answers.iter().filter_map(address::state);
        Ok(states.map(|state| state.address.addr()).collect())
    }
}

/// Returns the number of a namespace's connections.
fn entries(attribute: &DefaultNla) -> Option<u32> {
    if attribute.kind() != ENTRIES {
        return None;
    }
    let mut value = [0; size_of::<u32>()];
    if attribute.value_len() != value.len() {
        return None;
    }
    attribute.emit_value(&mut value);
    Some(u32::from_be_bytes(value))
}

fn about(like: IpAddr, message: ConntrackMessage) -> NetfilterMessage {
    let family = match like {
        IpAddr::V4(_) => NetfilterProtoFamily::IPv4,
        IpAddr::V6(_) => NetfilterProtoFamily::IPv6,
    };
    NetfilterMessage::new(header(family), message)
}

/// Whether a connection was made to one of these ports.
fn has_port(range: &PortRange, original: &End) -> bool {
    let at = range.host_address.filter(|at| !at.is_unspecified());
    original.protocol == range.protocol.number()
        && original
            .destination_port
            .is_some_and(|port| (range.first..=range.last).contains(&port))
        && at.is_none_or(|at| at == original.destination)
}

fn connection(attributes: &[ConntrackAttribute]) -> Option<Connection> {
    let original = attributes.iter().find_map(|attribute| match attribute {
        ConntrackAttribute::CtaTupleOrig(tuple) => Some(tuple),
        _ => None,
    })?;
    let reply = attributes.iter().find_map(|attribute| match attribute {
        ConntrackAttribute::CtaTupleReply(tuple) => Some(tuple),
        _ => None,
    })?;
    let status = attributes.iter().find_map(|attribute| match attribute {
        ConntrackAttribute::CtaStatus(status) => Some(*status),
        _ => None,
    });
    let identity = attributes.iter().filter(|attribute| match attribute {
        ConntrackAttribute::CtaTupleOrig(_) => true,
        ConntrackAttribute::Other(other) => [ID, ZONE].contains(&other.kind()),
        _ => false,
    });
    Some(Connection {
        original: end(original)?,
        reply: end(reply)?,
        status: status.unwrap_or(Status::empty()),
        identity: identity.cloned().collect(),
    })
}

fn end(tuple: &[Tuple]) -> Option<End> {
    let ips = tuple.iter().flat_map(|part| match part {
        Tuple::Ip(ips) => ips.as_slice(),
        _ => &[],
    });
    let (mut source, mut destination) = (None, None);
    for ip in ips {
        match ip {
            IPTuple::SourceAddress(address) => source = Some(*address),
            IPTuple::DestinationAddress(address) => destination = Some(*address),
            _ => {}
        }
    }
    let parts = tuple.iter().flat_map(|part| match part {
        Tuple::Proto(parts) => parts.as_slice(),
        _ => &[],
    });
    let (mut protocol, mut destination_port) = (None, None);
    for part in parts {
        match part {
            ProtoTuple::Protocol(number) => protocol = Some(u8::from(*number)),
            ProtoTuple::DestinationPort(port) => destination_port = Some(*port),
            _ => {}
        }
    }
    Some(End {
        source: source?,
        destination: destination?,
        protocol: protocol?,
        destination_port,
    })
}
