//! The judgement of leftovers after a rollback.

use kernel::FoundRoute;
use sim::{Picture, PicturedLink, PicturedNamespace};
use types::Namespace;

use super::links::{PROXY_NDP, describe};
use super::{Violation, differing, follows_forwarding, lost};

/// The settings that stay on, because other programs may rely on them, with those
/// that the kernel turns on with them.
const STAYING: [&str; 5] = [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/forwarding",
    "/proc/sys/net/ipv4/conf/default/forwarding",
    "/proc/sys/net/ipv6/conf/all/forwarding",
    "/proc/sys/net/ipv6/conf/default/forwarding",
];

/// Returns the differences that a rollback has left. `ndp_proxy` is the link that answers
/// for the container's addresses, which it may do afterwards, too.
pub(in crate::gate::model) fn left_over(
    before: &Picture,
    after: &Picture,
    ndp_proxy: Option<&str>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut note = |class: &str, what: String| {
        let rule = format!("after undoing all is as before: {class}");
        found.push(Violation::new(rule, what));
    };
    for (number, was) in &before.links {
        match after.links.get(number) {
            Some(now) => {
                let namespaces = [before, after].map(|it| it.namespace(now.at.namespace));
                for what in differences(was, now, namespaces, ndp_proxy) {
                    note(what, format!("{what} of {}", describe(was)));
                }
            }
            None => note("a link", format!("{} is gone", describe(was))),
        }
    }
    for (number, now) in &after.links {
        if !before.links.contains_key(number) {
            note("a link", format!("{} is left", describe(now)));
        }
    }
    for namespace in [Namespace::Host, Namespace::Container] {
        let (was, now) = (before.namespace(namespace), after.namespace(namespace));
        for (class, what) in differences_of(was, now) {
            note(class, format!("{what} of the {namespace}"));
        }
    }
    for entry in lost(&after.firewall_added, &before.firewall_added) {
        note(
            "the firewall",
            format!("left in the firewall: {}", entry.rule),
        );
    }
    for entry in lost(&after.firewall_removed, &before.firewall_removed) {
        note(
            "the firewall",
            format!("gone from the firewall: {}", entry.rule),
        );
    }
    found
}

fn differences(
    was: &PicturedLink,
    now: &PicturedLink,
    [before, after]: [&PicturedNamespace; 2],
    ndp_proxy: Option<&str>,
) -> Vec<&'static str> {
    let mut settings = differing(&was.settings, &now.settings).into_iter();
    let is_proxy =
        was.at.namespace == Namespace::Host && ndp_proxy == Some(was.state.name.as_str());
    // They stay on with the namespace's.
    let has_settings = settings.all(|(key, value)| {
        let stays_on = is_proxy && (key, value) == (PROXY_NDP, Some("1"));
        stays_on || follows_forwarding(before, after, key, value)
    });
    let same = |one: bool, what| (!one).then_some(what);
    let (a, b) = (&was.state, &now.state);
    let parts = [
        same(was.at == now.at, "the place"),
        same(a.name == b.name, "the name"),
        same(a.mac == b.mac, "the MAC address"),
        same(a.mtu == b.mtu, "the MTU"),
        same(a.up == b.up, "the state"),
        same(
            (a.tx_queue_length, a.promiscuous, a.all_multicast)
                == (b.tx_queue_length, b.promiscuous, b.all_multicast),
            "a flag",
        ),
        same(a.alias == b.alias, "the alias"),
        same(was.master == now.master, "the master"),
        same(
            (was.lower, was.pair) == (now.lower, now.pair),
            "the parent or the peer",
        ),
        same(was.promiscuity == now.promiscuity, "the promiscuity"),
        same(was.parent_use == now.parent_use, "the ipvlan mode"),
        same(is_same(&was.addresses, &now.addresses), "an address"),
        same(has_settings, "a setting"),
        same(is_same(&was.neighbours, &now.neighbours), "a neighbour"),
        same(was.port == now.port, "the bridge port"),
        same(was.vlans == now.vlans, "the VLANs"),
        same(
            (was.queues, &was.classes, was.redirect) == (now.queues, &now.classes, now.redirect),
            "a queue",
        ),
        same(was.vfs == now.vfs, "a VF"),
        same(was.features == now.features, "a feature"),
        same(was.wireguard == now.wireguard, "WireGuard"),
    ];
    parts.into_iter().flatten().collect()
}

fn differences_of(was: &PicturedNamespace, now: &PicturedNamespace) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for gone in lost(&was.routes, &now.routes) {
        found.push(("a route", text(&gone, "gone")));
    }
    for new in lost(&now.routes, &was.routes) {
        found.push(("a route", text(&new, "left")));
    }
    let rules = [
        (&was.rules_added, &now.rules_added, "left"),
        (&was.rules_removed, &now.rules_removed, "gone"),
    ];
    for (was, now, what) in rules {
        found.extend(
            lost(now, was)
                .iter()
                .map(|rule| ("a rule", format!("the rule {rule} is {what}"))),
        );
    }
    for (path, value) in differing(&was.settings, &now.settings) {
        if !(STAYING.contains(&path) && value == Some("1")) {
            found.push(("a setting of the namespace", path.to_owned()));
        }
    }
    found
}

fn text(found: &FoundRoute, what: &str) -> String {
    let route = &found.route;
    format!(
        "the route {} (link {:?}, table {}) is {what}",
        route.route, route.link, route.table
    )
}

fn is_same<T: PartialEq + Clone>(one: &[T], other: &[T]) -> bool {
    lost(one, other).is_empty() && lost(other, one).is_empty()
}
