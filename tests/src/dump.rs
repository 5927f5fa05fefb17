//! The state of a namespace, read with `ip`, `tc`, `bridge` and `nft`. It shares no
//! code with the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::features;
use crate::netns::Netns;
use crate::poll;
use crate::process;
use crate::reader::Answers;

/// The queueing disciplines of a link that has none of its own.
const NO_QUEUE: [&str; 2] = ["noop", "noqueue"];

/// The state of a namespace, without properties that change by themselves, such as
/// counters, indexes and link-local addresses.
#[derive(Clone, PartialEq)]
pub struct Dump {
    links: BTreeMap<String, Value>,
    addresses: BTreeMap<String, Vec<Value>>,
    routes: Vec<Value>,
    rules: Vec<Value>,
    neighbours: Vec<Value>,
    queues: Vec<Value>,
    /// The classes and filters of the queueing disciplines, as `tc` prints them.
    filters: String,
    bridge: Vec<Value>,
    firewall: Vec<Value>,
    settings: BTreeMap<String, String>,
    /// The requested features of each link.
    features: BTreeMap<String, Vec<u32>>,
}

/// One address of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The address with its prefix length.
    pub cidr: String,
    /// The broadcast address.
    pub broadcast: Option<String>,
}

impl Dump {
    /// Reads the state of a namespace.
    pub fn of(netns: &Netns) -> Self {
        netns.read()
    }

    /// Makes the state of a namespace from the programs' answers.
    pub(crate) fn new(netns: &Netns, answers: Answers, settings: BTreeMap<String, String>) -> Self {
        let names: Vec<String> = answers
            .links
            .iter()
            .map(|link| text(link, "ifname"))
            .collect();
        let links = answers.links.into_iter().map(stable_link);
        let queues = made_queues(answers.queues);
        let addresses: BTreeMap<String, Vec<Value>> = answers
            .addresses
            .into_iter()
            .map(addresses_of_link)
            .collect();
        Self {
            links: names.iter().cloned().zip(links).collect(),
            routes: made_by_someone(answers.routes, &addresses),
            addresses,
            rules: made_rules(answers.rules),
            neighbours: answers.neighbours,
            filters: filters(netns, &queues),
            queues,
            bridge: lasting(answers.bridge),
            firewall: stable_firewall(answers.firewall),
            settings,
            features: netns.run(|| all_features(&names)),
        }
    }

    /// Returns the names of all links.
    pub fn link_names(&self) -> Vec<&str> {
        self.links.keys().map(String::as_str).collect()
    }

    /// Whether a link exists.
    pub fn has_link(&self, name: &str) -> bool {
        self.links.contains_key(name)
    }

    /// Returns the kind of a link, such as `macvlan`.
    pub fn kind(&self, link: &str) -> String {
        text(&self.link(link)["linkinfo"], "info_kind")
    }

    /// Returns a property of a link's kind, such as a macvlan's `mode`.
    pub fn kind_data(&self, link: &str, field: &str) -> &Value {
        &self.link(link)["linkinfo"]["info_data"][field]
    }

    /// Returns a property of a bridge port, such as `hairpin`.
    pub fn port_data(&self, port: &str, field: &str) -> &Value {
        &self.link(port)["linkinfo"]["info_slave_data"][field]
    }

    /// Returns the VLANs of bridges and their ports with their flags, such as `p0 5
    /// pvid`.
    pub fn vlans(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for port in &self.bridge {
            for vlan in port["vlans"].as_array().into_iter().flatten() {
                let mut line = format!("{} {}", text(port, "ifname"), vlan["vlan"]);
                let flags = vlan["flags"].to_string();
                for (flag, word) in [("PVID", " pvid"), ("Egress Untagged", " untagged")] {
                    if flags.contains(flag) {
                        line.push_str(word);
                    }
                }
                lines.push(line);
            }
        }
        lines
    }

    /// Returns the MAC address of a link.
    pub fn mac(&self, link: &str) -> String {
        text(self.link(link), "address")
    }

    /// Returns the transmit queue length of a link, in packets.
    pub fn queue_length(&self, link: &str) -> u64 {
        self.link(link)["txqlen"].as_u64().expect("a link has it")
    }

    /// Returns the rate of a link's token bucket filter in bits per second, and its
    /// burst in bytes.
    pub fn token_bucket(&self, link: &str) -> Option<(u64, u64)> {
        let mut queues = self.queues.iter();
        let queue = queues.find(|it| it["kind"] == "tbf" && it["dev"] == link)?;
        let options = &queue["options"];
        Some((options["rate"].as_u64()? * 8, options["burst"].as_u64()?))
    }

    /// Returns the kind of a link's root queueing discipline.
    pub fn root_queue(&self, link: &str) -> Option<&str> {
        let mut queues = self.queues.iter();
        let queue = queues.find(|it| it["root"] == true && it["dev"] == link)?;
        queue["kind"].as_str()
    }

