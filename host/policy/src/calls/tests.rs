//! The vocabulary is that of the WIT, and its lines are complete.

use std::collections::BTreeSet;
use std::path::Path;

use wit_parser::{Resolve, WorldItem};

use super::*;

#[test]
fn it_has_the_functions_of_the_wit() {
    let wit = Path::new("../../wit");
    if !wit.is_dir() {
        println!("skipped: the sources aren't on this machine");
        return;
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some("driver")).unwrap();
    let mut functions = BTreeSet::new();
    for import in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = import else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().unwrap();
        let names = interface.functions.keys();
        functions.extend(names.map(|function| format!("{name}.{function}")));
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
