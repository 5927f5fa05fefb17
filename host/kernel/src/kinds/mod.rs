//! The kinds of links. Each kind has a file with all its facts.

mod veth;

use std::fmt::Display;
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

/// A link to be made. A new link is down.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// The namespace.
    pub namespace: Namespace,
    /// The name.
    pub name: LinkName,
    /// The MAC address. Without one, the kernel chooses.
    pub mac: Option<Mac>,
    /// The MTU in bytes. Without one, or with 0, the link has the kind's
    /// default.
    pub mtu: Option<u32>,
    /// The kind with its properties.
    pub kind: LinkKind,
}

impl NewLink {
    /// Returns the MTU of a bridge of the host that has no IPv6 by it.
    pub fn small_mtu_of_bridge(&self) -> Option<u32> {
        let is_bridge = self.namespace == Namespace::Host && self.kind.name() == "bridge";
        let mtu = self.mtu.filter(|_| is_bridge);
        mtu.filter(|mtu| (1..IPV6_MIN_MTU).contains(mtu))
    }
}

/// The facts about a kind of link, except its message.
pub trait Kind {
    /// Returns the kernel's name for the kind (IFLA_INFO_KIND).
    fn name(&self) -> &'static str;

    /// Returns the parent (IFLA_LINK).
    fn parent(&self) -> Option<LinkId> {
        None
    }

    /// Returns the effect of the link on its parent.
    fn parent_use(&self) -> Option<ParentUse> {
        None
    }

    /// Returns the number that the link takes, besides its name.
    fn number(&self) -> Option<LinkNumber> {
        None
    }

    /// Whether frames pass only the ports of their VLAN, for bridges.
    fn vlan_filtering(&self) -> Option<bool> {
        None
    }

    /// Returns the namespace through which the link is made, if that matters:
    /// its parent's, or the one in which its own packets travel.
    fn birthplace(&self) -> Option<Namespace> {
        self.parent().map(|parent| parent.namespace)
    }

    /// Returns the MTU in bytes that the kernel gives the link on a parent with
    /// this MTU.
    fn default_mtu(&self, _parent: Option<u32>) -> u32 {
        ETHERNET_MTU
    }

    /// Returns the length of the headers around each frame that the link sends, in
    /// bytes.
    fn headroom(&self) -> u32 {
        0
    }

    /// Returns the length of the transmit queue that the kernel gives the link,
    /// in packets.
    fn tx_queue_length(&self) -> u32 {
        TX_QUEUE_LENGTH
    }

    /// Returns the MAC address that the kernel gives the link.
    fn default_mac(&self) -> DefaultMac {
        DefaultMac::Random
    }

    /// Returns the properties that only this kind has, in the words of `ip-link(8)`, for
    /// people who read what a driver made. The parent isn't one.
    fn properties(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Returns a property as `ip-link(8)` has it, if it is given.
fn property(name: &str, value: Option<impl Display>) -> Option<String> {
    value.map(|value| format!("{name} {value}"))
}

/// The MAC address of a new link, if none is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultMac {
    /// None, even if one is requested.
    None,
    /// The parent's.
    OfParent,
    /// One that the kernel chooses.
    Random,
}

/// A number that only one link in a namespace or on a parent can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkNumber {
    /// The number of a VLAN.
    Vlan(u16),
    /// The number of a VXLAN (VNI).
    Vni(u32),
    /// The routing table of a VRF.
    Table(u32),
}

/// The effect of a link on its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentUse {
    /// The link takes over the parent, as a macvlan or macvtap link in passthru
    /// mode does. Its MAC address and flags are the parent's.
    Whole,
    /// The link uses the parent in a mode that all ipvlan links of one parent
    /// share. The kernel gives the newest link's mode to the others
    /// (`ipvlan_set_port_mode`).
    Ipvlan(IpvlanMode, IpvlanIsolation),
}

/// The netlink encoding of a kind.
trait Encode: Kind {
    /// Returns the message that makes a link under a name (RTM_NEWLINK), or
    /// `None` if no message makes one.
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage>;

