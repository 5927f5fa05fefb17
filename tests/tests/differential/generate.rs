//! Which operation comes next.

use kernel::kinds::{IpvlanIsolation, IpvlanMode, MacvlanMode, VlanProtocol};
use kernel::{
    ClassPackets, HtbClass, LinkSetting, Neighbour, NeighbourTable, NewAddress, PortChange,
    PortVlans, QueueHook, RouteScope, Shape, Tbf, VlanNumbers,
};
use types::{IpVersion, Mark, Namespace, RouteKind, Rule};

use crate::operation::{Change, Hop, Kind, Name, Operation, Way};
use crate::pools::Draw;
use crate::probe::{Feature, Features};

/// The links' settings that sequences write.
pub(crate) const LINK_SETTINGS: [LinkSetting; 12] = [
    LinkSetting::Autoconf,
    LinkSetting::ArpNotify,
    LinkSetting::NdiscNotify,
    LinkSetting::RpFilter,
    LinkSetting::RouteLocalnet,
    LinkSetting::Forwarding4,
    LinkSetting::Forwarding6,
    LinkSetting::AcceptRa,
    LinkSetting::DisableIpv6,
    LinkSetting::KeepAddrOnDown,
    LinkSetting::ProxyArp,
    LinkSetting::ProxyNdp,
];

/// One operation.
pub(crate) fn operation(draw: &mut Draw, features: &Features) -> Operation {
    match draw.below(100) {
        0..12 => created(draw, features),
        12..15 => Operation::Delete(draw.name()),
        15..18 => Operation::Move {
            link: draw.name(),
            name: draw.link(),
            index: draw.seldom_some(|draw| 1000 + draw.below(4)),
        },
        18..44 => Operation::Change(draw.name(), change(draw)),
        44..56 => address(draw),
        56..74 => route(draw),
        74..79 => rule(draw),
        79..85 => neighbour(draw),
        85..89 => port(draw, features),
        89..94 => setting(draw),
        94..98 => queue(draw, features),
        _ => snapshot(draw),
    }
}

fn created(draw: &mut Draw, features: &Features) -> Operation {
    if draw.below(3) == 0 {
        return Operation::CreateVeth {
            // Of a wrong address of this end and a name that is taken, kernels say one
            // or the other first.
            container: (draw.link(), draw.seldom_some(Draw::right_mac)),
            host: (draw.link(), draw.seldom_some(Draw::mac)),
            mtu: draw.seldom_some(Draw::mtu),
        };
    }
    let mut name = draw.name();
    let feature = draw.one(&features.kinds());
    // Those are made through the host's namespace.
    let is_of_host = matches!(feature, Feature::Vxlan | Feature::Wireguard);
    if is_of_host && !features.has(Feature::NamesWhereMade) {
        name.namespace = Namespace::Host;
    }
    let kind = match feature {
        Feature::Bridge => Kind::Bridge {
            vlan_filtering: false,
        },
        Feature::FilteringBridge => Kind::Bridge {
            vlan_filtering: true,
        },
        Feature::Dummy => Kind::Dummy,
        Feature::Ifb => Kind::Ifb,
        Feature::Ipvlan => Kind::Ipvlan {
            parent: draw.parent(name.namespace, features),
            mode: draw.one(&[IpvlanMode::L2, IpvlanMode::L3]),
            isolation: draw.one(&[
                IpvlanIsolation::Bridge,
                IpvlanIsolation::Private,
                IpvlanIsolation::Vepa,
            ]),
        },
        Feature::Macvlan => Kind::Macvlan {
            parent: draw.parent(name.namespace, features),
            mode: macvlan_mode(draw),
        },
        Feature::Macvtap => Kind::Macvtap {
            parent: draw.parent(name.namespace, features),
            mode: macvlan_mode(draw),
        },
        Feature::Tap => Kind::Tap,
        Feature::Vlan => Kind::Vlan {
            parent: draw.parent(name.namespace, features),
            id: draw.one(&[0, 1, 7, 7, 4094]),
            protocol: match draw.seldom() {
                true => VlanProtocol::Dot1ad,
                false => VlanProtocol::Dot1q,
            },
        },
        Feature::Vrf => Kind::Vrf {
            table: draw.table(),
        },
        Feature::Vxlan => Kind::Vxlan {
            parent: draw.on().then(|| draw.parent(Namespace::Host, features)),
            id: draw.below(3),
            remote: draw.seldom_some(Draw::remote),
            port: draw.one(&[4789, 4790]),
        },
        Feature::Wireguard => Kind::Wireguard,
        other => unreachable!("{other:?} is no kind"),
    };
    Operation::CreateLink {
        name,
        mac: draw.seldom_some(Draw::mac),
        mtu: draw.seldom_some(Draw::mtu),
        kind,
    }
}

