//! What the kernel says about a namespace, read with `ip`, `tc`, `bridge` and
//! `nft`: a second opinion that shares no code with the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

use serde_json::Value;

use crate::features;
use crate::netns::Netns;
use crate::poll;
use crate::process;
use crate::reader::{Answers, Reader};

/// Queues that every link has without anybody's doing.
const NO_QUEUE: [&str; 2] = ["noop", "noqueue"];

/// The state of a namespace, without what changes by itself: counters,
/// indexes, link-local addresses.
#[derive(Clone, PartialEq)]
pub struct Dump {
    links: BTreeMap<String, Value>,
    addresses: BTreeMap<String, Vec<Value>>,
    routes: Vec<Value>,
    rules: Vec<Value>,
    neighbours: Vec<Value>,
    queues: Vec<Value>,
    /// What hangs on the queues, as `tc` prints it.
    filters: String,
    bridge: Vec<Value>,
    firewall: Vec<Value>,
    settings: BTreeMap<String, String>,
    /// The features of links that somebody asked for.
    features: BTreeMap<String, Vec<u32>>,
}

/// One address of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// With its prefix length.
    pub cidr: String,
    /// The broadcast address.
    pub broadcast: Option<String>,
}

impl Dump {
    /// Reads the state of a namespace.
    pub fn of(netns: &Netns) -> Self {
        Reader::new(netns).read()
    }

    /// Makes a state of what the programs said about a namespace.
    pub(crate) fn new(netns: &Netns, answers: Answers) -> Self {
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
            settings: netns.run(|| all_settings(&names)),
            features: netns.run(|| all_features(&names)),
        }
    }

    /// The names of all links.
    pub fn link_names(&self) -> Vec<&str> {
        self.links.keys().map(String::as_str).collect()
    }

    /// Whether a link is there.
    pub fn has_link(&self, name: &str) -> bool {
        self.links.contains_key(name)
    }

    /// The kind of a link, for example `macvlan`.
    pub fn kind(&self, link: &str) -> String {
        text(&self.link(link)["linkinfo"], "info_kind")
    }

    /// A field of what is special to a link's kind, for example a macvlan's
    /// `mode`.
    pub fn kind_data(&self, link: &str, field: &str) -> &Value {
        &self.link(link)["linkinfo"]["info_data"][field]
    }

    /// A field of how a bridge treats a port, for example `hairpin`.
    pub fn port_data(&self, port: &str, field: &str) -> &Value {
        &self.link(port)["linkinfo"]["info_slave_data"][field]
    }

    /// The VLANs of bridges and their ports, each with its flags: `p0 5 pvid`.
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

    /// The MAC address of a link.
    pub fn mac(&self, link: &str) -> String {
        text(self.link(link), "address")
    }

    /// How many packets may wait at a link.
    pub fn queue_length(&self, link: &str) -> u64 {
        self.link(link)["txqlen"].as_u64().expect("a link has it")
    }

    /// The limit of a link's token bucket filter: bits per second and bytes.
    pub fn token_bucket(&self, link: &str) -> Option<(u64, u64)> {
        let mut queues = self.queues.iter();
        let queue = queues.find(|it| it["kind"] == "tbf" && it["dev"] == link)?;
        let options = &queue["options"];
        Some((options["rate"].as_u64()? * 8, options["burst"].as_u64()?))
    }

    /// The links of a kind.
    pub fn links_of_kind(&self, kind: &str) -> Vec<&str> {
        let names = self.links.keys().map(String::as_str);
        names.filter(|name| self.kind(name) == kind).collect()
    }

    /// The routing rules: `VERSION PRIORITY SOURCE TABLE`, where a source is
    /// named.
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

    /// The MTU of a link.
    pub fn mtu(&self, link: &str) -> u64 {
        self.link(link)["mtu"].as_u64().expect("a link has an MTU")
    }

    /// Whether a link is up.
    pub fn is_up(&self, link: &str) -> bool {
        self.has_flag(link, "UP")
    }

    /// Whether a link has a flag, as `ip` names it.
    pub fn has_flag(&self, link: &str, flag: &str) -> bool {
        let flags = self.link(link)["flags"]
            .as_array()
            .expect("a link has flags");
        flags.iter().any(|one| one == flag)
    }

    /// The addresses of a link without the link-local ones, in order.
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

    /// The addresses of a link with their prefix lengths, in order.
    pub fn cidrs(&self, link: &str) -> Vec<String> {
        self.addresses(link)
            .into_iter()
            .map(|address| address.cidr)
            .collect()
    }

    /// The routes of the main table that someone made, each as
    /// `[TYPE] DESTINATION [via GATEWAY] [dev LINK] metric METRIC`, in order.
    pub fn made_routes(&self) -> Vec<String> {
        let mut routes: Vec<String> = self
            .routes
            .iter()
            .filter(|route| route["protocol"] != "kernel" && route["table"] == "main")
            .flat_map(ways)
            .map(|route| describe_route(&route))
            .collect();
        routes.sort();
        routes
    }

    /// The protocol by which a route was made, for example `static`.
    pub fn route_protocols(&self) -> Vec<String> {
        self.routes
            .iter()
            .filter(|route| route["protocol"] != "kernel")
            .map(|route| text(route, "protocol"))
            .collect()
    }

    /// A kernel setting, for example `ipv6/conf/eth0/autoconf`.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// The features of a link that somebody asked for, as bits.
    pub fn features(&self, link: &str) -> &[u32] {
        &self.features[link]
    }

    /// The same with a link's MAC address left out, also where a bridge has
    /// it: for comparing links whose address the kernel chose.
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

    /// The same with some fields of a link left out.
    pub fn without(&self, link: &str, left_out: &[&str]) -> Self {
        let mut dump = self.clone();
        if let Some(fields) = dump.links.get_mut(link).and_then(Value::as_object_mut) {
            for field in left_out {
                fields.insert((*field).into(), "chosen by the kernel".into());
            }
        }
        dump
    }

    /// The same without an nft table: for what a program other than ours
    /// leaves.
    pub fn without_table(&self, name: &str) -> Self {
        let mut dump = self.clone();
        dump.firewall.retain(|entry| table_of(entry) != name);
        dump
    }

    /// The objects of a table of the firewall.
    pub fn table(&self, name: &str) -> Vec<&Value> {
        let entries = self.firewall.iter();
        entries.filter(|entry| table_of(entry) == name).collect()
    }

    /// What one of two states has and the other not, a fact a line; empty if
    /// they are equal.
    pub fn differences(&self, other: &Self) -> String {
        let (ours, theirs) = (self.facts(), other.facts());
        let gone = ours.difference(&theirs).map(|fact| format!("- {fact}\n"));
        let new = theirs.difference(&ours).map(|fact| format!("+ {fact}\n"));
        gone.chain(new).collect()
    }

    /// The whole state, a fact a line.
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

