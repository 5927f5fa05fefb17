//! How a new link should be: what all kinds have, and a record for each kind.

use super::LinkId;
use crate::net::{LinkName, Mac, Namespace};

/// A link to be made. It starts down.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Where.
    pub namespace: Namespace,
    /// Under which name.
    pub name: LinkName,
    /// The MAC address; the kernel chooses where absent.
    pub mac: Option<Mac>,
    /// The MTU in bytes; the kind's own where absent or 0.
    pub mtu: Option<u32>,
    /// The kind, and what only that has.
    pub kind: LinkKind,
}

/// The kinds of links that can be made by themselves.
#[derive(Debug, Clone)]
pub enum LinkKind {
    /// A bridge.
    Bridge,
    /// A MAC address of its own on another link.
    Macvlan(Macvlan),
}

impl LinkKind {
    /// The link below it.
    pub fn parent(&self) -> Option<LinkId> {
        match self {
            Self::Bridge => None,
            Self::Macvlan(macvlan) => Some(macvlan.parent),
        }
    }
}

/// The modes of macvlan links (`if_link.h`, MACVLAN_MODE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    /// No link sees another.
    Private,
    /// They see each other through the switch outside.
    Vepa,
    /// They see each other.
    Bridge,
    /// One link takes over the parent.
    Passthru,
    /// Only listed sources come in.
    Source,
}

/// What only macvlan links have.
#[derive(Debug, Clone)]
pub struct Macvlan {
    /// The link below it.
    pub parent: LinkId,
    /// The mode.
    pub mode: MacvlanMode,
    /// IFLA_MACVLAN_BC_CUTOFF.
    pub broadcast_limit: Option<i32>,
    /// IFLA_MACVLAN_BC_QUEUE_LEN.
    pub broadcast_queue_length: Option<u32>,
}

/// A pair of veth links to be made: one end in the container, one on the host.
#[derive(Debug, Clone)]
pub struct NewVeth {
    /// The end in the container.
    pub container: VethEnd,
    /// The end on the host.
    pub host: VethEnd,
    /// The MTU of both in bytes; the kernel's where absent or 0.
    pub mtu: Option<u32>,
}

/// One end of a pair of veth links.
#[derive(Debug, Clone)]
pub struct VethEnd {
    /// Its name.
    pub name: LinkName,
    /// Its MAC address; the kernel chooses where absent.
    pub mac: Option<Mac>,
}
