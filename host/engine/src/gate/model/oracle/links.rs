//! The judgement of links, with their addresses, neighbours and settings.

use kernel::kinds::LinkNumber;
use kernel::{IPV6_MIN_MTU, Kind, NeighbourTable, NewAddress, ParentUse};
use sim::PicturedLink;
use types::Namespace;

use super::{Oracle, differing, follows_forwarding, lost};
use crate::gate::model::words::{INTERFACE, WISHED_VF, vf_mac};

/// Settings that only their own calls may set, with these calls.
pub(super) const TYPED: [(&str, &str); 7] = [
    ("ipv4/route_localnet", "sysctl.set-route-localnet"),
    ("ipv4/proxy_arp", "sysctl.set-proxy-arp"),
    ("ipv4/arp_ignore", "sysctl.set-arp-ignore"),
    (PROXY_NDP, "sysctl.set-proxy-ndp"),
    ("ipv4/forwarding", "sysctl.set-forwarding"),
    ("ipv6/forwarding", "sysctl.set-forwarding"),
    // No call sets this one.
    ("ipv4/accept_local", ""),
];

/// Settings that have their own calls and that `sysctl.set` may set too.
const FREE: [(&str, &str); 8] = [
    ("ipv6/autoconf", "sysctl.set-autoconf"),
    ("ipv4/arp_notify", "sysctl.set-arp-notify"),
    ("ipv6/ndisc_notify", "sysctl.set-ndisc-notify"),
    ("ipv4/rp_filter", "sysctl.set-rp-filter"),
    ("ipv6/accept_ra", "sysctl.set-accept-ra"),
    ("ipv6/accept_dad", "sysctl.set-accept-dad"),
    ("ipv6/disable_ipv6", "sysctl.set-disable-ipv6"),
    ("ipv6/keep_addr_on_down", "sysctl.set-keep-addr-on-down"),
];

pub(super) const PROXY_NDP: &str = "ipv6/proxy_ndp";
const ADVERTISEMENTS: &str = "ipv6/accept_ra";

/// The calls that set queueing disciplines.
const QUEUES: [&str; 5] = [
    "traffic.set-tbf",
    "traffic.set-htb",
    "traffic.add-htb-class",
    "traffic.redirect-ingress",
    "traffic.clear",
];

