//! Kinds of links: a file each, with all that the host knows of the kind.

mod veth;

use std::ops::Deref;
use std::os::fd::RawFd;

use netlink_packet_route::link::{InfoData, LinkMessage};
use rtnetlink::LinkMessageBuilder;
use types::{LinkName, Mac, Namespace};

use super::{ETHERNET_MTU, LinkId, TX_QUEUE_LENGTH};

pub use ipvlan::{IpvlanIsolation, IpvlanMode};
pub use macvlan::MacvlanMode;
pub(crate) use tap::make as make_tap;
pub(crate) use veth::message as veth;
pub use veth::{NewVeth, VethEnd};
pub use vlan::VlanProtocol;

/// The smallest MTU with which a link has IPv6, in bytes (IPV6_MIN_MTU).
pub const IPV6_MIN_MTU: u32 = 1280;

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

/// What the host knows of a kind of link, besides its message.
pub trait Kind {
    /// The kernel's name for it (IFLA_INFO_KIND).
    fn name(&self) -> &'static str;

    /// The link that it's made on (IFLA_LINK).
    fn parent(&self) -> Option<LinkId> {
        None
    }

    /// What it does to its parent.
    fn parent_use(&self) -> Option<ParentUse> {
        None
    }

    /// The number that it takes besides its name.
    fn number(&self) -> Option<LinkNumber> {
        None
    }

    /// Of a bridge, whether frames pass only the ports of their VLAN.
    fn vlan_filtering(&self) -> Option<bool> {
        None
    }

    /// The namespace that it's made through, if that matters: its parent's, or
    /// the one in which its own packets travel.
    fn birthplace(&self) -> Option<Namespace> {
        self.parent().map(|parent| parent.namespace)
    }

    /// The MTU in bytes that the kernel gives it on a parent of this MTU.
    fn default_mtu(&self, _parent: Option<u32>) -> u32 {
        ETHERNET_MTU
    }

    /// The headers around each frame that it sends, in bytes.
    fn headroom(&self) -> u32 {
        0
    }

    /// The length of the queue that the kernel gives it, in packets.
    fn tx_queue_length(&self) -> u32 {
        TX_QUEUE_LENGTH
    }

    /// The MAC address that the kernel gives it.
    fn default_mac(&self) -> DefaultMac {
        DefaultMac::Random
    }
}

/// The MAC address that a new link has where none is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultMac {
    /// Its kind has none, whatever is asked for.
    None,
    /// Its parent's.
    OfParent,
    /// One that the kernel chooses.
    Random,
}

/// A number of which there is one for a namespace or a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkNumber {
    /// The VLAN's.
    Vlan(u16),
    /// The VXLAN's.
    Vni(u32),
    /// The routing table's, of a VRF.
    Table(u32),
}

/// What a link does to the one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentUse {
    /// It has all of it: as a macvlan or macvtap link in passthru mode, whose MAC
    /// address and flags are the parent's.
    Whole,
    /// It has it in a mode that all ipvlan links of one parent share: the kernel
    /// gives the others that of the newest (`ipvlan_set_port_mode`).
    Ipvlan(IpvlanMode, IpvlanIsolation),
}

/// How a kind is told to the kernel, and what the kernel tells of it.
trait Encode: Kind {
    /// The message that makes a link under a name (RTM_NEWLINK); `None` where no
    /// message makes one.
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage>;

    /// What a link does to its parent, as the kernel tells it.
    fn read_parent_use(_data: &InfoData) -> Option<ParentUse>
    where
        Self: Sized,
    {
        None
    }
}

/// What messages of all kinds have.
struct Rest {
    mac: Option<Mac>,
    mtu: Option<u32>,
    netns: Option<RawFd>,
}

impl Rest {
    fn finish<T>(&self, mut message: LinkMessageBuilder<T>) -> LinkMessage {
        if let Some(mac) = self.mac {
            message = message.address(mac.bytes().to_vec());
        }
        if let Some(mtu) = self.mtu.filter(|mtu| *mtu > 0) {
            message = message.mtu(mtu);
        }
        if let Some(netns) = self.netns {
            message = message.setns_by_fd(netns);
        }
        message.build()
    }
}

macro_rules! link_kinds {
    ($($file:ident::$kind:ident: $doc:literal,)*) => {
        $(
            mod $file;
            pub use $file::$kind;
        )*

        /// The kinds of links that can be made by themselves.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum LinkKind {
            $(#[doc = $doc] $kind($kind),)*
        }

        impl LinkKind {
            fn encode(&self) -> &dyn Encode {
                match self {
                    $(Self::$kind(kind) => kind,)*
                }
            }
        }

        impl Deref for LinkKind {
            type Target = dyn Kind;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$kind(kind) => kind,)*
                }
            }
        }

        $(
            impl From<$kind> for LinkKind {
                fn from(kind: $kind) -> Self {
                    Self::$kind(kind)
                }
            }
        )*

        /// What a link does to its parent, by what only its kind has.
        pub(crate) fn parent_use(data: &InfoData) -> Option<ParentUse> {
            None$(.or_else(|| $kind::read_parent_use(data)))*
        }
    };
}

link_kinds! {
    bridge::Bridge: "A bridge.",
    dummy::Dummy: "A link that leads nowhere.",
    ifb::Ifb: "A link that incoming packets are sent through to be shaped.",
    ipvlan::Ipvlan: "An IP address of its own on another link.",
    macvlan::Macvlan: "A MAC address of its own on another link.",
    macvtap::Macvtap: "A macvlan link that a program reads and writes.",
    tap::Tap: "A link that a program reads and writes.",
    vlan::Vlan: "Tagged frames on another link.",
    vrf::Vrf: "A routing domain.",
    vxlan::Vxlan: "Frames in UDP packets.",
    wireguard::Wireguard: "Encrypted packets in UDP packets.",
}

impl LinkKind {
    /// The routing table that it has for itself.
    pub fn table(&self) -> Option<u32> {
        match self.number() {
            Some(LinkNumber::Table(table)) => Some(table),
            _ => None,
        }
    }
}

/// The message for a link under a name, which isn't always its final one.
/// `netns` is where it goes, if not to the namespace of the socket. `None` for
/// kinds that no message makes.
pub(crate) fn message(
    link: &NewLink,
    name: &LinkName,
    netns: Option<RawFd>,
) -> Option<LinkMessage> {
    let rest = Rest {
        mac: link.mac,
        mtu: link.mtu,
        netns,
    };
    link.kind.encode().message(name, &rest)
}
