//! Tests of the oracle: of hand-made differences it denies those that aren't allowed,
//! and no others.

use kernel::kinds::{Dummy, Macvlan, MacvlanMode};
use kernel::{
    FirewallEntry, FirewallOwner, FirewallRule, FoundNeighbour, FoundRoute, LinkKind,
    NeighbourTable, NewAddress, Translation,
};
use sim::{Picture, PicturedLink};
use types::Namespace;

use super::{Event, Oracle, Violation, left_over, number_at};
use crate::gate::model::grants::Granted;
use crate::gate::model::play::Stage;
use crate::gate::model::words::{self, Words};

/// A user's title, the lines of a grant, a difference, and a part of the expected
/// violation. It's `None` if the difference is allowed.
type Case = (
    &'static str,
    &'static str,
    fn(&mut Picture),
    Option<&'static str>,
);

fn number(picture: &Picture, name: &str) -> u32 {
    let mut links = picture.links.iter();
    let found = links
        .find(|(_, link)| link.at.namespace == Namespace::Host && link.state.name.as_str() == name);
    *found.unwrap().0
}

fn link<'p>(picture: &'p mut Picture, name: &str) -> &'p mut PicturedLink {
    let number = number(picture, name);
    picture.links.get_mut(&number).unwrap()
}

/// Moves a link to the container. It loses its addresses.
fn move_link(picture: &mut Picture, name: &str) {
    let link = link(picture, name);
    link.at.namespace = Namespace::Container;
    link.addresses.clear();
}

/// Adds a link of the driver on the host.
fn made(picture: &mut Picture) -> &mut PicturedLink {
    let mut new = picture.links[&number(picture, "dummy0")].clone();
    new.at.index = 99;
    new.state.index = 99;
    new.state.name = "dumm0123456789a".parse().unwrap();
    new.addresses.clear();
    new.made_as = Some(Dummy.into());
    accept_advertisements(&mut new, "0");
    picture.links.insert(99, new);
    picture.links.get_mut(&99).unwrap()
}

fn accept_advertisements(link: &mut PicturedLink, value: &str) {
    let settings = &mut link.settings;
    settings.insert("ipv6/accept_ra".to_owned(), value.to_owned());
}

/// Adds a macvlan link of the driver in the container, on a link of the host.
fn above(picture: &mut Picture, parent: &str, mode: MacvlanMode) {
    let (lower, at) = (number(picture, parent), link(picture, parent).at);
    let new = made(picture);
    new.at.namespace = Namespace::Container;
    new.settings.clear();
    new.kind = Some("macvlan".to_owned());
    new.lower = Some(lower);
    new.made_as = Some(LinkKind::from(Macvlan {
        parent: at,
        mode,
        broadcast_limit: None,
        broadcast_queue_length: None,
        sources: Vec::new(),
    }));
}

fn address(text: &str) -> NewAddress {
    NewAddress {
        address: text.parse().unwrap(),
        no_dad: false,
        no_prefix_route: false,
    }
}

fn add_route(picture: &mut Picture, destination: &str, through: u32) {
    let mut new: FoundRoute = picture.host.routes.last().unwrap().clone();
    new.route.route.destination = destination.parse().unwrap();
    new.route.route.gateway = None;
    new.route.table = 254;
    new.route.link = Some(through);
    picture.host.routes.push(new);
}

fn masquerade(picture: &mut Picture, source: &str) {
    let owner = FirewallOwner {
        driver: "d",
        network: "n",
        container: None,
    };
    let rule = FirewallRule::Translate(Translation {
        source: source.parse().unwrap(),
        except: Vec::new(),
        address: None,
    });
    picture.firewall_added.push(FirewallEntry::new(owner, rule));
}

const EVERYTHING: &str = "\"links.create-dummy\" = { place = \"host\" }\n\
    \"links.create-macvlan\" = {}\n\"links.get-default\" = {}\n\"addresses.add\" = {}\n\
    \"routes.add\" = {}\n\"sysctl.set\" = {}\n\"links.move-to-container\" = {}\n";
const NOTHING: &str = "";

