//! The comparison of two namespaces, fact by fact. Names and values that the kernel
//! chose are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::world::Before;

/// A difference that is meant: the facts that match, `*` standing for anything,
/// and why.
pub(crate) type Meant = (&'static str, &'static str);

/// What host and container are like, comparable with others.
pub(crate) struct Seen {
    pub(crate) host: BTreeSet<String>,
    pub(crate) container: BTreeSet<String>,
}

impl Seen {
    /// `before` has the links that were there already, `macs` those addresses
    /// that were asked for.
    pub(crate) fn new(now: &Before, before: &Before, macs: &[&str]) -> Self {
        let names = |now: &Dump, before: &Dump| -> BTreeMap<String, String> {
            let links = now.link_names().into_iter();
            let new = links.filter(|name| !before.has_link(name));
            new.map(|name| (name.to_owned(), label(now, name)))
                .collect()
        };
        let host = names(&now.host, &before.host);
        let container = names(&now.container, &before.container);
        // The host's tables have the container's addresses too.
        let mut addresses = addresses(&now.container, &container);
        addresses.extend(self::addresses(&now.host, &host));
        addresses.retain(|(mac, _)| !macs.contains(&mac.as_str()));
        Self {
            host: facts(&now.host, &host, &addresses),
            container: facts(&now.container, &container, &addresses),
        }
    }
}

/// The MAC addresses of links, and what they are called.
fn addresses(dump: &Dump, names: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let links = dump.link_names().into_iter().filter(|name| *name != "lo");
    let called = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
    links
        .map(|name| (dump.mac(name), format!("MAC of {}", called(name))))
        .collect()
}

/// The facts of a namespace. Rules are in iptables there and in nftables here:
/// what they do is tried with packets.
fn facts(
    dump: &Dump,
    names: &BTreeMap<String, String>,
    addresses: &[(String, String)],
) -> BTreeSet<String> {
    let tables = tables(dump);
    let comparable = |fact: String| {
        let mut fact = plain_route(fact);
        for table in &tables {
            fact = fact.replace(&format!("\"table\":\"{table}\""), "\"table\":\"the table\"");
            fact = fact.replace(&format!(" table = {table}"), " table = the table");
        }
        for (mac, label) in addresses {
            fact = fact.replace(mac, label);
        }
        for (name, label) in names {
            fact = renamed(&fact, name, label);
        }
        fact
    };
    let facts = dump.facts().into_iter();
    facts
        .filter(|fact| !fact.starts_with("firewall "))
        .map(comparable)
        .collect()
}

/// The tables of VRFs, whose numbers the programs choose.
fn tables(dump: &Dump) -> Vec<String> {
    let links = dump.link_names().into_iter();
    let vrfs = links.filter(|name| dump.kind(name) == "vrf");
    vrfs.map(|name| dump.kind_data(name, "table").to_string())
        .collect()
}

/// What a link is called: by its kind where the name is a program's choice.
fn label(dump: &Dump, name: &str) -> String {
    match dump.kind(name).as_str() {
        kind @ ("veth" | "ifb") if name != "eth0" => format!("the {kind}"),
        _ => name.to_owned(),
    }
}

/// A route without who made it, and without the metric that it has where none
/// was asked for: CNI leaves that to the kernel, netavark's drivers and these
/// have one by which Podman orders networks.
fn plain_route(fact: String) -> String {
    let Some(json) = fact.strip_prefix("route ") else {
        return fact;
    };
    let mut route: Value = serde_json::from_str(json).expect("routes are shown as JSON");
    let made = matches!(route["protocol"].as_str(), Some("boot" | "static"));
    let Some(fields) = route.as_object_mut().filter(|_| made) else {
        return fact;
    };
    fields.remove("protocol");
    let usual = match fields.get("metric").and_then(Value::as_u64) {
        None | Some(99 | 100 | 1024) => true,
        Some(_) => false,
    };
    if usual {
        fields.remove("metric");
    }
    format!("route {route}")
}

/// A text with a name in another's place, where it's a word.
fn renamed(text: &str, name: &str, label: &str) -> String {
    let is_word = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        result.push_str(before);
        let alone = is_word(result.chars().next_back()) && is_word(after.chars().next());
        result.push_str(if alone { label } else { name });
        rest = after;
    }
    result + rest
}

/// What one has (`-`) and the other not (`+`).
pub(crate) fn differences(theirs: &Seen, ours: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, theirs, ours) in [
        ("container", &theirs.container, &ours.container),
        ("host", &theirs.host, &ours.host),
    ] {
        let gone = theirs
            .difference(ours)
            .map(|fact| format!("{place}: - {fact}"));
        let new = ours
            .difference(theirs)
            .map(|fact| format!("{place}: + {fact}"));
        lines.extend(gone.chain(new));
    }
    lines
}

/// Whether a text is what a pattern says.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = "";
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
        last = part;
    }
    // What comes after the last part must be nothing, unless a star is.
    rest.is_empty() || (pattern.ends_with('*') && last.is_empty())
}