    /// Reads the effect of a link on its parent from the data of its kind
    /// (IFLA_INFO_DATA).
    fn read_parent_use(_data: &InfoData) -> Option<ParentUse>
    where
        Self: Sized,
    {
        None
    }
}

/// The attributes that messages of all kinds have.
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

        /// The kinds of links that are made one at a time.
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

        /// Reads the effect of a link on its parent from the data of its kind.
        pub(crate) fn parent_use(data: &InfoData) -> Option<ParentUse> {
            None$(.or_else(|| $kind::read_parent_use(data)))*
        }
    };
}

link_kinds! {
    bridge::Bridge: "A bridge.",
    dummy::Dummy: "A link that drops all packets.",
    ifb::Ifb: "A link through which received packets are redirected, to be shaped.",
    ipvlan::Ipvlan: "A link with its parent's MAC address and IP addresses of its own.",
    macvlan::Macvlan: "A link with a MAC address of its own on its parent.",
    macvtap::Macvtap: "A macvlan link that a program reads and writes.",
    tap::Tap: "A link that a program reads and writes.",
    vlan::Vlan: "A link for the frames of a VLAN on its parent.",
    vrf::Vrf: "A routing domain.",
    vxlan::Vxlan: "A tunnel for frames in UDP packets.",
    wireguard::Wireguard: "A tunnel for encrypted packets in UDP packets.",
}

impl LinkKind {
    /// Returns the routing table of a VRF.
    pub fn table(&self) -> Option<u32> {
        match self.number() {
            Some(LinkNumber::Table(table)) => Some(table),
            _ => None,
        }
    }
}

/// Returns the message that makes a link, or `None` for kinds that no message
/// makes. `name` isn't always the link's final name. `netns` is the link's
/// namespace, if that isn't the socket's.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_those_of_the_kind() {
        let parent = LinkId {
            namespace: Namespace::Host,
            index: 2,
        };
        let macvlan = Macvlan {
            parent,
            mode: MacvlanMode::Source,
            broadcast_limit: Some(-1),
            broadcast_queue_length: Some(7),
            sources: vec!["02:00:00:00:00:01".parse().unwrap()],
        };
        let plain = Macvlan {
            mode: MacvlanMode::Private,
            broadcast_limit: None,
            broadcast_queue_length: None,
            sources: Vec::new(),
            ..macvlan.clone()
        };
        let vxlan = Vxlan {
            parent: None,
            id: 7,
            remote: "239.1.1.1".parse().ok(),
            local: "192.0.2.1".parse().ok(),
            port: 4789,
            learning: false,
            ttl: Some(3),
        };
        for (kind, expected) in [
            (LinkKind::Dummy(Dummy), ""),
            (
                LinkKind::Macvlan(macvlan),
                "mode source, bclim -1, bcqueuelen 7, macaddr 02:00:00:00:00:01",
            ),
            (LinkKind::Macvtap(Macvtap(plain)), "mode private"),
            (
                LinkKind::Ipvlan(Ipvlan {
                    parent,
                    mode: IpvlanMode::L3s,
                    isolation: IpvlanIsolation::Vepa,
                }),
                "mode l3s vepa",
            ),
            (
                LinkKind::Vlan(Vlan {
                    parent,
                    id: 10,
                    protocol: VlanProtocol::Dot1ad,
                }),
                "protocol 802.1ad, id 10",
            ),
            (
                LinkKind::Vxlan(vxlan),
                "id 7, group 239.1.1.1, local 192.0.2.1, dstport 4789, nolearning, ttl 3",
            ),
            (LinkKind::Vrf(Vrf { table: 77 }), "table 77"),
            (
                LinkKind::Tap(Tap {
                    owner: Some(1),
                    group: None,
                    multi_queue: true,
                }),
                "user 1, multi_queue",
            ),
            (
                LinkKind::Bridge(Bridge {
                    vlan_filtering: true,
                }),
                "vlan_filtering 1",
            ),
        ] {
            assert_eq!(kind.properties().join(", "), expected);
        }
    }
}
