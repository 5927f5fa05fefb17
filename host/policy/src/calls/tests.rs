//! The vocabulary is that of the WIT, and its lines are complete.

use std::collections::BTreeSet;

use wit_parser::{FunctionKind, Resolve, SourceMap, WorldItem};

use super::*;

/// Includes files of the WIT, so that the test needs no sources where it runs.
macro_rules! wit {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../wit/", $name, ".wit"))),)*]
    };
}

/// All files: without one, the world isn't complete.
const WIT: [(&str, &str); 19] = wit![
    "addresses",
    "announce",
    "dhcp",
    "dns",
    "bridge-ports",
    "firewall",
    "handler",
    "links",
    "log",
    "neighbours",
    "offloads",
    "routes",
    "rules",
    "state",
    "sysctl",
    "traffic",
    "types",
    "wireguard",
    "world",
];

#[test]
fn it_has_the_functions_of_the_wit() {
    let mut sources = SourceMap::new();
    for (name, text) in WIT {
        sources.push_str(name, text);
    }
    let mut resolve = Resolve::default();
    let package = resolve.push_group(sources.parse().unwrap()).unwrap();
    let world = resolve.select_world(&[package], Some("driver")).unwrap();
    let mut functions = BTreeSet::new();
    for import in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = import else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().unwrap();
        // Methods are no calls.
        let all = interface.functions.values();
        let free = all.filter(|function| function.kind == FunctionKind::Freestanding);
        functions.extend(free.map(|function| format!("{name}.{}", function.name)));
    }
    let calls = Call::ALL.iter().filter(|call| !call.is_returned());
    let calls: BTreeSet<String> = calls.map(|call| call.name().to_owned()).collect();
    assert_eq!(functions, calls);
}

#[test]
fn what_makes_anything_needs_something() {
    for call in Call::ALL {
        let makes = ["links.create-", "firewall.", "wireguard."];
        let makes = makes.iter().any(|start| call.name().starts_with(start));
        // firewalld does it.
        let makes = makes && *call != Call::FirewallTrust;
        assert!(!makes || !call.needs().is_empty(), "{call}");
    }
}

#[test]
fn what_can_be_at_a_place_of_the_host_gets_a_name() {
    for call in Call::ALL {
        let has_place = call.reach_keys().contains(&ReachKey::Place);
        assert_eq!(call.makes().is_some(), has_place, "{call}");
        assert!(!has_place || call.naming().is_some(), "{call}");
    }
}