    /// Returns the links of a kind.
    pub fn links_of_kind(&self, kind: &str) -> Vec<&str> {
        let names = self.links.keys().map(String::as_str);
        names.filter(|name| self.kind(name) == kind).collect()
    }

    /// Returns the routing rules with a source, as `PRIORITY SOURCE TABLE`.
    pub fn source_rules(&self) -> Vec<String> {
        let rules = self.rules.iter().filter(|rule| rule["src"] != "all");
        rules
            .map(|rule| {
                format!(
                    "{} {} {}",
                    rule["priority"],
                    text(rule, "src"),
                    text(rule, "table")
                )
            })
            .collect()
    }

    /// Returns the MTU of a link.
    pub fn mtu(&self, link: &str) -> u64 {
        self.link(link)["mtu"].as_u64().expect("a link has an MTU")
    }

    /// Whether a link is up.
    pub fn is_up(&self, link: &str) -> bool {
        self.has_flag(link, "UP")
    }

    /// Whether a link has a flag of `ip`.
    pub fn has_flag(&self, link: &str, flag: &str) -> bool {
        let flags = self.link(link)["flags"]
            .as_array()
            .expect("a link has flags");
        flags.iter().any(|one| one == flag)
    }

    /// Returns the addresses of a link without link-local ones, sorted.
    pub fn addresses(&self, link: &str) -> Vec<Address> {
        let mut addresses: Vec<Address> = self.addresses[link]
            .iter()
            .map(|address| Address {
                cidr: format!("{}/{}", text(address, "local"), address["prefixlen"]),
                broadcast: address["broadcast"].as_str().map(str::to_owned),
            })
            .collect();
        addresses.sort();
        addresses
    }

    /// Returns the addresses of a link with their prefix lengths, sorted.
    pub fn cidrs(&self, link: &str) -> Vec<String> {
        self.addresses(link)
            .into_iter()
            .map(|address| address.cidr)
            .collect()
    }

    /// Returns the routes of the main table that the kernel didn't make, sorted. Each
    /// is written as `[TYPE] DESTINATION [via GATEWAY] [dev LINK] metric METRIC`.
    pub fn made_routes(&self) -> Vec<String> {
        let mut routes: Vec<String> = self
            .routes
            .iter()
            .filter(|route| route["protocol"] != "kernel" && route["table"] == "main")
            .flat_map(by_next_hop)
            .map(|route| describe_route(&route))
            .collect();
        routes.sort();
        routes
    }

    /// Returns the protocols of the routes that the kernel didn't make, such as
    /// `static`.
    pub fn route_protocols(&self) -> Vec<String> {
        self.routes
            .iter()
            .filter(|route| route["protocol"] != "kernel")
            .map(|route| text(route, "protocol"))
            .collect()
    }

    /// Returns a kernel setting, such as `ipv6/conf/eth0/autoconf`.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// Returns the requested features of a link, as bits.
    pub fn features(&self, link: &str) -> &[u32] {
        &self.features[link]
    }

    /// Returns the state without a link's MAC address, also in bridges. States can be
    /// compared even if the kernel chose the address.
    pub fn without_mac(&self, link: &str) -> Self {
        let mut dump = self.without(link, &["address"]);
        if let Some(link) = self.links.get(link) {
            for entry in &mut dump.bridge {
                if entry["mac"] == link["address"] {
                    entry["mac"] = "chosen by the kernel".into();
                }
            }
            dump.bridge.sort_by_cached_key(Value::to_string);
        }
        dump
    }

    /// Returns the state without some properties of a link.
    pub fn without(&self, link: &str, left_out: &[&str]) -> Self {
        let mut dump = self.clone();
        if let Some(fields) = dump.links.get_mut(link).and_then(Value::as_object_mut) {
            for field in left_out {
                fields.insert((*field).into(), "chosen by the kernel".into());
            }
        }
        dump
    }

    /// Returns the state without an nftables table that another program leaves.
    pub fn without_table(&self, name: &str) -> Self {
        let mut dump = self.clone();
        dump.firewall.retain(|entry| table_of(entry) != name);
        dump
    }

    /// Returns the objects of an nftables table.
    pub fn table(&self, name: &str) -> Vec<&Value> {
        let entries = self.firewall.iter();
        entries.filter(|entry| table_of(entry) == name).collect()
    }

    /// Returns the differences between two states, one fact per line. Equal states have
    /// none.
    pub fn differences(&self, other: &Self) -> String {
        let (old, new) = (self.facts(), other.facts());
        let gone = old.difference(&new).map(|fact| format!("- {fact}\n"));
        let added = new.difference(&old).map(|fact| format!("+ {fact}\n"));
        gone.chain(added).collect()
    }