/// Checks that a namespace is again, or still, in the state that `before`
/// describes.
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

fn text(fields: &Value, key: &str) -> String {
    fields[key].as_str().unwrap_or_default().to_owned()
}

/// Indexes differ from namespace to namespace, a bridge's ids follow from its
/// MAC address, its timers run, and a link that never was up has another way
/// of having no queue.
fn stable_link(mut link: Value) -> Value {
    for data in ["info_data", "info_slave_data"] {
        if let Some(fields) = link["linkinfo"][data].as_object_mut() {
            // Bridges count down to this and that, are known by the MAC address
            // that they chose, and count whom they have heard of.
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

/// What `nft` lists, without what it says of itself, in which sets have no
/// order and handles are given out anew.
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

/// The name of the table that an object of the firewall is, or is in.
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

/// Routes without those of link-local and multicast addresses, and without those
/// that the kernel makes for an IPv6 address once it has looked for duplicates,
/// in order.
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

/// Whether it's the IPv6 route to an address of its link, which comes a moment
/// after the address.
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

/// A route for each way of one: the kernel joins IPv6 routes to the same
/// destination with the same metric.
fn ways(route: &Value) -> Vec<Value> {
    let Some(hops) = route["nexthops"].as_array() else {
        return vec![route.clone()];
    };
    let through = |hop: &Value| {
        let mut way = route.clone();
        for key in ["gateway", "dev"] {
            way[key] = hop[key].clone();
        }
        way
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
        // For routes without a link the kernel names `lo` in IPv6.
        if let Some(value) = route[key].as_str().filter(|value| *value != "lo") {
            words.push(format!("{word} {value}"));
        }
    }
    if let Some(metric) = route["metric"].as_u64() {
        words.push(format!("metric {metric}"));
    }
    words.join(" ")
}

/// Rules without the one that the kernel makes for a namespace's first VRF and
/// keeps for ever (`vrf_add_fib_rules` in `drivers/net/vrf.c`).
fn made_rules(mut rules: Vec<Value>) -> Vec<Value> {
    rules.retain(|rule| rule.get("l3mdev").is_none() || rule["protocol"] != "kernel");
    rules
}

/// Queues that someone made.
fn made_queues(mut queues: Vec<Value>) -> Vec<Value> {
    queues.retain(|queue| !NO_QUEUE.contains(&&*text(queue, "kind")));
    for queue in &mut queues {
        // How many packets no class has taken.
        if let Some(options) = queue["options"].as_object_mut() {
            options.remove("direct_packets_stat");
        }
    }
    queues
}

/// The classes and filters of links that have a queue: nowhere else can any be.
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
    // The flows of a queue are shown as its classes, while packets wait.
    let lines = output.stdout.lines();
    let lasting: Vec<_> = lines
        .filter(|line| !line.starts_with("class fq_codel"))
        .collect();
    lasting.join("\n")
}

/// Entries of bridges that don't come and go by themselves, in order.
fn lasting(mut entries: Vec<Value>) -> Vec<Value> {
    // Those for link-local multicast follow link-local addresses.
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

/// The settings of all links and of the namespace itself.
fn all_settings(links: &[String]) -> BTreeMap<String, String> {
    let everywhere = ["all", "default"].into_iter();
    let names = links.iter().map(String::as_str).chain(everywhere);
    let mut all: BTreeMap<String, String> = names.flat_map(settings).collect();
    let forward = "ipv4/ip_forward";
    if let Ok(value) = fs::read_to_string(format!("/proc/sys/net/{forward}")) {
        all.insert(forward.to_owned(), value.trim_end().to_owned());
    }
    all
}

/// All settings of a link, or of `all` or `default`, in both families.
fn settings(link: &str) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    for family in ["ipv4", "ipv6"] {
        let folder = format!("{family}/conf/{link}");
        let Ok(entries) = fs::read_dir(format!("/proc/sys/net/{folder}")) else {
            continue;
        };
        for entry in entries.flatten() {
            // `stable_secret` can't be read before it's set.
            if let Ok(value) = fs::read_to_string(entry.path()) {
                let key = format!("{folder}/{}", entry.file_name().to_string_lossy());
                settings.push((key, value.trim_end().to_owned()));
            }
        }
    }
    settings
}