fn macvlan_mode(draw: &mut Draw) -> MacvlanMode {
    draw.one(&[
        MacvlanMode::Private,
        MacvlanMode::Vepa,
        MacvlanMode::Bridge,
        MacvlanMode::Passthru,
        MacvlanMode::Source,
    ])
}

fn change(draw: &mut Draw) -> Change {
    match draw.below(24) {
        0..3 => Change::Name(draw.link()),
        3..5 => Change::Mac(draw.mac()),
        5..8 => Change::Mtu(draw.mtu()),
        8..12 => Change::Master(draw.on().then(|| draw.link())),
        12..18 => Change::Up(true),
        18..20 => Change::Up(false),
        20 => Change::TxQueueLength(draw.one(&[0, 1, 1000, 5000])),
        21 => Change::Promiscuous(draw.on()),
        22 => Change::AllMulticast(draw.on()),
        _ => Change::Alias(draw.one(&[None, Some("a text".to_owned()), Some("x".repeat(255))])),
    }
}

fn address(draw: &mut Draw) -> Operation {
    let (name, address) = (draw.name(), draw.address());
    match draw.below(10) {
        0..7 => Operation::AddAddress(
            name,
            NewAddress {
                address,
                // When duplicate address detection ends is a matter of time.
                no_dad: address.addr().is_ipv6(),
                no_prefix_route: draw.seldom(),
            },
        ),
        7..9 => Operation::RemoveAddress(name, address),
        // The real kernel sends packets, which have their own ways to fail: the
        // simulated one has none of that.
        _ if address.addr().is_ipv6() || address.addr().is_loopback() => {
            Operation::RemoveAddress(name, address)
        }
        _ => Operation::Announce(name, address.addr()),
    }
}

fn way(draw: &mut Draw) -> Way {
    let destination = draw.destination();
    let is_v4 = destination.addr().is_ipv4();
    let kind = match draw.below(10) {
        0 => draw.one(&[
            RouteKind::Blackhole,
            RouteKind::Unreachable,
            RouteKind::Prohibit,
        ]),
        _ => RouteKind::Unicast,
    };
    let is_unicast = kind == RouteKind::Unicast;
    let several = is_unicast && draw.below(6) == 0;
    // Of an IPv6 hop without a gateway and of one without a link kernels say one or
    // the other first.
    let needs_gateway = several && !is_v4;
    let hop = |draw: &mut Draw, hops| Hop {
        gateway: (needs_gateway || draw.on()).then(|| draw.gateway(destination)),
        link: draw.on().then(|| draw.link()),
        on_link: draw.seldom(),
        hops,
    };
    let none = Hop {
        gateway: None,
        link: None,
        on_link: false,
        hops: 0,
    };
    Way {
        namespace: draw.namespace(),
        destination,
        metric: draw.on().then(|| draw.metric()),
        kind,
        table: draw.table(),
        scope: draw
            .seldom_some(|draw| draw.one(&[RouteScope::Global, RouteScope::Link, RouteScope::Host]))
            .filter(|_| is_v4),
        source: draw.seldom_some(|draw| draw.source(destination)),
        hop: match is_unicast && !several {
            true => hop(draw, 0),
            false => none,
        },
        hops: match several {
            true => (0..2)
                .map(|_| {
                    let hops = if is_v4 { draw.one(&[0, 0, 9]) } else { 0 };
                    hop(draw, hops)
                })
                .collect(),
            false => Vec::new(),
        },
    }
}

fn route(draw: &mut Draw) -> Operation {
    match draw.below(20) {
        0..9 => Operation::AddRoute(way(draw)),
        9..12 => Operation::ReplaceRoute(way(draw)),
        12..14 => Operation::RemoveRoute(way(draw)),
        14 => Operation::HasRoute(way(draw)),
        15 => Operation::SaveRoute(way(draw)),
        16 => Operation::SaveRivals(way(draw)),
        17 => Operation::RemoveSavedRoutes(draw.namespace()),
        18 => Operation::PutBackRoutes(draw.namespace()),
        _ => Operation::DefaultRouteLink,
    }
}