    /// Returns the facts of the whole state.
    pub fn facts(&self) -> BTreeSet<String> {
        let mut facts = BTreeSet::new();
        for (name, link) in &self.links {
            flatten(&format!("link {name}"), link, &mut facts);
        }
        for (name, addresses) in &self.addresses {
            facts.extend(
                addresses
                    .iter()
                    .map(|address| format!("address of {name}: {address}")),
            );
        }
        facts.extend(self.routes.iter().map(|route| format!("route {route}")));
        facts.extend(self.rules.iter().map(|rule| format!("rule {rule}")));
        facts.extend(self.neighbours.iter().map(|one| format!("neighbour {one}")));
        facts.extend(self.queues.iter().map(|queue| format!("queue {queue}")));
        facts.extend(self.filters.lines().map(|line| format!("filter {line}")));
        facts.extend(self.bridge.iter().map(|entry| format!("bridge {entry}")));
        facts.extend(
            self.firewall
                .iter()
                .map(|entry| format!("firewall {entry}")),
        );
        facts.extend(
            self.features
                .iter()
                .map(|(link, features)| format!("features of {link}: {features:x?}")),
        );
        facts.extend(
            self.settings
                .iter()
                .map(|(key, value)| format!("{key} = {value}")),
        );
        facts
    }

    fn link(&self, name: &str) -> &Value {
        self.links
            .get(name)
            .unwrap_or_else(|| panic!("there is no link {name}, only {:?}", self.link_names()))
    }
}

impl fmt::Debug for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts()
            .iter()
            .try_for_each(|fact| writeln!(f, "{fact}"))
    }
}

/// Checks that a namespace has the same state as before.
#[track_caller]
pub fn assert_unchanged(netns: &Netns, before: &Dump, what: &str) {
    let after = poll::until(|| Dump::of(netns), |after| after == before);
    let differences = before.differences(&after);
    assert!(differences.is_empty(), "{what} changed:\n{differences}");
}

fn flatten(path: &str, value: &Value, facts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                flatten(&format!("{path} {key}"), field, facts);
            }
        }
        value => {
            facts.insert(format!("{path} = {value}"));
        }
    }
}

pub(crate) fn text(fields: &Value, key: &str) -> String {
    fields[key].as_str().unwrap_or_default().to_owned()
}

/// Removes the properties of a link that change by themselves: indexes, and a bridge's
/// IDs and timers. A link that was never up has the queueing discipline `noop` instead
/// of `noqueue`.
fn stable_link(mut link: Value) -> Value {
    for data in ["info_data", "info_slave_data"] {
        if let Some(fields) = link["linkinfo"][data].as_object_mut() {
            // Timers and counters run, and the IDs of a bridge follow from its MAC
            // address.
            fields.retain(|key, _| {
                !key.ends_with("_timer")
                    && !["bridge_id", "root_id", "fdb_n_learned"].contains(&key.as_str())
            });
        }
    }
    if let Some(fields) = link.as_object_mut() {
        if fields.get("qdisc").is_some_and(|qdisc| qdisc == "noop") {
            fields.insert("qdisc".into(), "noqueue".into());
        }
        for key in ["ifindex", "link_index", "link_netnsid"] {
            fields.remove(key);
        }
    }
    link
}

/// Removes the parts of `nft`'s answer that change by themselves: its version, handles
/// and the order of sets.
fn stable_firewall(mut answer: Value) -> Vec<Value> {
    let entries = answer["nftables"].take();
    let Value::Array(mut entries) = entries else {
        return Vec::new();
    };
    entries.retain(|entry| entry.get("metainfo").is_none());
    for entry in &mut entries {
        for part in entry.as_object_mut().into_iter().flatten() {
            let Some(fields) = part.1.as_object_mut() else {
                continue;
            };
            fields.remove("handle");
            if let Some(Value::Array(elements)) = fields.get_mut("elem") {
                elements.sort_by_key(Value::to_string);
            }
        }
    }
    entries
}

/// Returns the name of the table that an nftables object is or is part of.
fn table_of(entry: &Value) -> &str {
    let parts = entry.as_object().into_iter().flatten();
    let mut names = parts.map(|(kind, part)| match kind.as_str() {
        "table" => &part["name"],
        _ => &part["table"],
    });
    names.next().and_then(Value::as_str).unwrap_or_default()
}

fn addresses_of_link(mut link: Value) -> (String, Vec<Value>) {
    let name = text(&link, "ifname");
    let addresses = match link["addr_info"].take() {
        Value::Array(addresses) => addresses,
        _ => Vec::new(),
    };
    let stable = |mut address: Value| {
        if let Some(fields) = address.as_object_mut() {
            for key in ["tentative", "valid_life_time", "preferred_life_time"] {
                fields.remove(key);
            }
        }
        address
    };
    let made = |address: &Value| !text(address, "local").starts_with("fe80:");
    (
        name,
        addresses.into_iter().filter(made).map(stable).collect(),
    )
}

