//! The questions whose answers are played: all that reads what the kernel sends, and
//! what depends on it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ipnet::IpNet;
use types::{
    IpVersion, LinkName, Mac, Namespace, PortRange, Protocol, Route, RouteKind, Rule, WireguardKey,
};

use crate::netlink::Netlink;
use crate::{
    AddressesRead, BridgePorts, BridgePortsRead, FarLink, Firewall, FirewallEntry, FirewallOwner,
    FirewallRead, FirewallRule, IdentitiesRead, InventoryRead, Isolation, LinkChange, LinkId,
    LinkTraffic, Links, LinksRead, MAIN_TABLE, NeighbourTable, Neighbours, NeighboursRead,
    Offloads, OffloadsRead, Policy, PortChange, Publication, Routes, RoutesRead, Rules, RulesRead,
    Snapshots, TableRoute, TrafficControlRead, Translation, VfsRead, Whereabouts, Wireguard,
    WireguardChange, WireguardRead,
};

/// A question, and its answer in words.
type Question = (&'static str, fn(&mut Netlink) -> String);

/// A bridge, in the namespace where answers are recorded, and a port of it.
const BRIDGE: LinkId = host(2);
const PORT: LinkId = host(3);
/// A WireGuard link there.
const TUNNEL: LinkId = host(5);

const HOST: Namespace = Namespace::Host;

/// All questions. An input begins with the place of one.
pub(super) const QUESTIONS: &[Question] = &[
    ("links", |it| words(&it.links(HOST, Some(2)))),
    ("link", |it| {
        let named = it.link_by_name(HOST, &name("br0"));
        words(&(named, it.link_info(PORT)))
    }),
    ("placed-links", |it| words(&it.placed_links(HOST))),
    ("survey", |it| words(&it.survey(HOST))),
    ("identified-links", |it| words(&it.identified_links(HOST))),
    ("far-link", |it| {
        let place = Whereabouts::Elsewhere(0);
        words(&it.far_link(FarLink { place, index: 2 }))
    }),
    ("addresses", |it| {
        words(&(
            it.all_addresses(HOST, IpVersion::Ipv4),
            it.addresses(BRIDGE),
        ))
    }),
    ("routes", |it| {
        words(&(
            it.routes(HOST, MAIN_TABLE, IpVersion::Ipv4),
            it.default_route_link(),
        ))
    }),
    ("save-routes", save_routes),
    ("rules", rules),
    ("neighbours", neighbours),
    ("snapshot", |it| {
        let snapshot = it.read_snapshot(BRIDGE, BTreeMap::new());
        words(&snapshot.and_then(|snapshot| it.replay(BRIDGE, 2, &snapshot)))
    }),
    ("port", |it| {
        let changed = it.change_port(PORT, PortChange::Hairpin(true));
        words(&(it.port(PORT), it.vlans(PORT), changed))
    }),
    ("queues", |it| {
        words(&(it.queues(PORT), it.htb_classes(PORT)))
    }),
    ("vfs", |it| words(&(it.vfs(PORT), it.vf_device(PORT, 1)))),
    ("features", |it| {
        let features = it.features(PORT);
        words(&(features, it.set_feature(PORT, "rx-gro", false)))
    }),
    ("wireguard", |it| {
        let key = WireguardKey::from([7; 32]);
        let removed = it.change_wireguard(TUNNEL, &WireguardChange::RemovePeer(key));
        words(&(it.wireguard(TUNNEL), removed))
    }),
    ("names", |it| {
        words(&it.set_alternative_names(PORT, &["other".to_owned()]))
    }),
    ("delete-link", |it| words(&it.delete_link(PORT))),
    ("change-link", |it| {
        words(&it.change_link(PORT, &LinkChange::Mtu(1400)))
    }),
    ("add-firewall", |it| words(&it.add_firewall(&entries()))),
    ("firewall", |it| {
        let entries = entries();
        let missing = it.missing_firewall(&entries);
        let has: Vec<_> = entries.iter().map(|entry| it.has_firewall(entry)).collect();
        words(&(missing, has, it.free_for_firewall(&entries)))
    }),
    ("restore-firewall", |it| {
        words(&it.restore_firewall(&entries()))
    }),
    ("remove-firewall", |it| {
        let entries = entries();
        let removed = entries.iter().map(|entry| it.remove_firewall(entry));
        let removed: Vec<_> = removed.collect();
        words(&(removed, it.remove_empty_firewall(&entries[0])))
    }),
];

fn words(answer: &impl Debug) -> String {
    format!("{answer:?}")
}

const fn host(index: u32) -> LinkId {
    LinkId {
        namespace: HOST,
        index,
    }
}

fn save_routes(it: &mut Netlink) -> String {
    let route = TableRoute {
        route: Route {
            destination: net("10.9.0.0/16"),
            gateway: Some("10.0.0.9".parse().expect("an address")),
            metric: None,
            kind: RouteKind::Unicast,
        },
        table: MAIN_TABLE,
        scope: None,
        source: None,
        link: Some(2),
        on_link: false,
        next_hops: Vec::new(),
    };
    let rivals = it.save_rivals(HOST, &route);
    let saved = it.save_route(HOST, &route);
    let moved = saved.and_then(|saved| {
        it.remove_saved(HOST, &saved)?;
        it.put_back_routes(HOST, &saved)
    });
    words(&(rivals, moved, it.has_route(HOST, &route)))
}

fn rules(it: &mut Netlink) -> String {
    let rule = Rule {
        version: IpVersion::Ipv4,
        source: Some(net("10.42.0.0/24")),
        destination: None,
        incoming: None,
        outgoing: None,
        mark: None,
        priority: 1000,
        table: 200,
    };
    let all = it.rules(HOST);
    let moved = it.save_rule(HOST, &rule).and_then(|saved| {
        it.remove_saved_rule(HOST, &saved)?;
        it.put_back_rule(HOST, &saved)
    });
    words(&(all, it.has_rule(HOST, &rule), moved))
}

fn neighbours(it: &mut Netlink) -> String {
    let address = "10.0.0.9".parse().expect("an address");
    let all = it.neighbours(BRIDGE);
    let moved = it
        .save_neighbour(BRIDGE, address, NeighbourTable::Entries)
        .and_then(|saved| {
            it.remove_saved_neighbour(BRIDGE, &saved)?;
            it.put_back_neighbour(BRIDGE, &saved)
        });
    words(&(all, moved))
}

/// Rules in each table, and of each form: a rule, elements, and connections.
fn entries() -> Vec<FirewallEntry> {
    let owner = FirewallOwner {
        driver: "d",
        network: "net",
        container: Some("ctr"),
    };
    let address = "10.0.0.9".parse().expect("an address");
    let rules = [
        FirewallRule::Translate(Translation {
            source: net("10.0.0.0/24"),
            except: vec![net("10.1.0.0/24")],
            address: None,
        }),
        FirewallRule::Publish(Publication {
            ports: vec![PortRange {
                host_address: None,
                protocol: Protocol::Udp,
                first: 8080,
                last: 8081,
                container_first: 80,
            }],
            address,
            from: None,
        }),
        FirewallRule::Isolate {
            link: name("br0"),
            isolation: Isolation::Normal,
        },
        FirewallRule::CheckSender {
            link: name("p0"),
            mac: Mac::try_from(&[2, 0, 0, 0, 0, 1][..]).expect("a MAC address"),
        },
        FirewallRule::FilterLink {
            link: name("eth0"),
            traffic: LinkTraffic {
                incoming: true,
                peer: None,
                ports: None,
            },
            policy: Policy::Drop,
        },
    ];
    rules
        .map(|rule| FirewallEntry::new(owner, rule))
        .into_iter()
        .collect()
}

fn name(text: &str) -> LinkName {
    text.parse().expect("a name")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}
