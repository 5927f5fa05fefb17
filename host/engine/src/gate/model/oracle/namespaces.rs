//! The judgement of routes, rules, settings and the firewall.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{FirewallEntry, FirewallRule, FoundRoute, MAIN_TABLE, Publication, Translation};
use types::{LinkName, Namespace, RouteKind, Rule};

use super::links::TYPED;
use super::{Oracle, differing, follows_forwarding, lost, number_at};

/// RTPROT_KERNEL of `linux/rtnetlink.h`.
const BY_KERNEL: u8 = 2;

impl Oracle<'_> {
    pub(super) fn judge_routes(&mut self, namespace: Namespace) {
        let before = &self.before.namespace(namespace).routes;
        let after = &self.after.namespace(namespace).routes;
        if before == after {
            return;
        }
        for gone in lost(before, after) {
            self.judge_lost_route(namespace, &gone);
        }
        for new in lost(after, before) {
            self.judge_new_route(namespace, &new);
        }
    }

    /// Judges a missing route. The kernel removes routes with their link. Otherwise the
    /// driver has removed it.
    fn judge_lost_route(&mut self, namespace: Namespace, gone: &FoundRoute) {
        let numbers = gone.route.links().into_iter();
        let numbers: Vec<u32> = numbers
            .filter_map(|index| number_at(self.before, namespace, index))
            .collect();
        // The change of the link itself is judged with the links.
        let went_along = numbers.iter().any(|number| {
            let was = self.before.links.get(number);
            let now = self.after.links.get(number);
            match (was, now) {
                (Some(was), Some(now)) => {
                    let place = |link: &sim::PicturedLink| {
                        (link.at, link.state.up, link.master, link.addresses.clone())
                    };
                    place(was) != place(now) || self.was_cycled(was)
                }
                _ => true,
            }
        });
        let removed = ["routes.remove"];
        let destination = gone.route.route.destination;
        let has_line = self.lines.network(&removed, "destination", destination)
            && (namespace == Namespace::Container
                || gone.route.table == MAIN_TABLE
                || self.lines.number(&removed, "table", gone.route.table));
        let is_allowed = went_along || has_line;
        self.unless(
            is_allowed,
            "routes that were there stay",
            text(namespace, gone),
        );
    }

    /// Whether a line allows a change of a link that removes its routes, even if the
    /// change was taken back.
    fn was_cycled(&self, link: &sim::PicturedLink) -> bool {
        let calls = [
            "links.set-down",
            "links.set-master",
            "addresses.remove",
            "links.rename",
        ];
        let name = link.state.name.as_str();
        let own = self.lines.link(&calls, link.at.namespace, name);
        let lower = link.lower.and_then(|lower| self.before.links.get(&lower));
        own || lower.is_some_and(|lower| self.was_cycled(lower))
    }

    fn judge_new_route(&mut self, namespace: Namespace, new: &FoundRoute) {
        let route = &new.route;
        let destination = route.route.destination;
        let adds = ["routes.add", "routes.replace"];
        let what = text(namespace, new);
        let mut foreign = Vec::new();
        for index in route.links() {
            let number = self.number_at(namespace, index);
            let link = number.and_then(|number| self.after.links.get(&number));
            let is_shared = self.lines.shares() && link.is_some_and(|it| self.is_shared_bridge(it));
            if !is_shared && !number.is_some_and(|number| self.is_own(number)) {
                foreign.push(
                    link.map(|link| link.state.name.to_string())
                        .unwrap_or_default(),
                );
            }
        }
        if new.protocol == BY_KERNEL {
            // The kernel made it for an address, which is judged with the links.
            return;
        }
        let are_named = foreign
            .iter()
            .all(|name| self.lines.link(&adds, namespace, name));
        // A line with the destination allows every next hop.
        let has_line = self.lines.network(&adds, "destination", destination);
        self.unless(
            are_named || has_line,
            "routes only through links of the driver's",
            &what,
        );
        let is_said = self
            .words
            .routes
            .iter()
            .any(|said| said.destination == destination && said.kind == route.route.kind);
        if namespace == Namespace::Container {
            let is_allowed = has_line || is_said || self.in_subnets(destination);
            self.unless(is_allowed, "routes only as the request names them", &what);
            return;
        }
        let is_within = self.in_subnets(destination) && route.route.kind == RouteKind::Unicast;
        self.unless(
            has_line || is_said || is_within,
            "routes of the host only for the network's subnets",
            &what,
        );
        let is_of_own_table = self.is_own_table(route.table);
        let is_free =
            is_of_own_table || (!self.overlaps_hosts(destination) && destination.prefix_len() > 0);
        self.unless(
            has_line || is_free,
            "routes of the host never over what it has",
            &what,
        );
        let has_address = !is_of_own_table && self.has_hosts_address(destination);
        self.unless(
            has_line || !has_address,
            "routes of the host never over its own addresses",
            &what,
        );
        let has_table = route.table == MAIN_TABLE
            || is_of_own_table
            || self.lines.number(&adds, "table", route.table);
        self.unless(
            has_table,
            "tables of the host only by numbers that were named",
            &what,
        );
    }

    /// Whether a table belongs to a VRF that the driver made on the host.
    fn is_own_table(&self, table: u32) -> bool {
        let mut links = self.after.links.iter();
        links.any(|(number, link)| {
            let own = link.made_as.as_ref().and_then(kernel::LinkKind::table);
            own == Some(table) && self.is_own(*number) && link.at.namespace == Namespace::Host
        }) && ![0, 253, 254, 255].contains(&table)
    }

    pub(super) fn judge_rules(&mut self, namespace: Namespace) {
        let (before, after) = (
            self.before.namespace(namespace),
            self.after.namespace(namespace),
        );
        for rule in lost(&after.rules_removed, &before.rules_removed) {
            let calls = ["rules.remove"];
            let is_allowed = self.rule_has_line(&calls, namespace, &rule)
                && (namespace == Namespace::Container
                    || self.lines.number(&calls, "table", rule.table));
            self.unless(
                is_allowed,
                "rules that were there stay",
                format!("{namespace} {rule}"),
            );
        }
        for rule in lost(&after.rules_added, &before.rules_added) {
            if namespace == Namespace::Container {
                continue;
            }
            let calls = ["rules.add"];
            let networks = rule.source.iter().chain(&rule.destination);
            let is_for_network = networks.copied().any(|network| self.in_subnets(network))
                || rule.links().any(|name| self.is_own_name(namespace, name));
            let is_allowed = is_for_network || self.rule_has_line(&calls, namespace, &rule);
            self.unless(
                is_allowed,
                "rules of the host only for the network's packets",
                &rule,
            );
            let has_table =
                self.is_own_table(rule.table) || self.lines.number(&calls, "table", rule.table);
            self.unless(
                has_table,
                "tables of the host only by numbers that were named",
                &rule,
            );
        }
    }

    pub(super) fn is_own_name(&self, namespace: Namespace, name: &LinkName) -> bool {
        let mut links = self.after.links.iter();
        links.any(|(number, link)| {
            link.at.namespace == namespace && link.state.name == *name && self.is_own(*number)
        })
    }

    fn rule_has_line(&self, calls: &[&str], namespace: Namespace, rule: &Rule) -> bool {
        let all: IpNet = rule.version.everything();
        let has = |key: &str, network: &IpNet| self.lines.network(calls, key, *network);
        rule.source.iter().any(|source| has("address", source))
            || rule.destination.iter().any(|to| has("destination", to))
            || rule
                .links()
                .any(|name| self.lines.link(calls, namespace, name.as_str()))
            || has("address", &all)
    }

    pub(super) fn judge_settings(&mut self, namespace: Namespace) {
        let (before, after) = (
            self.before.namespace(namespace),
            self.after.namespace(namespace),
        );
        for (path, value) in differing(&before.settings, &after.settings) {
            let key = path.trim_start_matches("/proc/sys/");
            let key = key.replace('.', "\0").replace('/', ".").replace('\0', "/");
            let enables = "sysctl.enable-ip-forward";
            let is_forward = matches!(
                &*key,
                "net.ipv4.ip_forward" | "net.ipv6.conf.all.forwarding"
            );
            let is_enabled = is_forward
                && value == Some("1")
                && self.lines.has(enables)
                && (namespace == Namespace::Container || self.lines.key(enables, namespace, &key));
            if follows_forwarding(before, after, &key, value) {
                continue;
            }
            let is_typed = is_forward
                || TYPED.iter().any(|(typed, _)| {
                    let (_, typed) = typed.split_once('/').unwrap_or_default();
                    key.rsplit('.').next() == Some(typed)
                });
            let is_set = !is_typed
                && self.lines.has("sysctl.set")
                && (namespace == Namespace::Container
                    || self.lines.key("sysctl.set", namespace, &key));
            let is_spelled = self.lines.spells_key("sysctl.set", namespace, &key);
            let rule = match is_typed {
                true => format!(
                    "dangerous settings only by the calls for them: {key} of the {namespace}"
                ),
                false => "settings of the host only by a line that names them".to_owned(),
            };
            self.unless(
                is_enabled || is_set || is_spelled,
                rule,
                format!("{namespace} {key}"),
            );
        }
    }

    pub(super) fn judge_firewall(&mut self) {
        for entry in lost(&self.after.firewall_removed, &self.before.firewall_removed) {
            self.deny("firewall entries that were there stay", &entry.rule);
        }
        for entry in lost(&self.after.firewall_added, &self.before.firewall_added) {
            self.judge_entry(&entry);
        }
    }

    fn judge_entry(&mut self, entry: &FirewallEntry) {
        match &entry.rule {
            FirewallRule::Translate(translation) => self.judge_translation(entry, translation),
            FirewallRule::Publish(publication) => self.judge_publication(entry, publication),
            FirewallRule::PublishBehind { link } => {
                self.judge_firewall_link("firewall.publish", entry, link);
            }
            FirewallRule::Isolate { link, .. } => {
                self.judge_firewall_link("firewall.isolate", entry, link);
            }
            FirewallRule::Internal { link, .. } | FirewallRule::InternalMember { link, .. } => {
                self.judge_firewall_link("firewall.internal", entry, link);
            }
            FirewallRule::InternalSubnets { subnets } => {
                let mut subnets = subnets.iter();
                self.unless(
                    subnets.all(|subnet| self.words.subnets.contains(subnet)),
                    "internal networks only of the user's subnets",
                    &entry.rule,
                );
            }
            FirewallRule::OnlyThrough { address, link } => {
                self.judge_firewall_link("firewall.publish", entry, link);
                self.judge_published(entry, *address);
            }
            FirewallRule::CheckSender { link, .. } => {
                self.judge_firewall_link("firewall.spoof-check", entry, link);
            }
            FirewallRule::Filter { traffic, .. } => {
                let calls = ["firewall.accept", "firewall.drop"];
                let address = traffic.address;
                let has_line = self.lines.network(&calls, "address", address.into());
                let is_allowed =
                    self.is_containers(address) && !self.has_hosts_address(address.into());
                self.unless(
                    has_line || is_allowed,
                    "filters only for the container's addresses",
                    &entry.rule,
                );
            }
            FirewallRule::FilterLink { link, .. } => self.judge_link_filter(entry, link),
        }
    }

    fn judge_translation(&mut self, entry: &FirewallEntry, translation: &Translation) {
        let calls: &[&str] = match translation.address {
            Some(_) => &["firewall.source-address"],
            None => &["firewall.masquerade"],
        };
        let source = translation.source;
        let has_line = self.lines.network(calls, "address", source);
        let is_for_network = self.is_network_or_container(source);
        self.unless(
            has_line || is_for_network,
            "translation only for the network's subnets",
            &entry.rule,
        );
        self.unless(
            has_line || !self.has_hosts_address(source),
            "translation never for the host's addresses",
            &entry.rule,
        );
        if let Some(address) = translation.address {
            let is_allowed = self.words.outbound.contains(&address)
                || self.lines.network(calls, "address", address.into());
            self.unless(
                is_allowed,
                "translation only to addresses that were named",
                &entry.rule,
            );
        }
    }

    /// Whether a network is the container's address, or is in the user's subnets and
    /// the driver has a shared link for them.
    pub(super) fn is_network_or_container(&self, network: IpNet) -> bool {
        let is_alone = network.prefix_len() == network.max_prefix_len();
        let has_bridge = self.after.links.iter().any(|(number, link)| {
            let is_usable = self.is_own(*number) || self.is_shared_bridge(link);
            is_usable && link.at.namespace == Namespace::Host
        });
        (is_alone && self.is_containers(network.addr()))
            || (has_bridge && self.lines.shares() && self.in_subnets(network))
    }

    fn judge_publication(&mut self, entry: &FirewallEntry, publication: &Publication) {
        let call = "firewall.publish";
        self.judge_published(entry, publication.address);
        let from = publication.from.as_ref().map(LinkName::as_str);
        self.unless(
            from == self.words.publish_interface,
            "ports only for packets of the user's interface",
            &entry.rule,
        );
        for range in &publication.ports {
            for port in [range.first, range.last] {
                let is_said = self.words.ports.iter().any(|said| {
                    said.protocol == range.protocol
                        && (said.host_address.is_none() || said.host_address == range.host_address)
                        && (said.first..=said.last).contains(&port)
                });
                let is_allowed = is_said || self.lines.port(call, port, range.protocol.name());
                self.unless(
                    is_allowed,
                    "only ports that the user publishes",
                    &entry.rule,
                );
            }
        }
    }

    fn judge_published(&mut self, entry: &FirewallEntry, address: IpAddr) {
        let has_line = self
            .lines
            .network(&["firewall.publish"], "address", address.into());
        let is_for_container =
            self.is_containers(address) && !self.has_hosts_address(address.into());
        self.unless(
            has_line || is_for_container,
            "ports lead only to the container",
            &entry.rule,
        );
    }

    fn judge_link_filter(&mut self, entry: &FirewallEntry, link: &LinkName) {
        let there = Namespace::Container;
        let calls = ["firewall.accept-in-container", "firewall.drop-in-container"];
        let mut before = self.before.links.values();
        let was_there = before.any(|it| it.at.namespace == there && it.state.name == *link);
        let is_allowed = !was_there
            || self.is_own_name(there, link)
            || self.lines.link(&calls, there, link.as_str());
        self.unless(
            is_allowed,
            "filters in the container only for links of the driver's",
            &entry.rule,
        );
    }

    fn judge_firewall_link(&mut self, call: &str, entry: &FirewallEntry, link: &LinkName) {
        let is_shared = self.words.parent == Some(super::SHARED_BRIDGE.0)
            && link.as_str() == super::SHARED_BRIDGE.0;
        // A link that is neither in the old state nor in the new one was the driver's.
        let was_there = self
            .before
            .links
            .values()
            .any(|it| it.at.namespace == Namespace::Host && it.state.name == *link);
        let is_allowed = !was_there
            || self.is_own_name(Namespace::Host, link)
            || is_shared
            || (self.is_used(link) && self.lines.has(call))
            || self.lines.link(&[call], Namespace::Host, link.as_str());
        self.unless(
            is_allowed,
            "the firewall knows only links of the driver's",
            &entry.rule,
        );
    }
}

fn text(namespace: Namespace, found: &FoundRoute) -> String {
    let route = &found.route;
    format!(
        "{namespace}: {} table {} through links {:?}",
        route.route,
        route.table,
        route.links()
    )
}