/// Returns the routes without those of link-local and multicast addresses, and without
/// those that the kernel makes for an IPv6 address after duplicate address detection.
/// The result is sorted.
fn made_by_someone(mut routes: Vec<Value>, addresses: &BTreeMap<String, Vec<Value>>) -> Vec<Value> {
    routes.retain(|route| {
        let destination = text(route, "dst");
        !destination.starts_with("fe80:")
            && !destination.starts_with("ff00:")
            && !follows_from_an_address(route, addresses)
    });
    routes.sort_by_cached_key(Value::to_string);
    routes
}

/// Whether a route is the kernel's IPv6 route to an address of its link. The kernel
/// makes it a moment after the address.
fn follows_from_an_address(route: &Value, addresses: &BTreeMap<String, Vec<Value>>) -> bool {
    let destination = text(route, "dst");
    text(route, "type") == "local"
        && text(route, "protocol") == "kernel"
        && destination.contains(':')
        && addresses
            .get(&text(route, "dev"))
            .into_iter()
            .flatten()
            .any(|address| text(address, "local") == destination)
}

/// Returns a route for each next hop of a route. The kernel joins IPv6 routes that have
/// the same destination and metric.
fn by_next_hop(route: &Value) -> Vec<Value> {
    let Some(hops) = route["nexthops"].as_array() else {
        return vec![route.clone()];
    };
    let through = |hop: &Value| {
        let mut single = route.clone();
        for key in ["gateway", "dev"] {
            single[key] = hop[key].clone();
        }
        single
    };
    hops.iter().map(through).collect()
}

fn describe_route(route: &Value) -> String {
    let mut words = Vec::new();
    let kind = text(route, "type");
    if kind != "unicast" {
        words.push(kind);
    }
    words.push(text(route, "dst"));
    for (word, key) in [("via", "gateway"), ("dev", "dev")] {
        // IPv6 routes without a link have `lo`.
        if let Some(value) = route[key].as_str().filter(|value| *value != "lo") {
            words.push(format!("{word} {value}"));
        }
    }
    if let Some(metric) = route["metric"].as_u64() {
        words.push(format!("metric {metric}"));
    }
    words.join(" ")
}

/// Returns the rules without the one that the kernel makes for a namespace's first VRF
/// and never removes (`vrf_add_fib_rules` in `drivers/net/vrf.c`).
fn made_rules(mut rules: Vec<Value>) -> Vec<Value> {
    rules.retain(|rule| rule.get("l3mdev").is_none() || rule["protocol"] != "kernel");
    rules
}

/// Returns the queueing disciplines that aren't a link's default.
fn made_queues(mut queues: Vec<Value>) -> Vec<Value> {
    queues.retain(|queue| !NO_QUEUE.contains(&&*text(queue, "kind")));
    for queue in &mut queues {
        // The counter of packets that no class has taken.
        if let Some(options) = queue["options"].as_object_mut() {
            options.remove("direct_packets_stat");
        }
    }
    queues
}

/// Returns the classes and filters of the links that have a queueing discipline. Other
/// links can't have any.
fn filters(netns: &Netns, queues: &[Value]) -> String {
    let links: BTreeSet<String> = queues.iter().map(|queue| text(queue, "dev")).collect();
    let questions = links.iter().flat_map(|link| {
        ["class show", "filter show"].map(|question| format!("{question} dev {link}\n"))
    });
    let questions: String = questions.collect();
    if questions.is_empty() {
        return String::new();
    }
    let mut tc = netns.command("tc");
    let output = process::run(tc.args(["-batch", "-"]), questions.as_bytes());
    assert_eq!(output.code, Some(0), "tc {questions}: {output:?}");
    // fq_codel shows flows with waiting packets as classes.
    let lines = output.stdout.lines();
    let lasting: Vec<_> = lines
        .filter(|line| !line.starts_with("class fq_codel"))
        .collect();
    lasting.join("\n")
}

/// Returns the bridge entries that don't come and go by themselves, sorted.
fn lasting(mut entries: Vec<Value>) -> Vec<Value> {
    // Entries for multicast follow link-local addresses.
    entries.retain(|entry| {
        let multicast = text(entry, "mac").starts_with("33:33:");
        let made = ["permanent", "static"].contains(&text(entry, "state").as_str());
        let learnt = entry.get("mac").is_some() && !made;
        !multicast && !learnt
    });
    entries.sort_by_cached_key(Value::to_string);
    entries
}

fn all_features(links: &[String]) -> BTreeMap<String, Vec<u32>> {
    let links = links.iter();
    links
        .map(|link| (link.clone(), features::requested(link)))
        .collect()
}
