//! The operations of a sequence. Links are told by their names, so that an
//! operation means the same before both kernels, and when others are left out.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::kinds::{IpvlanIsolation, IpvlanMode, MacvlanMode, VlanProtocol};
use kernel::{
    HtbClass, LinkSetting, Neighbour, NeighbourTable, NewAddress, PortChange, PortVlans, QueueHook,
    RouteScope, Shape, Tbf, VlanNumbers,
};
use types::{LinkName, Mac, Namespace, RouteKind, Rule, SettingKey};

/// A link, by what it's called.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) namespace: Namespace,
    pub(crate) link: LinkName,
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.link)
    }
}

/// What kind of link is to be made.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Bridge {
        vlan_filtering: bool,
    },
    Dummy,
    Ifb,
    Ipvlan {
        parent: Name,
        mode: IpvlanMode,
        isolation: IpvlanIsolation,
    },
    Macvlan {
        parent: Name,
        mode: MacvlanMode,
    },
    Macvtap {
        parent: Name,
        mode: MacvlanMode,
    },
    Tap,
    Vlan {
        parent: Name,
        id: u16,
        protocol: VlanProtocol,
    },
    Vrf {
        table: u32,
    },
    Vxlan {
        parent: Option<Name>,
        id: u32,
        remote: Option<IpAddr>,
        port: u16,
    },
    Wireguard,
}

/// A change of a link.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Name(LinkName),
    Mac(Mac),
    Mtu(u32),
    Master(Option<LinkName>),
    Up(bool),
    TxQueueLength(u32),
    Promiscuous(bool),
    AllMulticast(bool),
    Alias(Option<String>),
}

/// A next hop of a route.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) link: Option<LinkName>,
    pub(crate) on_link: bool,
    pub(crate) hops: u8,
}

/// A route.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) namespace: Namespace,
    pub(crate) destination: IpNet,
    pub(crate) metric: Option<u32>,
    pub(crate) kind: RouteKind,
    pub(crate) table: u32,
    pub(crate) scope: Option<RouteScope>,
    pub(crate) source: Option<IpAddr>,
    /// The first is the route's own where there are no others.
    pub(crate) hop: Hop,
    pub(crate) hops: Vec<Hop>,
}

/// An operation, or a question.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    CreateLink {
        name: Name,
        mac: Option<Mac>,
        mtu: Option<u32>,
        kind: Kind,
    },
    CreateVeth {
        container: (LinkName, Option<Mac>),
        host: (LinkName, Option<Mac>),
        mtu: Option<u32>,
    },
    Move {
        link: Name,
        name: LinkName,
        index: Option<u32>,
    },
    Delete(Name),
    Change(Name, Change),
    AlternativeNames(Name, Vec<String>),
    AddAddress(Name, NewAddress),
    RemoveAddress(Name, IpNet),
    Snapshot(Name),
    PutSettings(Name),
    Replay(Name),
    AddRoute(Way),
    ReplaceRoute(Way),
    RemoveRoute(Way),
    HasRoute(Way),
    SaveRoute(Way),
    SaveRivals(Way),
    RemoveSavedRoutes(Namespace),
    PutBackRoutes(Namespace),
    DefaultRouteLink,
    AddRule(Namespace, Rule),
    RemoveRule(Namespace, Rule),
    HasRule(Namespace, Rule),
    SaveRule(Namespace, Rule),
    RemoveSavedRule(Namespace),
    PutBackRule(Namespace),
    AddNeighbour(Name, IpAddr, Neighbour),
    RemoveNeighbour(Name, IpAddr, Neighbour),
    HasNeighbour(Name, IpAddr, NeighbourTable),
    SaveNeighbour(Name, IpAddr, NeighbourTable),
    RemoveSavedNeighbour(Name),
    PutBackNeighbour(Name),
    ChangePort(Name, PortChange),
    AddVlans(Name, PortVlans),
    RemoveVlans(Name, VlanNumbers),
    SetLinkSetting(Name, LinkSetting, &'static str),
    SetSetting(Namespace, SettingKey, &'static str),
    SetTbf(Name, Tbf),
    SetHtb(Name, Shape),
    AddHtbClass(Name, HtbClass),
    RemoveHtbClass(Name, HtbClass),
    RedirectIngress(Name, LinkName),
    RemoveQueue(Name, QueueHook),
    Announce(Name, IpAddr),
}

impl Operation {
    /// Whether it's about an IPv6 route.
    pub(crate) fn is_of_ipv6_route(&self) -> bool {
        match self {
            Self::AddRoute(way) | Self::ReplaceRoute(way) => way.destination.addr().is_ipv6(),
            _ => false,
        }
    }
}