const CASES: [Case; 35] = [
    ("without a parent", EVERYTHING, |_| {}, None),
    (
        "without a parent",
        EVERYTHING,
        |p| drop(made(p).clone()),
        None,
    ),
    (
        "without a parent",
        NOTHING,
        |p| drop(made(p).clone()),
        Some("made on the host only"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| made(p).state.name = "virbr0".parse().unwrap(),
        Some("names on the host"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            p.links.remove(&number(p, "dummy0"));
        },
        Some("is gone"),
    ),
    (
        "on the LAN",
        EVERYTHING,
        |p| above(p, "eth0", MacvlanMode::Bridge),
        None,
    ),
    (
        "on the LAN",
        EVERYTHING,
        |p| above(p, "eth1", MacvlanMode::Bridge),
        Some("lie only on parents"),
    ),
    (
        "on the LAN",
        EVERYTHING,
        |p| above(p, "eth0", MacvlanMode::Passthru),
        Some("passthru only"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| above(p, "eth0", MacvlanMode::Bridge),
        None,
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| above(p, "eth1", MacvlanMode::Bridge),
        Some("lie only on parents"),
    ),
    ("on the LAN", EVERYTHING, |p| move_link(p, "eth0"), None),
    (
        "on the LAN",
        EVERYTHING,
        |p| link(p, "eth1").at.namespace = Namespace::Container,
        Some("that was named moves"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| link(p, "eth0").at.namespace = Namespace::Container,
        Some("that was named moves"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| link(p, "eth0").state.up = false,
        Some("links.set-down"),
    ),
    (
        "without a parent",
        "\"links.set-mtu\" = { link = \"eth1\" }\n",
        |p| link(p, "eth1").state.mtu = 1400,
        None,
    ),
    (
        "without a parent",
        "\"links.set-mtu\" = { link = \"eth1\" }\n",
        |p| link(p, "eth0").state.mtu = 1400,
        Some("links.set-mtu"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| accept_advertisements(made(p), "1"),
        Some("no router advertisements"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| made(p).addresses.push(address("10.88.0.1/24")),
        None,
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| made(p).addresses.push(address("10.88.0.9/24")),
        Some("only for gateways"),
    ),
    (
        "in a subnet that the host is in",
        EVERYTHING,
        |p| made(p).addresses.push(address("10.5.0.2/16")),
        Some("isn't connected"),
    ),
    (
        "in a part of the LAN",
        EVERYTHING,
        |p| made(p).addresses.push(address("2001:db8:1:0:8::1/80")),
        None,
    ),
    (
        "in a part of the LAN",
        "\"neighbours.add-proxy\" = {}\n",
        |p| link(p, "eth0").neighbours.push(proxy("2001:db8:1:0:8::2")),
        None,
    ),
    (
        "in a part of the LAN",
        "\"neighbours.add-proxy\" = {}\n",
        |p| link(p, "eth0").neighbours.push(proxy("2001:db8:1:0:8::3")),
        Some("neighbours of links that were there"),
    ),
    (
        "in a part of the LAN",
        "\"neighbours.add-proxy\" = {}\n",
        |p| link(p, "eth0").neighbours.push(proxy("192.168.1.130")),
        Some("neighbours of links that were there"),
    ),
    (
        "in a part of the LAN",
        "\"neighbours.add-proxy\" = {}\n",
        |p| link(p, "eth1").neighbours.push(proxy("2001:db8:1:0:8::2")),
        Some("neighbours of links that were there"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            made(p);
            add_route(p, "10.88.0.2/32", 99);
        },
        None,
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            made(p);
            add_route(p, "10.70.0.0/16", 99);
        },
        Some("only for the network's subnets"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| add_route(p, "10.88.0.2/32", 2),
        Some("routes only through links"),
    ),
    (
        "in a subnet that has the host's",
        EVERYTHING,
        |p| {
            made(p);
            add_route(p, "192.168.1.0/24", 99);
        },
        Some("never over what it has"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            p.host.routes.remove(0);
        },
        Some("routes that were there stay"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            p.host
                .settings
                .insert("/proc/sys/net/core/somaxconn".to_owned(), "1".to_owned());
        },
        Some("settings of the host"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| {
            made(p)
                .settings
                .insert("ipv4/route_localnet".to_owned(), "1".to_owned());
        },
        Some("dangerous settings"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| made(p).neighbours.push(proxy("192.168.1.1")),
        Some("answer only for the container"),
    ),
    (
        "without a parent",
        EVERYTHING,
        |p| masquerade(p, "10.88.0.2/32"),
        None,
    ),
    (
        "in a subnet that the host is in",
        EVERYTHING,
        |p| masquerade(p, "10.5.0.0/16"),
        Some("translation"),
    ),
];

fn judge(words: &Words, calls: &str, before: &Picture, after: &Picture) -> Vec<Violation> {
    let digest = types::Digest::of(b"");
    let text = format!("driver = \"d\"\ndigest = \"{digest}\"\n[calls]\n{calls}");
    let granted = Granted::parse("d", &text);
    Oracle::judge(words, &granted.lines, before, after, &[])
}

fn words_of(title: &str) -> Words {
    let mut all = words::all().into_iter();
    all.find(|words| words.title == title).unwrap()
}

#[test]
fn differences_are_denied_that_nobody_has_allowed() {
    let stage = Stage::new("random");
    for (place, (title, calls, change, expected)) in CASES.iter().enumerate() {
        let mut after = stage.before.clone();
        change(&mut after);
        let found = judge(&words_of(title), calls, &stage.before, &after);
        let texts: Vec<String> = found.iter().map(Violation::to_string).collect();
        match expected {
            None => assert!(texts.is_empty(), "case {place}: {texts:?}"),
            Some(expected) => assert!(
                texts.iter().any(|text| text.contains(expected)),
                "case {place}: {texts:?}"
            ),
        }
    }
}

#[test]
fn what_leaves_no_trace_is_denied_too() {
    let stage = Stage::new("random");
    let words = words_of("with a tunnel");
    let judge = |event| {
        let granted = Granted::parse(
            "d",
            &format!(
                "driver = \"d\"\ndigest = \"{}\"\n[calls]\n",
                types::Digest::of(b"")
            ),
        );
        Oracle::judge(
            &words,
            &granted.lines,
            &stage.before,
            &stage.before,
            &[event],
        )
        .len()
    };
    assert_eq!(judge(Event::Secret("key".to_owned())), 0);
    assert_eq!(judge(Event::Secret("othersecret".to_owned())), 1);
    assert_eq!(judge(Event::Announced("10.85.0.2".to_owned())), 0);
    assert_eq!(judge(Event::Announced("192.168.1.1".to_owned())), 1);
}

fn proxy(address: &str) -> FoundNeighbour {
    FoundNeighbour {
        address: address.parse().unwrap(),
        mac: None,
        permanent: true,
        table: NeighbourTable::Proxies,
    }
}

#[test]
fn whatever_is_left_is_found() {
    let stage = Stage::new("random");
    let before = &stage.before;
    assert_eq!(left_over(before, before, None), []);
    let changes: [fn(&mut Picture); 8] = [
        |p| drop(made(p).clone()),
        |p| link(p, "eth0").state.up = false,
        |p| link(p, "eth0").promiscuity = 1,
        |p| link(p, "eth0").addresses.clear(),
        |p| {
            p.links.remove(&number(p, "eth0"));
        },
        |p| {
            p.host.routes.remove(0);
        },
        |p| masquerade(p, "10.88.0.2/32"),
        |p| {
            p.container
                .settings
                .insert("/proc/sys/net/core/somaxconn".to_owned(), "1".to_owned());
        },
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut after = before.clone();
        change(&mut after);
        assert!(
            !left_over(before, &after, None).is_empty(),
            "change {place}"
        );
    }
    // This setting stays on, because other programs may rely on it.
    let mut after = before.clone();
    after
        .host
        .settings
        .insert("/proc/sys/net/ipv4/ip_forward".to_owned(), "1".to_owned());
    assert_eq!(left_over(before, &after, None), []);
    // So does this one, on the link that the user named.
    let mut after = before.clone();
    let settings = &mut link(&mut after, "eth0").settings;
    settings.insert("ipv6/proxy_ndp".to_owned(), "1".to_owned());
    assert_eq!(left_over(before, &after, Some("eth0")), []);
    assert!(!left_over(before, &after, Some("eth1")).is_empty());
    assert!(number_at(before, Namespace::Host, 2).is_some());
}