fn rule(draw: &mut Draw) -> Operation {
    let version = draw.one(&[IpVersion::Ipv4, IpVersion::Ipv6]);
    let network = |draw: &mut Draw| {
        let network = draw.seldom_some(Draw::destination)?;
        let fits = IpVersion::of(&network) == version && network.prefix_len() > 0;
        fits.then_some(network)
    };
    let rule = Rule {
        version,
        source: network(draw),
        destination: network(draw),
        incoming: draw.seldom_some(Draw::link),
        outgoing: draw.seldom_some(Draw::link),
        mark: draw.seldom_some(|draw| Mark {
            value: draw.below(2),
            mask: draw.one(&[1, 3]),
        }),
        priority: draw.one(&[0, 100, 101, 32_766]),
        table: draw.one(&[254, 77, 1077, 255]),
    };
    let namespace = draw.namespace();
    match draw.below(10) {
        0..5 => Operation::AddRule(namespace, rule),
        5 => Operation::RemoveRule(namespace, rule),
        6 => Operation::HasRule(namespace, rule),
        7 => Operation::SaveRule(namespace, rule),
        8 => Operation::RemoveSavedRule(namespace),
        _ => Operation::PutBackRule(namespace),
    }
}

fn neighbour(draw: &mut Draw) -> Operation {
    let (name, address) = (draw.name(), draw.ip());
    let neighbour = match draw.seldom() {
        true => Neighbour::Proxy,
        false => Neighbour::Permanent(draw.mac()),
    };
    let table = draw.one(&[NeighbourTable::Entries, NeighbourTable::Proxies]);
    match draw.below(10) {
        0..5 => Operation::AddNeighbour(name, address, neighbour),
        5 => Operation::RemoveNeighbour(name, address, neighbour),
        6 => Operation::HasNeighbour(name, address, table),
        7 => Operation::SaveNeighbour(name, address, table),
        8 => Operation::RemoveSavedNeighbour(name),
        _ => Operation::PutBackNeighbour(name),
    }
}

fn port(draw: &mut Draw, features: &Features) -> Operation {
    let name = draw.name();
    let on = draw.on();
    if !features.has(Feature::FilteringBridge) || draw.on() {
        let change = draw.one(&[
            PortChange::Hairpin(on),
            PortChange::Isolated(on),
            PortChange::Learning(on),
        ]);
        return Operation::ChangePort(name, change);
    }
    let first = draw.one(&[1, 2, 7]);
    let last = first + draw.one(&[0, 0, 3]);
    let numbers = VlanNumbers::new(first, last).unwrap();
    match draw.on() {
        true => Operation::AddVlans(
            name,
            PortVlans {
                numbers,
                pvid: first == last && draw.on(),
                untagged: draw.on(),
            },
        ),
        false => Operation::RemoveVlans(name, numbers),
    }
}

fn setting(draw: &mut Draw) -> Operation {
    match draw.below(4) {
        0 => Operation::SetSetting(draw.namespace(), draw.key(), draw.value()),
        _ => Operation::SetLinkSetting(draw.name(), draw.one(&LINK_SETTINGS), draw.value()),
    }
}

fn queue(draw: &mut Draw, features: &Features) -> Operation {
    let name = draw.name();
    let shape = Shape::new(8_000_000, 10_000).unwrap();
    // Whoever removes a class knows its packets.
    let (number, packets) = draw.one(&[(0, "10.0.0.0/24"), (1, "fd00::/64")]);
    let class = HtbClass {
        number: HtbClass::FIRST + number,
        assured: shape,
        ceiling: shape,
        packets: ClassPackets::new(packets.parse().ok(), None).unwrap(),
    };
    let tbf = Tbf { shape, latency: 50 };
    let hook = draw.one(&[QueueHook::Root, QueueHook::Ingress]);
    let all = [
        (Feature::Tbf, Operation::SetTbf(name.clone(), tbf)),
        (Feature::Htb, Operation::SetHtb(name.clone(), shape)),
        (Feature::Htb, Operation::AddHtbClass(name.clone(), class)),
        (Feature::Htb, Operation::RemoveHtbClass(name.clone(), class)),
        (
            Feature::Redirect,
            Operation::RedirectIngress(name.clone(), draw.link()),
        ),
        (Feature::Tbf, Operation::RemoveQueue(name, hook)),
    ];
    let (feature, operation) = draw.one(&all);
    match features.has(feature) {
        true => operation,
        false => setting(draw),
    }
}

fn snapshot(draw: &mut Draw) -> Operation {
    let name: Name = draw.name();
    match draw.below(4) {
        // That of the loopback link would have others get link-local addresses.
        0 if name.link.as_str() == "lo" => Operation::PutSettings(name),
        0 => Operation::Snapshot(name),
        1 => Operation::PutSettings(name),
        2 => Operation::Replay(name),
        _ => Operation::AlternativeNames(
            name,
            draw.one(&[
                vec![],
                vec!["other-name".to_owned()],
                vec!["other-name".to_owned(), "a2".to_owned()],
            ]),
        ),
    }
}
