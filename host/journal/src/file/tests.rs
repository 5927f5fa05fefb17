//! Tests of writing and reading journals.

use std::collections::BTreeSet;

use kernel::LinkId;
use types::Namespace;

use super::*;
use crate::Change;

fn open(folder: &Path) -> Journal {
    open_as(folder, "ctr")
}

pub(crate) fn open_as(folder: &Path, container: &str) -> Journal {
    let key = Key {
        network: "net".to_owned().try_into().unwrap(),
        container: container.to_owned().try_into().unwrap(),
    };
    let here = Here {
        host: NetnsId::new(4, 1),
        container: None,
    };
    Journal::open(folder, &key, here).unwrap()
}

fn make(name: &str) -> Change {
    Change::MakeLink {
        namespace: Namespace::Host,
        name: name.parse().unwrap(),
        index: None,
        table: None,
    }
}

/// A line of each form that earlier versions wrote. Lines are only added here, because
/// journals outlive an upgrade.
const GOLDEN: &str = include_str!("golden.jsonl");

#[test]
fn lines_of_earlier_versions_keep_their_form() {
    let mut forms = BTreeSet::new();
    for text in GOLDEN.lines() {
        let line: Line =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        forms.insert(match &line {
            Line::Begin(entry) => {
                serde_json::to_value(&entry.change).unwrap()["change"].to_string()
            }
            other => format!("{:?}", std::mem::discriminant(other)),
        });
    }
    // Changes, and the other kinds of lines.
    assert_eq!(forms.len(), 24 + 8);
}

#[test]
fn another_process_finds_what_this_one_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let first = journal.begin(make("a"), false).unwrap();
    journal.done(first, Some(7)).unwrap();
    let second = journal.begin(make("b"), false).unwrap();
    journal.void(second).unwrap();
    let mut again = open(folder.path());
    let link = LinkId {
        namespace: Namespace::Host,
        index: 7,
    };
    assert_eq!(again.entries(), journal.entries());
    assert!(again.owns(link, &"a".parse().unwrap()));
    assert!(!again.owns(link, &"b".parse().unwrap()));
    assert_eq!(
        again.own_link(Namespace::Host, &"a".parse().unwrap()),
        Some(link)
    );
    again.void(first).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_link_keeps_being_own_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b): (LinkName, LinkName) = ("a".parse().unwrap(), "b".parse().unwrap());
    let link = LinkId {
        namespace: Namespace::Host,
        index: 7,
    };
    let mut journal = open(folder.path());
    let made = journal.begin(make("a"), false).unwrap();
    journal.done(made, Some(7)).unwrap();
    journal.begin(route_through(&a), false).unwrap();
    journal.rename(made, &b).unwrap();
    let mut again = open(folder.path());
    assert_eq!(again.renaming().count(), 1);
    assert!(again.owns(link, &a));
    again.named(made, &b).unwrap();
    for journal in [again, open(folder.path())] {
        assert_eq!(journal.renaming().count(), 0);
        assert!(journal.owns(link, &b) && !journal.owns(link, &a));
        let (_, _, links) = journal.entries()[1].change.added_route().unwrap();
        assert_eq!(links[0].name, b);
    }
}

/// A route through the link with the index 7.
fn route_through(name: &LinkName) -> Change {
    let route = serde_json::json!({
        "change": "add-route", "namespace": "host", "destination": "10.0.0.0/8",
        "gateway": null, "metric": null, "kind": "unicast", "link": 7,
        "links": [{"index": 7, "name": name}],
    });
    serde_json::from_value(route).unwrap()
}

#[test]
fn a_setup_that_never_came_to_its_end_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    assert!(!journal.is_abandoned());
    journal.begin(make("a"), false).unwrap();
    assert!(open(folder.path()).is_abandoned());
    journal.complete().unwrap();
    assert!(!open(folder.path()).is_abandoned());
}

#[test]
fn what_is_about_to_be_undone_is_in_use_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.leave().unwrap();
    let first = journal.begin(make("a"), false).unwrap();
    journal.complete().unwrap();
    assert!(open(folder.path()).is_in_use());
    journal.leave().unwrap();
    let again = open(folder.path());
    assert!(again.is_leaving() && !again.is_in_use() && !again.is_abandoned());
    journal.void(first).unwrap();
    journal.begin(make("a"), false).unwrap();
    journal.complete().unwrap();
    assert!(open(folder.path()).is_in_use());
}

#[test]
fn changes_are_known_by_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.begin(make("a"), false).unwrap();
    journal.begin(make("b"), false).unwrap();
    let entries = open(folder.path()).entries().to_vec();
    assert!(0 < entries[0].at && entries[0].at < entries[1].at);
}

#[test]
fn a_journal_of_another_boot_means_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).begin(make("a"), false).unwrap();
    let path = folder.path().join("net/ctr.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let boot = boot_id().unwrap();
    std::fs::write(&path, text.replace(&boot, "another")).unwrap();
    let mut again = open(folder.path());
    assert!(again.entries().is_empty());
    again.begin(make("b"), false).unwrap();
    assert_eq!(open(folder.path()).entries().len(), 1);
}

#[test]
fn a_torn_last_line_is_ignored_and_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.begin(make("a"), false).unwrap();
    let path = folder.path().join("net/ctr.jsonl");
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"begin\":{\"number\":1,\"cha");
    std::fs::write(&path, torn).unwrap();
    let mut again = open(folder.path());
    assert_eq!(again.entries().len(), 1);
    again.begin(make("b"), false).unwrap();
    assert_eq!(open(folder.path()).entries().len(), 2);
}

#[test]
fn what_is_shared_counts_until_the_last_journal_is_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = open_as(folder.path(), "one");
    let mut two = open_as(folder.path(), "two");
    let number = one.begin(make("br"), true).unwrap();
    one.done(number, Some(5)).unwrap();
    assert!(!one.is_shared(&one.entries()[0]).unwrap());
    let br: LinkName = "br".parse().unwrap();
    assert_eq!(two.shared_links(&br).next().unwrap().unwrap().0.index, 5);
    let number = two.begin(make("br"), true).unwrap();
    two.done(number, Some(5)).unwrap();
    assert!(one.is_shared(&one.entries()[0]).unwrap());
    two.void(number).unwrap();
    assert!(!one.is_shared(&one.entries()[0]).unwrap());
    // A new link of the same name, made after somebody removed the first.
    let number = two.begin(make("br"), true).unwrap();
    two.done(number, Some(6)).unwrap();
    assert!(!one.is_shared(&one.entries()[0]).unwrap());
}

#[test]
fn what_is_not_shared_is_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = open_as(folder.path(), "one");
    let mut two = open_as(folder.path(), "two");
    one.begin(make("v"), false).unwrap();
    two.begin(make("v"), true).unwrap();
    assert!(!one.is_shared(&one.entries()[0]).unwrap());
    assert!(!two.is_shared(&two.entries()[0]).unwrap());
}