impl Oracle<'_> {
    pub(super) fn judge_links(&mut self) {
        let (before, after) = (self.before, self.after);
        for (number, now) in &after.links {
            match before.links.get(number) {
                None => self.judge_new(now),
                Some(was) if was.at.namespace != now.at.namespace => self.judge_moved(was, now),
                Some(was) if was != now => self.judge_changed(was, now),
                Some(_) => {}
            }
        }
        for (number, was) in &before.links {
            if !after.links.contains_key(number) {
                self.deny("a link that was there is gone", describe(was));
            }
        }
    }

    fn judge_moved(&mut self, was: &PicturedLink, now: &PicturedLink) {
        let name = was.state.name.as_str();
        let call = ["links.move-to-container"];
        let is_parent = self.words.parent == Some(name) || self.words.parent_by_mac == Some(name);
        let is_said = is_parent || self.is_wished_vf(name);
        let is_named =
            is_said || self.lines.link(&call, Namespace::Host, name) || self.is_vf_of_a_line(name);
        let is_allowed = was.at.namespace == Namespace::Host
            && now.at.namespace == Namespace::Container
            && self.lines.has(call[0])
            && is_named;
        self.unless(
            is_allowed,
            "only a link that was named moves",
            describe(was),
        );
        if self.is_wished_vf(name) && !self.lines.link(&call, Namespace::Host, name) {
            let mut cards = self.after.links.values();
            let is_set = cards.any(|card| {
                let mut vfs = card.vfs.iter();
                vfs.any(|vf| vf.number == WISHED_VF.0 && vf.trust && vf.mac == vf_mac())
            });
            let rule = "a VF moves only with all that the user asked for";
            self.unless(is_set, rule, describe(was));
        }
        self.judge_addresses(&[], now);
        self.judge_settings_of(was, now, true);
    }

    /// Judges a link that the driver made.
    fn judge_new(&mut self, now: &PicturedLink) {
        let creates = creates(now);
        let creates = [creates.as_str()];
        if now.at.namespace == Namespace::Host {
            let is_placed = self.lines.place(&creates);
            self.unless(
                is_placed,
                "links are made on the host only where `place` says so",
                describe(now),
            );
            self.judge_name(&creates, now);
        }
        self.judge_below(&creates, now);
        if let Some(master) = now.master.filter(|master| !self.is_own(*master)) {
            let master = self
                .after
                .links
                .get(&master)
                .map(|it| it.state.name.to_string());
            let master = master.unwrap_or_default();
            let host = now.at.namespace == Namespace::Host;
            let is_said = self.words.parent == Some(&*master) || self.words.vrf == Some(&*master);
            let is_allowed = (host && is_said)
                || self
                    .lines
                    .link(&["links.set-master"], now.at.namespace, &master);
            self.unless(
                is_allowed,
                "ports only of masters that were named",
                format!("{} of {master}", describe(now)),
            );
        }
        if let Some(to) = now.redirect.filter(|to| !self.is_own(*to)) {
            let to = self
                .after
                .links
                .get(&to)
                .map(|it| it.state.name.to_string());
            let to = to.unwrap_or_default();
            let is_allowed = self
                .lines
                .link(&["traffic.redirect-ingress"], now.at.namespace, &to);
            self.unless(
                is_allowed,
                "packets go only through links of the driver's",
                format!("{} to {to}", describe(now)),
            );
        }
        self.judge_addresses(&[], now);
        self.judge_advertisements(now);
        self.judge_settings_of(&blank(now), now, true);
        self.judge_proxies(now);
        self.judge_vlans(now);
        self.judge_numbers(&creates, now);
    }

    fn judge_name(&mut self, creates: &[&str], now: &PicturedLink) {
        let name = now.state.name.as_str();
        let is_said = [self.words.parent, self.words.host_interface_name].contains(&Some(name));
        let hex = name
            .get(name.len().saturating_sub(11)..)
            .unwrap_or_default();
        let is_chosen = name.len() > 11 && hex.chars().all(|c| c.is_ascii_hexdigit());
        let calls = [creates[0], "links.rename"];
        let is_allowed = is_said || is_chosen || self.lines.link(&calls, Namespace::Host, name);
        self.unless(
            is_allowed,
            "names on the host are chosen or were named",
            describe(now),
        );
    }

    /// Judges the parent of a new link.
    fn judge_below(&mut self, creates: &[&str], now: &PicturedLink) {
        let Some((lower, below)) = now
            .lower
            .and_then(|lower| Some((lower, self.after.links.get(&lower)?)))
        else {
            return;
        };
        if self.is_own(lower) {
            return;
        }
        let was = self.before.links.get(&lower).unwrap_or(below);
        let name = was.state.name.as_str();
        let is_on_host = was.at.namespace == Namespace::Host;
        let has_line = self.lines.link(creates, was.at.namespace, name);
        let is_base = creates == ["links.create-vlan"]
            && self
                .words
                .vlan_parent()
                .is_some_and(|(base, _)| base == name);
        let is_named = has_line || (is_on_host && (self.is_parent(name) || is_base));
        self.unless(
            is_named,
            "links lie only on parents that were named",
            format!("{} on {name}", describe(now)),
        );
        let made_as = now.made_as.as_deref();
        let is_passthru = made_as.is_some_and(|kind| kind.parent_use() == Some(ParentUse::Whole));
        let is_said = is_on_host
            && self.words.mode == Some("passthru")
            && (self.words.parent == Some(name) || self.words.parent_by_mac == Some(name));
        self.unless(
            !is_passthru || has_line || is_said,
            "passthru only on a parent that the grant names",
            format!("{} on {name}", describe(now)),
        );
    }

    /// Judges the VLAN, the VNI or the table of a new link.
    fn judge_numbers(&mut self, creates: &[&str], now: &PicturedLink) {
        let (key, number) = match now.made_as.as_deref().and_then(Kind::number) {
            Some(LinkNumber::Vlan(id)) => ("vlan", u32::from(id)),
            Some(LinkNumber::Vni(id)) => ("vni", id),
            Some(LinkNumber::Table(table)) if now.at.namespace == Namespace::Host => {
                ("table", table)
            }
            _ => return,
        };
        let of_parent = self.words.vlan_parent().map(|(_, id)| ("vlan", id));
        let is_allowed = self.words.numbers.contains(&(key, number))
            || of_parent == Some((key, number))
            || self.lines.number(creates, key, number);
        self.unless(
            is_allowed,
            "VLANs, VXLANs and tables only by numbers that were named",
            format!("{} with {number}", describe(now)),
        );
    }

    /// Judges the VLANs of a port on a foreign bridge.
    fn judge_vlans(&mut self, now: &PicturedLink) {
        let Some(master) = now.master.filter(|master| !self.is_own(*master)) else {
            return;
        };
        let bridge = self
            .after
            .links
            .get(&master)
            .map(describe)
            .unwrap_or_default();
        for vlans in &now.vlans {
            let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
            // Every port has VLAN 1 by default.
            for number in [first, last].into_iter().filter(|number| *number != 1) {
                let number = u32::from(number);
                let is_allowed = self.words.numbers.contains(&("vlan", number))
                    || self
                        .lines
                        .number(&["bridge-ports.add-vlans"], "vlan", number);
                self.unless(
                    is_allowed,
                    "VLANs of others' bridges only by numbers that were named",
                    format!("{number} on {bridge}"),
                );
            }
        }
    }

    /// Judges the new addresses of a link.
    fn judge_addresses(&mut self, was: &[NewAddress], now: &PicturedLink) {
        for new in lost(&now.addresses, was) {
            let address = new.address;
            let has_line = self.lines.network(&["addresses.add"], "address", address);
            let what = || format!("{address} on {}", describe(now));
            if has_line {
                continue;
            }
            if now.at.namespace == Namespace::Container {
                let is_named = self.words.addresses.contains(&address);
                self.unless(is_named, "addresses only as the request names them", what());
                continue;
            }
            let gateways = self.words.gateways.iter();
            let alone = address.prefix_len() == address.max_prefix_len();
            let mut gateways = gateways.filter(|gateway| {
                **gateway == address || (alone && gateway.addr() == address.addr())
            });
            if alone && self.words.host_addresses.contains(&address.addr()) {
                let is_free = !self.overlaps_hosts(address);
                self.unless(
                    is_free,
                    "addresses beside containers only where the parent's network is",
                    what(),
                );
                continue;
            }
            let Some(gateway) = gateways.next().copied() else {
                self.deny("addresses on the host only for gateways", what());
                continue;
            };
            let is_free = !self.overlaps_hosts(gateway.trunc());
            self.unless(
                is_free,
                "gateways on the host only where its subnet isn't connected",
                what(),
            );
        }
    }

    /// Judges the proxy entries of an own link.
    fn judge_proxies(&mut self, now: &PicturedLink) {
        for neighbour in &now.neighbours {
            if neighbour.table != NeighbourTable::Proxies {
                continue;
            }
            let address = neighbour.address;
            let gateway = self.words.gateways.iter().any(|it| it.addr() == address);
            let is_allowed = self.is_containers(address)
                || gateway
                || self
                    .lines
                    .network(&["neighbours.add-proxy"], "address", address.into());
            self.unless(
                is_allowed,
                "links answer only for the container",
                format!("{address} on {}", describe(now)),
            );
            let is_hosts = now.at.namespace == Namespace::Host
                && self.has_hosts_address(address.into())
                && !self
                    .lines
                    .network(&["neighbours.add-proxy"], "address", address.into());
            self.unless(
                !is_hosts,
                "links answer never for the host",
                format!("{address} on {}", describe(now)),
            );
        }
    }

    /// Judges a foreign link that has changed.
    fn judge_changed(&mut self, was: &PicturedLink, now: &PicturedLink) {
        let named = |calls: &[&str]| self.names(calls, was, now);
        let (a, b) = (&was.state, &now.state);
        let plain: [(bool, &[&str]); 9] = [
            (a.name != b.name, &["links.rename"]),
            (a.mac != b.mac, &["links.set-mac"]),
            (a.mtu != b.mtu, &["links.set-mtu"]),
            (a.up != b.up, &["links.set-up", "links.set-down"]),
            (
                a.tx_queue_length != b.tx_queue_length,
                &["links.set-tx-queue-length"],
            ),
            (a.promiscuous != b.promiscuous, &["links.set-promiscuous"]),
            (
                a.all_multicast != b.all_multicast,
                &["links.set-all-multicast"],
            ),
            (a.alias != b.alias, &["links.set-alias"]),
            (was.master != now.master, &["links.set-master"]),
        ];
        let more: [(bool, &[&str]); 5] = [
            (
                was.port != now.port,
                &[
                    "bridge-ports.set-hairpin",
                    "bridge-ports.set-isolated",
                    "bridge-ports.set-learning",
                    "links.set-master",
                ],
            ),
            (
                was.vlans != now.vlans,
                &[
                    "bridge-ports.add-vlans",
                    "bridge-ports.remove-vlans",
                    "links.set-master",
                ],
            ),
            (
                (was.queues, &was.classes, was.redirect)
                    != (now.queues, &now.classes, now.redirect),
                &QUEUES,
            ),
            (
                was.vfs != now.vfs,
                &[
                    "links.set-vf-mac",
                    "links.set-vf-vlan",
                    "links.set-vf-spoof-check",
                    "links.set-vf-trust",
                    "links.set-vf-link-state",
                    "links.set-vf-rate",
                ],
            ),
            (was.features != now.features, &["offloads.set"]),
        ];
        let parents: [(bool, &[&str]); 1] = [(
            was.promiscuity != now.promiscuity,
            &["links.create-macvlan", "links.create-macvtap"],
        )];
        // With passthru, the user gives the whole parent to the driver's link.
        let is_given_away = self.words.mode == Some("passthru")
            && was.at.namespace == Namespace::Host
            && self.words.parent == Some(was.state.name.as_str());
        let all = plain.into_iter().chain(more).chain(parents);
        let denied: Vec<&[&str]> = all
            .filter(|(differs, calls)| {
                let goes_along = is_given_away
                    && matches!(
                        calls,
                        ["links.create-macvlan", ..]
                            | ["links.set-promiscuous"]
                            | ["links.set-all-multicast"]
                    );
                let is_used = (self.is_used(&now.state.name) && self.is_turned_on(calls, now))
                    || self.is_said_of_vf(calls, was, now);
                *differs
                    && !goes_along
                    && !is_used
                    && !named(calls)
                    && !self.follows(calls, was, now)
            })
            .map(|(_, calls)| calls)
            .collect();
        for calls in denied {
            let rule = format!(
                "a link that was there changes only by a line that names it: {}",
                calls.join(", ")
            );
            self.deny(rule, describe(was));
        }
        if was.parent_use != now.parent_use {
            let lower = was.lower.and_then(|lower| self.before.links.get(&lower));
            let is_allowed =
                lower.is_some_and(|lower| self.names(&["links.create-ipvlan"], lower, lower));
            self.unless(
                is_allowed,
                "the mode of others' ipvlan links stays",
                describe(was),
            );
        }
        let tied = (was.lower, was.pair, &was.kind, &was.wireguard);
        self.unless(
            tied == (now.lower, now.pair, &now.kind, &now.wireguard),
            "a link keeps its kind, its parent and its peer",
            describe(was),
        );
        self.judge_changed_addresses(was, now);
        self.judge_changed_neighbours(was, now);
        self.judge_settings_of(was, now, false);
    }

    /// Whether a line of these calls covers a link by its old or its new name.
    fn names(&self, calls: &[&str], was: &PicturedLink, now: &PicturedLink) -> bool {
        let namespace = was.at.namespace;
        let mut names = [&was.state.name, &now.state.name].into_iter();
        names.any(|name| self.lines.link(calls, namespace, name.as_str()))
    }

    /// Whether a link is that of the VF that the request names, which the driver may use.
    fn is_wished_vf(&self, name: &str) -> bool {
        let is_named = self.words.vf.is_some() && name == WISHED_VF.1;
        is_named && self.lines.has("links.use-vf")
    }

    /// Whether a link is that of a VF that a line lets the driver use. In the world, VFs'
    /// links are called after their cards, as `eth1v0`.
    fn is_vf_of_a_line(&self, name: &str) -> bool {
        let card = name.rsplit_once('v').map(|(card, _)| card);
        card.is_some_and(|card| self.lines.link(&["links.use-vf"], Namespace::Host, card))
    }

    /// Whether a change of that VF is what the request says.
    fn is_said_of_vf(&self, calls: &[&str], was: &PicturedLink, now: &PicturedLink) -> bool {
        let name = was.state.name.as_str();
        let is_held = self.lines.has("links.set-vf-mac");
        match calls {
            ["links.set-mac"] => {
                self.is_wished_vf(name) && is_held && now.state.mac == Some(vf_mac())
            }
            ["links.set-vf-mac", ..] => {
                let mut said = was.vfs.clone();
                for vf in said.iter_mut().filter(|vf| vf.number == WISHED_VF.0) {
                    let mut new = now.vfs.iter().filter(|new| new.number == vf.number);
                    let is_mac = new.clone().any(|new| new.mac == vf_mac());
                    if is_held && is_mac {
                        vf.mac = vf_mac();
                    }
                    if self.lines.has("links.set-vf-trust") && new.any(|new| new.trust) {
                        vf.trust = true;
                    }
                }
                let is_card = self.words.parent == Some(name);
                is_card && self.is_wished_vf(WISHED_VF.1) && said == now.vfs
            }
            _ => false,
        }
    }

    /// Whether the kernel has changed a link together with one that a line covers.
    /// Links change with their parent, and bridges with their ports.
    fn follows(&self, calls: &[&str], was: &PicturedLink, _now: &PicturedLink) -> bool {
        let takes_along = [
            "links.set-mtu",
            "links.set-mac",
            "links.set-up",
            "links.set-down",
            "links.set-master",
        ];
        if !calls.iter().all(|call| takes_along.contains(call)) {
            return false;
        }
        let number = self.before.links.iter().find(|(_, link)| link.at == was.at);
        let ports = self.before.links.values().filter(|port| {
            port.master.is_some() && port.master == number.map(|(number, _)| *number)
        });
        // A bridge may take the MAC address and the MTU of a new port.
        let number = number.map(|(number, _)| *number);
        let mut new = self.after.links.iter();
        let has_new_port = new.any(|(port, link)| {
            link.master.is_some() && link.master == number && !self.before.links.contains_key(port)
        });
        let takes_it = matches!(calls, ["links.set-mac"] | ["links.set-mtu"]);
        if takes_it && has_new_port && self.lines.has("links.set-master") {
            return true;
        }
        let lower = was.lower.and_then(|lower| self.before.links.get(&lower));
        // A link that moves is set down, and the links on it go down with it.
        let mut leaders = lower.into_iter().chain(ports);
        leaders.any(|leader| {
            let now = self.after.links.values().find(|link| link.at == leader.at);
            let is_moved = now.is_none_or(|now| now.state.name != leader.state.name);
            self.names(calls, leader, now.unwrap_or(leader))
                || self.names(&["links.set-master"], leader, leader)
                || is_moved
                || self.follows(calls, leader, leader)
        })
    }

    fn judge_changed_addresses(&mut self, was: &PicturedLink, now: &PicturedLink) {
        if was.addresses == now.addresses {
            return;
        }
        for new in lost(&now.addresses, &was.addresses) {
            let address = new.address;
            let is_allowed = self.names(&["addresses.add"], was, now);
            self.unless(
                is_allowed,
                "addresses of links that were there change only by a line that names them",
                format!("{address} on {}", describe(was)),
            );
        }
        self.judge_addresses(&was.addresses, now);
        // A link loses its IPv6 addresses if it's set down, or has IPv6 disabled or too
        // small an MTU.
        let calls = [
            "addresses.remove",
            "links.set-down",
            "links.set-mtu",
            "links.set-master",
            "sysctl.set-disable-ipv6",
        ];
        for gone in lost(&was.addresses, &now.addresses) {
            let has_line = self.names(&calls, was, now)
                || self.lines.key(
                    "sysctl.set",
                    was.at.namespace,
                    &format!("net.ipv6.conf.{}.disable_ipv6", was.state.name),
                )
                || self.follows(&["links.set-down"], was, now);
            self.unless(
                has_line,
                "addresses of links that were there change only by a line that names them",
                format!("{} off {}", gone.address, describe(was)),
            );
        }
    }

    /// Whether a change turned on what a used bridge may get.
    fn is_turned_on(&self, calls: &[&str], now: &PicturedLink) -> bool {
        match calls {
            ["links.set-up", ..] => now.state.up && self.lines.has("links.set-up"),
            ["links.set-promiscuous"] => {
                now.state.promiscuous && self.lines.has("links.set-promiscuous")
            }
            _ => false,
        }
    }

    /// Whether the user wants a link to answer for the container.
    fn is_ndp_proxy(&self, link: &PicturedLink) -> bool {
        link.at.namespace == Namespace::Host
            && self.words.ndp_proxy == Some(link.state.name.as_str())
    }

    fn judge_changed_neighbours(&mut self, was: &PicturedLink, now: &PicturedLink) {
        if was.neighbours == now.neighbours {
            return;
        }
        let adds = ["neighbours.add", "neighbours.add-proxy"];
        for new in lost(&now.neighbours, &was.neighbours) {
            let is_container_address = self.is_containers(new.address);
            let is_shared = self.lines.shares() && self.is_shared_bridge(now);
            let is_proxied = new.table == NeighbourTable::Proxies
                && new.address.is_ipv6()
                && self.is_ndp_proxy(was)
                && self.lines.has("neighbours.add-proxy");
            let is_allowed = (is_shared || is_proxied || self.names(&adds, was, now))
                && (is_container_address
                    || self.lines.network(&adds, "address", new.address.into()));
            self.unless(
                is_allowed,
                "neighbours of links that were there change only by a line that names them",
                format!("{} on {}", new.address, describe(was)),
            );
        }
        let calls = [
            "neighbours.remove",
            "neighbours.remove-proxy",
            // A link without IPv4 addresses has no neighbours of IPv4.
            "addresses.remove",
            "links.set-down",
            "links.set-mac",
            "links.set-master",
        ];
        for gone in lost(&was.neighbours, &now.neighbours) {
            let is_allowed =
                self.names(&calls, was, now) || self.follows(&["links.set-down"], was, now);
            self.unless(
                is_allowed,
                "neighbours of links that were there change only by a line that names them",
                format!("{} off {}", gone.address, describe(was)),
            );
        }
    }

    /// Judges the settings of a link.
    fn judge_settings_of(&mut self, was: &PicturedLink, now: &PicturedLink, own: bool) {
        let namespace = now.at.namespace;
        // `judge_advertisements` judges this setting.
        let is_host_end = own && namespace == Namespace::Host;
        for (key, value) in differing(&was.settings, &now.settings) {
            if is_host_end && key == ADVERTISEMENTS {
                continue;
            }
            let (before, after) = (
                self.before.namespace(namespace),
                self.after.namespace(namespace),
            );
            if follows_forwarding(before, after, key, value) {
                continue;
            }
            let what = || format!("{key} of {}", describe(now));
            let call = |table: &[(&'static str, &'static str)]| {
                table
                    .iter()
                    .find(|(name, _)| *name == key)
                    .map(|(_, call)| *call)
            };
            let by_call = |this: &Self, call: &str| {
                let names = own || this.names(&[call], was, now);
                this.lines.has(call) && names
            };
            if let Some(typed) = call(&TYPED) {
                let is_proxy = key == PROXY_NDP && value == Some("1") && self.is_ndp_proxy(was);
                let is_allowed = by_call(self, typed)
                    || self.spells_setting(was, now, key)
                    || (is_proxy && self.lines.has(typed));
                let whose = if own { "an own" } else { "a" };
                let rule = format!(
                    "dangerous settings only by the calls for them: {key} of {whose} link of the {namespace}"
                );
                self.unless(is_allowed, rule, what());
                continue;
            }
            let free = call(&FREE).is_some_and(|call| by_call(self, call));
            let is_containers =
                own && namespace == Namespace::Container && self.lines.has("sysctl.set");
            let has_key = self
                .keys_of(was, now, key)
                .iter()
                .any(|key| self.lines.key("sysctl.set", namespace, key));
            let is_allowed = free || is_containers || has_key;
            let whose = if own { "an own" } else { "a" };
            let rule = format!(
                "settings only of own links, by the calls for them: {key} of {whose} link of the {namespace}"
            );
            self.unless(is_allowed, rule, what());
        }
    }

    /// Judges whether a container could become the host's router.
    fn judge_advertisements(&mut self, now: &PicturedLink) {
        let takes = now.settings.get(ADVERTISEMENTS).map(String::as_str) != Some("0");
        let is_on_host = now.at.namespace == Namespace::Host;
        let name = now.state.name.as_str();
        let is_named = self
            .lines
            .link(&["sysctl.set-accept-ra"], Namespace::Host, name);
        let has_ipv6 = now.state.mtu >= IPV6_MIN_MTU;
        self.unless(
            !(is_on_host && takes && has_ipv6) || is_named,
            "links of the host's take no router advertisements from containers",
            describe(now),
        );
    }

    /// Returns the full names of a link's setting, by the link's old and new name.
    fn keys_of(&self, was: &PicturedLink, now: &PicturedLink, key: &str) -> [String; 2] {
        let (family, key) = key.split_once('/').unwrap_or_default();
        [&was.state.name, &now.state.name].map(|name| {
            let name = name.as_str().replace('.', "/");
            format!("net.{family}.conf.{name}.{key}")
        })
    }

    fn spells_setting(&self, was: &PicturedLink, now: &PicturedLink, key: &str) -> bool {
        let keys = self.keys_of(was, now, key);
        let mut keys = keys.iter();
        keys.any(|key| self.lines.spells_key("sysctl.set", now.at.namespace, key))
    }
}

/// Returns the call that makes a link of this kind.
fn creates(link: &PicturedLink) -> String {
    let kind = link.kind.as_deref().unwrap_or_default();
    let kind = match kind {
        "tun" => "tap",
        kind => kind,
    };
    format!("links.create-{kind}")
}

/// Returns the state of an unchanged link.
fn blank(link: &PicturedLink) -> PicturedLink {
    PicturedLink {
        settings: std::collections::BTreeMap::new(),
        ..link.clone()
    }
}

pub(super) fn describe(link: &PicturedLink) -> String {
    let kind = link.kind.as_deref().unwrap_or("link");
    let what = format!("{kind} {}:{}", link.at.namespace, link.state.name);
    match link.state.name.as_str() == INTERFACE && link.at.namespace == Namespace::Container {
        true => format!("the container's interface ({what})"),
        false => what,
    }
}
